namespace Edm.Engine.Storage;

/// <summary>The storage can't be used as it stands. The message says what is wrong and what to do; it is fit for an operator's screen.</summary>
public sealed class StorageException(string message, Exception? inner = null) : Exception(message, inner);
