namespace Edm.Contracts;

/// <summary>A value that somebody gave can't be used, and nothing was changed. The API answers 400 and names the field.</summary>
/// <param name="field">As the API writes it: camelCase, with a path where it is nested, such as <c>perMinute</c>.</param>
/// <param name="message">What is wrong with it and what is expected, for the person who gave it.</param>
public sealed class FieldException(string field, string message) : Exception(message)
{
    public string Field { get; } = field;
}
