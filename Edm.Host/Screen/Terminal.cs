namespace Edm.Host.Screen;

/// <summary>Where a command writes.</summary>
/// <param name="Rewrites">A person looks on, so a line may be written over; false for files, pipes and dumb terminals.</param>
/// <param name="Width">Columns at the moment; a window can be resized.</param>
internal sealed record Terminal(TextWriter Out, TextWriter Error, bool Rewrites, Func<int> Width)
{
    private const int UsualWidth = 80;

    public static Terminal OfProcess { get; } = new(
        Console.Out,
        Console.Error,
        !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb") || OperatingSystem.IsWindows() && !Console.IsOutputRedirected,
        WindowWidth);

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
