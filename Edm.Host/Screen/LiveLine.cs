namespace Edm.Host.Screen;

/// <summary>
/// Tells how far something is. Before a person the line is written over each time; into a file or a pipe it becomes a line of its own now and then.
/// Not thread-safe.
/// </summary>
/// <param name="plainEvery">How often there is a new line where none can be written over.</param>
internal sealed class LiveLine(Terminal terminal, TimeProvider time, TimeSpan plainEvery)
{
    private const string ToStartOfLine = "\r";
    private const string EraseRest = "\e[K"; // ECMA-48, EL

    private long? _written;
    private bool _open;

    public void Show(string text)
    {
        if (terminal.Rewrites)
        {
            // A line that wraps can't be written over.
            var width = Math.Max(terminal.Width() - 1, 1);
            terminal.Out.Write($"{ToStartOfLine}{(text.Length > width ? text[..width] : text)}{EraseRest}");
            terminal.Out.Flush();
            _open = true;
        }
        else if (_written is not { } at || time.GetElapsedTime(at) >= plainEvery)
        {
            terminal.Out.WriteLine(text);
            _written = time.GetTimestamp();
        }
    }

    /// <summary>Makes place for other lines; what was shown last does not stay.</summary>
    public void Clear()
    {
        if (_open)
        {
            terminal.Out.Write($"{ToStartOfLine}{EraseRest}");
            _open = false;
        }
    }
}
