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
        ("lanes", "lanes of the pool (1)"),
        ("rounds", "how often each half runs, in turn; the median counts (3)"),
        ("half", "both (default) or baseline"),
    ];

    public async IAsyncEnumerable<Figure> RunAsync(BenchmarkArguments arguments)
    {
        var database = arguments.Text("database", "postgres");
        var mails = arguments.Number("mails", 20_000);
        var services = arguments.Number("services", 100);
        var lanes = arguments.Number("lanes", 1);
        var rounds = arguments.Number("rounds", 3);
        var both = arguments.Text("half", "both") == "both";

        var baseline = new MailKitLoop();
        await using var sink = await SmtpSink.StartAsync();
        await using var engine = both ? await EngineUnderTest.StartAsync(database) : null;
        var (template, pool) = (0L, 0L);
        if (engine is not null)
        {
            await engine.ImportAsync(mails);
            (template, pool) = (await engine.CreateTemplateAsync(), await engine.CreatePoolAsync(sink.Port, services, lanes));
        }

        // The first round of each is compiled while it runs and does not count: a daemon is started once and sends for months.
        var (ours, baselines) = (new List<double>(), new List<double>());
        for (var round = 0; round <= rounds; round++)
        {
            baselines.Add(await baseline.RunAsync(sink.Port, mails, services));
            if (engine is not null)
            {
                ours.Add(await engine.SendAsync(template, pool));
            }
        }

        yield return new Figure(Name, "mails/s", engine is null ? null : Statistics.Median(ours[1..]), Statistics.Median(baselines[1..]), BaselineName, new Dictionary<string, object>
        {
            ["machine"] = Machine.Describe(),
            ["database"] = database,
            ["mails"] = mails,
            ["services"] = services,
            ["lanes"] = lanes,
            ["bytesAMail"] = (int)baseline.MeanBytes(),
            ["rounds"] = rounds,
            ["ours"] = ours.Select(r => (int)r).ToArray(),
            ["baselines"] = baselines.Select(r => (int)r).ToArray(),
            ["first round"] = "warms up, not counted",
        });
    }
}
