namespace Edm.Engine.TagMigration;

/// <summary>A step can't be done as things stand; nothing was changed by it. The message says what is wrong and what to do, fit for an operator's screen.</summary>
public sealed class MigrationException(string message, Exception? inner = null) : Exception(message, inner);
