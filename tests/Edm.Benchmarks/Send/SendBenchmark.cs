using Edm.Engine.Services.Dkim;
using Edm.Testing.Servers;

namespace Edm.Benchmarks.Send;

/// <summary>How fast a campaign leaves, beside a bare MailKit loop over the same mails and as many connections, into the same sink.</summary>
internal sealed class SendBenchmark : IBenchmark
{
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
        ("dkim", "none (default), rsa (2,048 bits; the baseline signs through OpenSSL too) or ed25519 (the baseline signs by rsa)"),
    ];

    public async IAsyncEnumerable<Figure> RunAsync(BenchmarkArguments arguments)
    {
        var database = arguments.Text("database", "postgres");
        var mails = arguments.Number("mails", 20_000);
        var services = arguments.Number("services", 100);
        var lanes = arguments.Number("lanes", 1);
        var rounds = arguments.Number("rounds", 3);
        var both = arguments.Text("half", "both") == "both";

        var dkim = arguments.Text("dkim", "none");
        var key = dkim switch
        {
            "none" => null,
            "rsa" => DkimKey.Generate(DkimAlgorithm.Rsa),
            "ed25519" => DkimKey.Generate(DkimAlgorithm.Ed25519),
            _ => throw new UsageException($"Option '--dkim' is none, rsa or ed25519, and got '{dkim}'."),
        };
        var baseline = new MailKitLoop(key is null ? null : key.Algorithm == DkimAlgorithm.Rsa ? key.Pem : DkimKey.Generate(DkimAlgorithm.Rsa).Pem);
        await using var sink = await SmtpSink.StartAsync();
        await using var engine = both ? await EngineUnderTest.StartAsync(database) : null;
        var (template, pool) = (0L, 0L);
        if (engine is not null)
        {
            await engine.ImportAsync(mails);
            (template, pool) = (await engine.CreateTemplateAsync(), await engine.CreatePoolAsync(sink.Port, services, lanes, key?.Pem));
        }

        // The first round of each is compiled while it runs and does not count: a daemon is started once and sends for months.
        var (ours, baselines) = (new List<double>(), new List<double>());
        var (ourCpu, baselineCpu) = (new List<double>(), new List<double>());
        for (var round = 0; round <= rounds; round++)
        {
            baselines.Add(await MeasureAsync(() => baseline.RunAsync(sink.Port, mails, services), baselineCpu));
            if (engine is not null)
            {
                ours.Add(await MeasureAsync(() => engine.SendAsync(template, pool), ourCpu));
            }
        }

        async Task<double> MeasureAsync(Func<Task<double>> run, List<double> cpu)
        {
            var before = ProcessTree.CpuTime();
            var rate = await run();
            cpu.Add((ProcessTree.CpuTime() - before).TotalMicroseconds / mails);
            return rate;
        }

        yield return new Figure(key is null ? Name : $"{Name}.dkim.{dkim}", "mails/s", engine is null ? null : Statistics.Median(ours[1..]), Statistics.Median(baselines[1..]),
            key is null ? "parallel MailKit loop, kept connections, NoDelay" : "the same MailKit loop, signing by RSA through OpenSSL", new Dictionary<string, object>
        {
            ["machine"] = Machine.Describe(),
            ["database"] = database,
            ["mails"] = mails,
            ["services"] = services,
            ["lanes"] = lanes,
            ["dkim"] = dkim,
            ["bytesAMail"] = (int)baseline.MeanBytes(),
            ["rounds"] = rounds,
            ["ours"] = ours.Select(r => (int)r).ToArray(),
            ["baselines"] = baselines.Select(r => (int)r).ToArray(),
            ["ourCpuMicrosAMail"] = ourCpu.Select(c => (int)c).ToArray(), // of daemon, database and sink
            ["baselineCpuMicrosAMail"] = baselineCpu.Select(c => (int)c).ToArray(), // of loop and sink
            ["first round"] = "warms up, not counted",
        });
    }
}
