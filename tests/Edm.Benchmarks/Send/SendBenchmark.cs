using Edm.Testing.Servers;

namespace Edm.Benchmarks.Send;

/// <summary>How fast a campaign leaves, beside a bare MailKit loop over the same mails and as many connections, into the same sink.</summary>
internal sealed class SendBenchmark : IBenchmark
{
    private const string BaselineName = "parallel MailKit loop, kept connections, NoDelay";

    public string Name => "send";

    public string Summary => "mails a second into smtp-sink";

    public IReadOnlyList<(string Name, string Meaning)> Options =>
    [
        ("database", "postgres (default) or sqlite"),
        ("mails", "recipients of the campaign (20000)"),
        ("services", "services of one connection each (100)"),
        ("rounds", "how often each half runs, in turn; the median counts (3)"),
    ];

    public async IAsyncEnumerable<Figure> RunAsync(BenchmarkArguments arguments)
    {
        var mails = arguments.Number("mails", 20_000);
        var services = arguments.Number("services", 100);
        var rounds = arguments.Number("rounds", 3);
        var baseline = new MailKitLoop();
        await using var sink = await SmtpSink.StartAsync();
        await baseline.RunAsync(sink.Port, Math.Min(mails, 2_000), services);

        var baselines = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            baselines.Add(await baseline.RunAsync(sink.Port, mails, services));
        }

        yield return new Figure(Name, "mails/s", null, Statistics.Median(baselines), BaselineName, new Dictionary<string, object>
        {
            ["machine"] = Machine.Describe(),
            ["mails"] = mails,
            ["services"] = services,
            ["bytesAMail"] = (int)baseline.MeanBytes(),
            ["rounds"] = rounds,
            ["baselines"] = baselines.Select(b => (int)b).ToArray(),
        });
    }
}
