namespace Edm.Host.Demo;

/// <summary>The shipped list of 1,000 invented creators. What is odd in it, and how often, is told in docs/demo.md.</summary>
internal static class Creators
{
    public const string FileName = "creators.csv";

    /// <summary>For the caller to dispose; its length is known.</summary>
    public static Stream Open() => typeof(Creators).Assembly.GetManifestResourceStream(FileName)
        ?? throw new InvalidOperationException($"{FileName} is not built into the program.");
}
