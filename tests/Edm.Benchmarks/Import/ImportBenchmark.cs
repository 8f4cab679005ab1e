using System.Diagnostics;
using Edm.Testing.Host;
using Edm.Testing.Servers;

namespace Edm.Benchmarks.Import;

/// <summary>A large list through the HTTP API of a real daemon: new, and the same again; and what a campaign feels of it.</summary>
internal sealed class ImportBenchmark : IBenchmark
{
    private const double Mebibyte = 1024 * 1024;
    private const int MailsPerSecond = 500;
    private const int WarmUpRows = 200_000;

    public string Name => "import";

    public string Summary => "rows a second of a list with three tags a row, new and again; memory, also of a dry run; and mails a second beside it";

    public IReadOnlyList<(string Name, string Meaning)> Options =>
    [
        ("database", "postgres (default) or sqlite"),
        ("rows", "of the list (1000000)"),
        ("rounds", "how often, each in a database of its own; the median counts (1)"),
        ("part", "all (default), alone, dry, command or beside"),
    ];

    public async IAsyncEnumerable<Figure> RunAsync(BenchmarkArguments arguments)
    {
        var database = arguments.Text("database", "postgres");
        var rows = arguments.Number("rows", 1_000_000);
        var rounds = arguments.Number("rounds", 1);
        var part = arguments.Text("part", "all");
        using var folder = new Edm.Testing.TempFolder();
        var file = folder.Combine("list.csv");
        CreatorList.Write(file, rows);
        var conditions = new Dictionary<string, object> { ["machine"] = Machine.Describe(), ["database"] = database, ["rows"] = rows, ["bytes"] = new FileInfo(file).Length, ["rounds"] = rounds, ["warm-up"] = WarmUpRows };

        if (part is "all" or "alone")
        {
            var measured = new List<Alone>();
            for (var round = 0; round < rounds; round++)
            {
                measured.Add(await AloneAsync(database, file, rows));
            }

            double Median(Func<Alone, double> of) => Statistics.Median([.. measured.Select(of)]);
            var asked = database == "postgres" ? "" : "asked: 50,000 rows/s";
            yield return new Figure("import", "rows/s, new, three tags each", Median(m => m.First), database == "postgres" ? Median(m => m.Copy) : 50_000, database == "postgres" ? PsqlCopy.Name : asked, new Dictionary<string, object>(conditions) { ["daemonProcessorSeconds"] = Math.Round(Median(m => m.Processor), 1), ["processorMicrosecondsARow"] = Math.Round(Median(m => m.Cpu), 1), ["thoseOfTheBaseline"] = Math.Round(Median(m => m.CopyCpu), 1) });
            yield return new Figure("import.again", "rows/s, the same file, unchanged", Median(m => m.Again), Median(m => m.First), "the first time", conditions);
            yield return new Figure("import.memory", "MiB at most, of the daemon", Median(m => m.Memory), 250 / 1.048576, "asked: below 250 MB", conditions) { LessIsBetter = true };
        }

        if (part is "all" or "dry")
        {
            var tenth = folder.Combine("tenth.csv");
            CreatorList.Write(tenth, rows / 10);
            var few = await DryAsync(database, tenth, rows / 10);
            yield return new Figure("import.dry.memory", "MiB at most, of the daemon, in a dry run", await DryAsync(database, file, rows), few, "a dry run of a tenth of the rows", conditions) { LessIsBetter = true };
        }

        if (part is "all" or "command")
        {
            yield return new Figure("import.command", "MiB at most, of the command line", await CommandLineImport.PeakAsync(database, file) / Mebibyte, 250 / 1.048576, "asked: below 250 MB", conditions) { LessIsBetter = true };
        }

        if (part is "all" or "beside")
        {
            var (before, during, seconds) = await BesideAsync(database, file, rows);
            yield return new Figure("import.beside", "mails/s while a list comes in", during, before, "the same campaign just before", new Dictionary<string, object>(conditions) { ["importSeconds"] = Math.Round(seconds, 1), ["pace"] = MailsPerSecond });
        }
    }

    /// <param name="First">Rows a second, as the other two.</param>
    /// <param name="Memory">MiB.</param>
    /// <param name="Processor">Seconds of the daemon's, for the first time: what other programs on the machine don't change much.</param>
    /// <param name="Cpu">Microseconds a row of all processes, for the first time.</param>
    /// <param name="CopyCpu">The same of the baseline.</param>
    private sealed record Alone(double First, double Again, double Copy, double Memory, double Processor, double Cpu, double CopyCpu);

