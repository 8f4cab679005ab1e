using System.Diagnostics;

namespace Edm.Benchmarks.Idle;

/// <summary>What a daemon costs that has nothing to do, and how soon it can do something.</summary>
internal sealed class IdleBenchmark : IBenchmark
{
    /// <summary>What start-up left to do, such as compiling and gathering the cluster's first gossip, is not idling.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(10);

    public string Name => "idle";

    public string Summary => "CPU share of a daemon with nothing to do, and the time from its start until it is ready";

    public IReadOnlyList<(string Name, string Meaning)> Options =>
    [
        ("database", "sqlite (default) or postgres"),
        ("seconds", "how long it is watched (60)"),
    ];

    public async IAsyncEnumerable<Figure> RunAsync(BenchmarkArguments arguments)
    {
        var database = arguments.Text("database", "sqlite");
        var seconds = arguments.Number("seconds", 60);
        var conditions = new Dictionary<string, object> { ["machine"] = Machine.Describe(), ["database"] = database, ["seconds"] = seconds };

        await using var engine = await EngineUnderTest.StartAsync(database);
        yield return new Figure("start", "s from start to ready, first start with migrations", engine.Host.StartToReady.TotalSeconds, 4, "asked: below 4 s", conditions) { LessIsBetter = true };

        await Task.Delay(Settling);
        var used = engine.Host.ProcessorTime();
        var watch = Stopwatch.StartNew();
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        var share = 100 * (engine.Host.ProcessorTime() - used) / watch.Elapsed;
        yield return new Figure(Name, "% of one core", share, 3, "asked: below 3 %", conditions) { LessIsBetter = true };
    }
}
