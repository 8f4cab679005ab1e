using System.Diagnostics;
using System.Globalization;
using Edm.Contracts.Http;
using Edm.Testing.Servers;
using Npgsql;

namespace Edm.Benchmarks.Scale;

/// <summary>
/// What a mail costs with few and with many services, and with few and with many users that have work: processor time of daemon and database, from the moment
/// at which the services may send until every task is finished. Launching is not part of it, nor is the receiving server, whose own cost depends on how many of its connections
/// are in use; what it took is told besides.
/// </summary>
internal sealed class ScaleBenchmark : IBenchmark
{
    private const int FewServices = 100;

    /// <summary>Over all services, however many: a thousand mails under way are dearer than a hundred, for the server and for the processor's caches too, whoever sends them.</summary>
    private const int Connections = 1_000;

    private const int WarmUpMails = 20_000;
    private const int WarmUpUsers = 2_000;

    private static readonly int[] Services = [10, 100, 1_000];
    private static readonly int[] Users = [1, 100, 10_000];

    public string Name => "scale";

    public string Summary => "CPU a mail at 10, 100 and 1,000 services and at 1, 100 and 10,000 users with work";

    public IReadOnlyList<(string Name, string Meaning)> Options =>
    [
        ("mails", "in each measurement, over all users (200000)"),
        ("rounds", "measurements of each, in turn; the median counts (2)"),
        ("part", "both (default), services or users"),
        ("sizes", "numbers of services or users instead of these, with commas between"),
    ];

    public async IAsyncEnumerable<Figure> RunAsync(BenchmarkArguments arguments)
    {
        var mails = arguments.Number("mails", 200_000);
        var rounds = arguments.Number("rounds", 2);
        var part = arguments.Text("part", "both");
        int[]? sizes = arguments.Text("sizes", "") is { Length: > 0 } listed ? [.. listed.Split(',').Select(size => int.Parse(size, CultureInfo.InvariantCulture))] : null;

        await using var sink = await SmtpSink.StartAsync();
        await using var engine = await EngineUnderTest.StartAsync("postgres");
        await using var database = NpgsqlDataSource.Create(engine.Database!);
        await engine.ImportAsync(mails);
        var template = await engine.CreateTemplateAsync();

        // What is compiled while it runs does not count: neither what is done for each mail nor what is done for each user.
        await MeasureAsync(FewServices, 1, Math.Min(mails, WarmUpMails));
        await MeasureAsync(FewServices, Math.Min(mails, WarmUpUsers), Math.Min(mails, WarmUpMails));
        if (part is "both" or "services")
        {
            yield return await CompareAsync("scale.services", sizes ?? Services, services => MeasureAsync(services, 1, mails));
        }

        if (part is "both" or "users")
        {
            yield return await CompareAsync("scale.users", [.. (sizes ?? Users).Where(n => n <= mails)], users => MeasureAsync(FewServices, users, mails));
        }

        async Task<Figure> CompareAsync(string name, int[] sizes, Func<int, Task<Cost>> measure)
        {
            var seen = sizes.ToDictionary(size => size, _ => new List<Cost>());
            for (var round = 0; round < rounds; round++)
            {
                foreach (var size in sizes)
                {
                    seen[size].Add(await measure(size));
                }
            }

            var micros = sizes.Select(size => Statistics.Median([.. seen[size].Select(s => s.Micros)])).ToArray();
            return new Figure(name, "times: the highest CPU a mail to the lowest", micros.Max() / micros.Min(), 1.3, "asked: at most 1.3 times", new Dictionary<string, object>
            {
                ["machine"] = Machine.Describe(),
                ["database"] = "postgres",
                ["mails"] = mails,
                ["rounds"] = rounds,
                [name.Split('.')[1]] = sizes,
                ["cpuMicrosAMail"] = micros.Select(m => (int)m).ToArray(),
                ["each"] = sizes.Select(size => seen[size].Select(s => (int)s.Micros).ToArray()).ToArray(),
                ["daemon"] = Medians(cost => cost.Daemon),
                ["postgres"] = Medians(cost => cost.Database),
                ["sinkBesides"] = Medians(cost => cost.Sink),
                ["mailsASecond"] = Medians(cost => cost.Rate),
            }) { LessIsBetter = true };

            int[] Medians(Func<Cost, double> of) => [.. sizes.Select(size => (int)Statistics.Median([.. seen[size].Select(of)]))];
        }

        async Task<Cost> MeasureAsync(int services, int users, int inAll)
        {
            var pool = await engine.CreatePoolAsync(sink.Port, services, lanes: 1, connections: Math.Max(1, Connections / services), enabled: false);
            var crowd = await Crowd.CreateAsync(database, users, inAll / users, template, pool);
            await crowd.LaunchAsync();

            var before = ProcessTree.CpuTimes();
            var watch = Stopwatch.StartNew();
            await EnableAsync(pool, true);
            await crowd.FinishedAsync();
            var (after, time) = (ProcessTree.CpuTimes(), watch.Elapsed);

            var (sent, planned) = (await crowd.SentAsync(), (long)inAll / users * users);
            await EnableAsync(pool, false);
            return sent == planned
                ? new Cost(Used("dotnet"), Used("postgres"), Used("smtp-sink"), planned / time.TotalSeconds)
                : throw new InvalidOperationException($"Of {planned} mails {sent} were sent.\n{engine.Host.Output}");

            double Used(string program) => (after[program] - before[program]).TotalMicroseconds / planned;
        }

        // One word to the lane instead of a request a service, whose cost would be counted.
        async Task EnableAsync(long pool, bool enabled)
        {
            await using var change = database.CreateCommand("UPDATE services SET enabled = @enabled, version = version + 1 WHERE pool_id = @pool");
            change.Parameters.AddWithValue("enabled", enabled);
            change.Parameters.AddWithValue("pool", pool);
            await change.ExecuteNonQueryAsync();
            await engine.Host.Api.PatchAsync(string.Create(CultureInfo.InvariantCulture, $"v1/pools/{pool}"), new { weights = new SelectionWeights() });
        }
    }

    /// <summary>Microseconds of processor time a mail, by program.</summary>
    /// <param name="Rate">Mails a second.</param>
    private sealed record Cost(double Daemon, double Database, double Sink, double Rate)
    {
        public double Micros => Daemon + Database;
    }
}
