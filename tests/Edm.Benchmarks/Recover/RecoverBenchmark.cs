using System.Diagnostics;
using Edm.Testing;
using Edm.Testing.Servers;

namespace Edm.Benchmarks.Recover;

/// <summary>From SIGKILL in the middle of a campaign, with the next process started at once, to the first mail that this one sends.</summary>
internal sealed class RecoverBenchmark : IBenchmark
{
    /// <summary>With so many recipients queued more time is asked for.</summary>
    private const int Many = 1_000_000;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public string Name => "recover";

    public string Summary => "kill -9 to the first new mail";

    public IReadOnlyList<(string Name, string Meaning)> Options =>
    [
        ("database", "postgres (default) or sqlite"),
        ("recipients", "of the task (100000)"),
        ("services", "services of one connection each (100)"),
        ("kills", "one after the other; the slowest counts (3)"),
        ("mails", "that arrive before each kill (3000)"),
    ];

    public async IAsyncEnumerable<Figure> RunAsync(BenchmarkArguments arguments)
    {
        var database = arguments.Text("database", "postgres");
        var recipients = arguments.Number("recipients", 100_000);
        var services = arguments.Number("services", 100);
        var kills = arguments.Number("kills", 3);
        var mails = arguments.Number("mails", 3_000);

        await using var server = new CountingSmtpServer(TimeSpan.FromMilliseconds(100));
        await using var engine = await EngineUnderTest.StartAsync(database);
        await engine.ImportAsync(recipients);
        var (campaign, _) = await engine.FreezeAsync(await engine.CreateTemplateAsync(), await engine.CreatePoolAsync(server.Port, services, lanes: 1));
        await engine.Host.Api.LaunchAsync(campaign);

        var (toMail, toReady) = (new List<double>(), new List<double>());
        for (var kill = 0; kill < kills; kill++)
        {
            var target = server.Total + mails;
            await Eventually.Async(() => server.Total >= target, Patience, "mails arrive");
            var watch = Stopwatch.StartNew();
            await engine.KillAndLaunchAsync();

            // What the dead process had in the wires still arrives.
            await Eventually.Async(() => server.OpenConnections == 0, Patience, "its connections are closed");
            var before = server.Total;
            await Eventually.Async(() => server.Total > before, Patience, "the next process sends");
            toMail.Add(watch.Elapsed.TotalSeconds);
            await engine.Host.ReadyAsync();
            toReady.Add(engine.Host.StartToReady.TotalSeconds);
        }

        if (server.Total >= recipients)
        {
            throw new InvalidOperationException("The campaign came to its end before the last kill: give it more recipients.");
        }

        var asked = recipients >= Many ? 8 : 5;
        yield return new Figure(recipients >= Many ? "recover.million" : Name, "s from SIGKILL to the first new mail, the slowest", toMail.Max(), asked, $"asked: below {asked} s", new Dictionary<string, object>
        {
            ["machine"] = Machine.Describe(),
            ["database"] = database,
            ["recipients"] = recipients,
            ["services"] = services,
            ["seconds"] = toMail.Select(s => Math.Round(s, 2)).ToArray(),
            ["startToReady"] = toReady.Select(s => Math.Round(s, 2)).ToArray(),
        }) { LessIsBetter = true };
    }
}
