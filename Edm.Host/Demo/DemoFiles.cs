namespace Edm.Host.Demo;

/// <summary>What the demo brings along, built into the program.</summary>
internal static class DemoFiles
{
    /// <summary>The list of 1,000 invented creators. What is odd in it, and how often, is told in docs/demo.md.</summary>
    public const string Creators = "creators.csv";

    /// <summary>For the caller to dispose; its length is known.</summary>
    public static Stream Open(string name) => typeof(DemoFiles).Assembly.GetManifestResourceStream(name)
        ?? throw new InvalidOperationException($"{name} is not built into the program.");

    public static async Task<string> ReadAsync(string name, CancellationToken cancellation)
    {
        using var reader = new StreamReader(Open(name));
        return await reader.ReadToEndAsync(cancellation);
    }
}
