namespace Edm.Engine.Imports;

/// <summary>The file as a whole can't be read; nothing of it was stored. The message is for its owner, and starts with the line where one is known.</summary>
/// <param name="line">Counted from 1.</param>
/// <param name="field">The column, as the file names it.</param>
/// <param name="offset">Where in the file, counted in bytes from 0.</param>
public sealed class ImportFormatException(string message, long? line = null, string? field = null, Exception? inner = null, long? offset = null)
    : Exception(Placed(message, line, offset), inner)
{
    public long? Line { get; } = line;
    public string? Field { get; } = field;

    /// <summary>In bytes from the start of the file, unpacked.</summary>
    public long? Offset { get; } = offset;

    private static string Placed(string message, long? line, long? offset) => (line, offset) switch
    {
        (null, null) => message,
        ({ } known, null) => $"Line {known}: {message}",
        (null, { } at) => $"Byte {at}: {message}",
        ({ } known, { } at) => $"Line {known}, byte {at}: {message}",
    };
}
