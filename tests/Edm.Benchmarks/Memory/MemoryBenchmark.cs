using Edm.Testing.Servers;

namespace Edm.Benchmarks.Memory;

/// <summary>The second promise: a task ten times as large does not take more memory, however slowly its mails leave.</summary>
internal sealed class MemoryBenchmark : IBenchmark
{
    private const double Mebibyte = 1024 * 1024;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    public string Name => "memory";

    public string Summary => "resident memory of the daemon while it sends to many and to ten times as many";

    public IReadOnlyList<(string Name, string Meaning)> Options =>
    [
        ("database", "postgres (default) or sqlite"),
        ("recipients", "of the larger task (1000000); the smaller has a tenth"),
        ("services", "services of one connection each (100)"),
        ("seconds", "how long the sending is watched (60)"),
    ];

    public async IAsyncEnumerable<Figure> RunAsync(BenchmarkArguments arguments)
    {
        var database = arguments.Text("database", "postgres");
        var recipients = arguments.Number("recipients", 1_000_000);
        var services = arguments.Number("services", 100);
        var seconds = arguments.Number("seconds", 60);

        var smaller = await MeasureAsync(database, recipients / 10, services, seconds);
        var larger = await MeasureAsync(database, recipients, services, seconds);
        yield return new Figure(Name, "MiB at most while sending", larger.Highest, smaller.Highest, $"the same daemon sending to {recipients / 10} recipients", new Dictionary<string, object>
        {
            ["machine"] = Machine.Describe(),
            ["database"] = database,
            ["recipients"] = recipients,
            ["services"] = services,
            ["seconds"] = seconds,
            ["sink"] = "answers DATA after 1 s",
            ["median"] = new[] { (int)smaller.Median, (int)larger.Median },
            ["highestSinceStart"] = new[] { (int)smaller.SinceStart, (int)larger.SinceStart },
            ["sent"] = new[] { smaller.Sent, larger.Sent },
        }) { LessIsBetter = true };
    }

    private static async Task<(double Highest, double Median, double SinceStart, int Sent)> MeasureAsync(string database, int recipients, int services, int seconds)
    {
        await using var sink = await SmtpSink.StartAsync(dataDelay: 1);
        await using var engine = await EngineUnderTest.StartAsync(database);
        await engine.ImportAsync(recipients);
        var (campaign, frozen) = await engine.FreezeAsync(await engine.CreateTemplateAsync(), await engine.CreatePoolAsync(sink.Port, services, lanes: 1));
        await engine.Host.Api.LaunchAsync(campaign);

        var samples = new List<double>();
        for (var left = TimeSpan.FromSeconds(seconds); left > TimeSpan.Zero; left -= Pause)
        {
            await Task.Delay(Pause);
            samples.Add(engine.Host.ResidentMemory().Now / Mebibyte);
        }

        var task = await engine.Host.Api.TaskAsync(frozen.TaskId);
        return task.Of("sent") > 0
            ? (samples.Max(), Statistics.Median(samples), engine.Host.ResidentMemory().Peak / Mebibyte, task.Of("sent"))
            : throw new InvalidOperationException($"Nothing was sent while the memory was watched: {task}\n{engine.Host.Output}");
    }
}