    private static async Task<Alone> AloneAsync(string database, string file, int rows)
    {
        var (copy, copyCpu) = (0.0, 0.0);
        if (database == "postgres")
        {
            await using var server = await PostgresServer.CreateAsync();
            var start = ProcessTree.CpuTime();
            copy = await PsqlCopy.RunAsync(server, file, rows);
            copyCpu = (ProcessTree.CpuTime() - start).TotalMicroseconds / rows;
        }

        await using var engine = await EngineUnderTest.StartAsync(database);
        await WarmUpAsync(engine.Host, file);
        using var ending = new CancellationTokenSource();
        var memory = HighestAsync(engine.Host, ending.Token);
        var before = engine.Host.ProcessorTime();
        var all = ProcessTree.CpuTime();
        var first = await ImportAsync(engine.Host, file, rows, import => import.Created);
        var processor = engine.Host.ProcessorTime() - before;
        var cpu = (ProcessTree.CpuTime() - all).TotalMicroseconds / rows;
        var again = await ImportAsync(engine.Host, file, rows, import => import.Unchanged);
        await ending.CancelAsync();
        return new Alone(rows / first, rows / again, copy, await memory, processor.TotalSeconds, cpu, copyCpu);
    }

    /// <summary>MiB at most: of what a dry run remembers nothing may grow with its file.</summary>
    private static async Task<double> DryAsync(string database, string file, int rows)
    {
        await using var engine = await EngineUnderTest.StartAsync(database);
        using var ending = new CancellationTokenSource();
        var memory = HighestAsync(engine.Host, ending.Token);
        var import = await engine.Host.Api.ImportAsync(File.OpenRead(file), dryRun: true);
        await ending.CancelAsync();
        return import.Created == rows ? await memory : throw new InvalidOperationException($"Of {rows} rows the dry run made {import}.");
    }

    /// <summary>The start of the same list as somebody else's: a daemon compiles what it does while it does it the first time, and then runs for months.</summary>
    private static async Task WarmUpAsync(HostProcess host, string file)
    {
        var user = await host.Api.PostAsync<IdView>("v1/users", new { name = "warm-up", role = "user" });
        var key = await host.Api.PostAsync<KeyView>($"v1/users/{user.Id}/keys", new { name = "warm-up" });
        using var client = new HttpClient { BaseAddress = host.Client.BaseAddress };
        client.DefaultRequestHeaders.Authorization = new("Bearer", key.Key);
        var start = string.Join('\n', File.ReadLines(file).Take(WarmUpRows + 1));
        await new EdmClient(client).ImportAsync(System.Text.Encoding.UTF8.GetBytes(start));
    }

    private sealed record KeyView(string Key);

    private static async Task<(double Before, double During, double Seconds)> BesideAsync(string database, string file, int rows)
    {
        const int Services = 50;
        var settling = TimeSpan.FromSeconds(15);
        await using var sink = await SmtpSink.StartAsync();
        await using var engine = await EngineUnderTest.StartAsync(database);
        await engine.ImportAsync(MailsPerSecond * 120);
        var template = await engine.CreateTemplateAsync();
        var pool = await engine.Host.Api.CreatePoolAsync("pool", 1);
        for (var nr = 0; nr < Services; nr++)
        {
            await engine.Host.Api.CreateServiceAsync(pool, $"sender{nr}", sink.Port, connections: 1, perMinute: MailsPerSecond * 60 / Services);
        }

        var (campaign, frozen) = await engine.FreezeAsync(template, pool);
        await engine.Host.Api.LaunchAsync(campaign);
        await Task.Delay(settling);
        var before = await RateAsync(engine.Host.Api, frozen.TaskId, () => Task.Delay(settling));
        var seconds = 0.0;
        var during = await RateAsync(engine.Host.Api, frozen.TaskId, async () => seconds = await ImportAsync(engine.Host, file, rows, import => import.Created));
        return (before, during, seconds);
    }

    private static async Task<double> RateAsync(EdmClient api, long task, Func<Task> meanwhile)
    {
        var watch = Stopwatch.StartNew();
        var sent = (await api.TaskAsync(task)).Of("sent");
        await meanwhile();
        var now = await api.TaskAsync(task);
        return now.State == "finished" ? throw new InvalidOperationException($"The campaign ended too early: {now}") : (now.Of("sent") - sent) / watch.Elapsed.TotalSeconds;
    }

    /// <summary>Seconds from the first byte to the answer.</summary>
    private static async Task<double> ImportAsync(HostProcess host, string file, int rows, Func<ImportView, long> counted)
    {
        var watch = Stopwatch.StartNew();
        var import = await host.Api.ImportAsync(File.OpenRead(file));
        return counted(import) == rows ? watch.Elapsed.TotalSeconds : throw new InvalidOperationException($"Of {rows} rows the import made {import}.");
    }

    private static async Task<double> HighestAsync(HostProcess host, CancellationToken ending)
    {
        var highest = 0.0;
        while (!ending.IsCancellationRequested)
        {
            highest = Math.Max(highest, host.ResidentMemory().Now / Mebibyte);
            await Task.Delay(100, CancellationToken.None);
        }

        return highest;
    }
}
