namespace Edm.Benchmarks.Send;

/// <summary>The template of the benchmark: a personal two-part mail of about 6 KB. The engine and the baseline get the same text.</summary>
internal static class Outreach
{
    public const string Subject = "{{ nickname }}, a partnership for @{{ handle }}?";

    public static string Html { get; } = Read("outreach.html.liquid");

    public static string Text { get; } = Read("outreach.txt.liquid");

    private static string Read(string name)
    {
        using var stream = typeof(Outreach).Assembly.GetManifestResourceStream($"Edm.Benchmarks.Send.{name}")
            ?? throw new InvalidOperationException($"{name} is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
