using Edm.Benchmarks.Send;
using Edm.Testing.Servers;

namespace Edm.Benchmarks.Hangfire;

/// <summary>The engine beside what many build instead: one durable job a mail in Hangfire on PostgreSQL, twenty workers, MailKit with a kept connection each, into the same sink.</summary>
internal sealed class HangfireBenchmark : IBenchmark
{
    private const int Workers = 20;

    public string Name => "send.hangfire";

    public string Summary => "mails a second beside Hangfire with one job a mail";

    public IReadOnlyList<(string Name, string Meaning)> Options =>
    [
        ("mails", "of the engine's campaign (20000)"),
        ("jobs", "of Hangfire, one mail each (5000)"),
        ("services", "of the engine, of one connection each (100)"),
        ("rounds", "how often each half runs, in turn; the median counts, and the first one warms up (3)"),
    ];

    public async IAsyncEnumerable<Figure> RunAsync(BenchmarkArguments arguments)
    {
        var mails = arguments.Number("mails", 20_000);
        var jobs = arguments.Number("jobs", 5_000);
        var services = arguments.Number("services", 100);
        var rounds = arguments.Number("rounds", 3);

        await using var sink = await SmtpSink.StartAsync();
        await using var postgres = await PostgresServer.CreateAsync();
        await using var engine = await EngineUnderTest.StartAsync("postgres");
        await engine.ImportAsync(mails);
        var (template, pool) = (await engine.CreateTemplateAsync(), await engine.CreatePoolAsync(sink.Port, services, lanes: 1));
        using var hangfire = new HangfireLoop(await postgres.CreateDatabaseAsync(), sink.Port, Workers);

        var (ours, baselines) = (new List<double>(), new List<double>());
        var (ourCpu, baselineCpu) = (new List<double>(), new List<double>());
        for (var round = 0; round <= rounds; round++)
        {
            hangfire.Enqueue(jobs);
            baselines.Add(await MeasureAsync(() => hangfire.RunAsync(jobs), jobs, baselineCpu));
            ours.Add(await MeasureAsync(() => engine.SendAsync(template, pool), mails, ourCpu));
        }

        static async Task<double> MeasureAsync(Func<Task<double>> run, int count, List<double> cpu)
        {
            var before = ProcessTree.CpuTime();
            var rate = await run();
            cpu.Add((ProcessTree.CpuTime() - before).TotalMicroseconds / count);
            return rate;
        }

        yield return new Figure(Name, "mails/s", Statistics.Median(ours[1..]), Statistics.Median(baselines[1..]), "Hangfire.PostgreSql, one job a mail, 20 workers, MailKit", new Dictionary<string, object>
        {
            ["machine"] = Machine.Describe(),
            ["database"] = "postgres",
            ["mails"] = mails,
            ["services"] = services,
            ["jobs"] = jobs,
            ["enqueuing"] = "before its time begins",
            ["asked"] = "ratio at least 10",
            ["rounds"] = rounds,
            ["ours"] = ours.Select(r => (int)r).ToArray(),
            ["baselines"] = baselines.Select(r => (int)r).ToArray(),
            ["ourCpuMicrosAMail"] = ourCpu.Select(c => (int)c).ToArray(), // of daemon, database and sink
            ["baselineCpuMicrosAMail"] = baselineCpu.Select(c => (int)c).ToArray(), // of workers, database and sink
            ["first round"] = "warms up, not counted",
        });
    }
}
