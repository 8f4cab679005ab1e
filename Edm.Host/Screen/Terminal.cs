namespace Edm.Host.Screen;

/// <summary>Where a command writes.</summary>
/// <param name="Rewrites">A person looks on, so a line may be written over; false for files, pipes and dumb terminals.</param>
/// <param name="Width">Columns at the moment; a window can be resized.</param>
internal sealed record Terminal(TextWriter Out, TextWriter Error, bool Rewrites, Func<int> Width)
{
    private const int UsualWidth = 80;

    public static Terminal OfProcess { get; } = new(Console.Out, Console.Error, IsScreen(Console.IsOutputRedirected), WindowWidth);

    /// <summary>For a command whose output is data: everything else goes where errors go.</summary>
    public static Terminal OfErrors { get; } = new(Console.Error, Console.Error, IsScreen(Console.IsErrorRedirected), WindowWidth);

    private static bool IsScreen(bool redirected) =>
        !redirected && (OperatingSystem.IsWindows() || Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb"));

    private static int WindowWidth()
    {
        try
        {
            return Console.WindowWidth is > 0 and var width ? width : UsualWidth;
        }
        catch (Exception exception) when (exception is IOException or PlatformNotSupportedException)
        {
            // A terminal that won't tell its size.
            return UsualWidth;
        }
    }
}
