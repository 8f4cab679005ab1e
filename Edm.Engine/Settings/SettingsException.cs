namespace Edm.Engine.Settings;

/// <summary>A setting can't be used. The message names the key or the file and line, and is fit for an operator's screen.</summary>
public sealed class SettingsException(string message, Exception? inner = null) : Exception(message, inner);
