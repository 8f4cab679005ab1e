namespace Edm.Contracts;

/// <summary>
/// What was asked for is well formed but does not go with what is there: the name is taken, the thing is in use, its state does not allow it.
/// Nothing was changed. The API answers 409.
/// </summary>
/// <param name="message">What stands in the way and what to do, for the person who asked.</param>
/// <param name="field">The field whose value collides, null when it is the state of the whole.</param>
public sealed class ConflictException(string message, string? field = null) : Exception(message)
{
    public string? Field { get; } = field;
}
