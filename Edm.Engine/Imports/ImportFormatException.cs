namespace Edm.Engine.Imports;

/// <summary>The file as a whole can't be read; nothing of it was stored. The message is for its owner, and starts with the line where one is known.</summary>
/// <param name="line">Counted from 1.</param>
/// <param name="field">The column, as the file names it.</param>
public sealed class ImportFormatException(string message, long? line = null, string? field = null, Exception? inner = null)
    : Exception(line is null ? message : $"Line {line}: {message}", inner)
{
    public long? Line { get; } = line;
    public string? Field { get; } = field;
}
