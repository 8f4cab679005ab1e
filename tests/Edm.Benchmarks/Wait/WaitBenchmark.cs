using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Edm.Testing.Host;
using Edm.Testing.Servers;

namespace Edm.Benchmarks.Wait;

/// <summary>How long a user waits who launches ten mails while others have more to send than the pool can take: from the request to launch until the mails are at the server.</summary>
internal sealed class WaitBenchmark : IBenchmark
{
    private const int Mails = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public string Name => "wait";

    public string Summary => "from the launch to the first mail of a small task while others keep the pool busy";

    public IReadOnlyList<(string Name, string Meaning)> Options =>
    [
        ("database", "postgres (default) or sqlite"),
        ("trials", "small tasks, one after the other (50)"),
        ("others", "users who keep the pool busy (5)"),
        ("recipients", "of their tasks, together (200000)"),
        ("services", "services of one connection each (100)"),
        ("pace", "mails a minute of each service (600)"),
    ];

    public async IAsyncEnumerable<Figure> RunAsync(BenchmarkArguments arguments)
    {
        var database = arguments.Text("database", "postgres");
        var trials = arguments.Number("trials", 50);
        var others = arguments.Number("others", 5);
        var recipients = arguments.Number("recipients", 200_000);
        var services = arguments.Number("services", 100);
        var pace = arguments.Number("pace", 600);

        // When something was last said of an address at the server: at its RCPT, and again at the end of its mail.
        var seen = new ConcurrentDictionary<string, long>();
        await using var server = new CountingSmtpServer(words: to =>
        {
            if (to.StartsWith("small", StringComparison.Ordinal))
            {
                seen[to] = Stopwatch.GetTimestamp();
            }

            return new SmtpWords("250 2.1.5 Ok", "250 2.0.0 Ok");
        });
        await using var engine = await EngineUnderTest.StartAsync(database);
        var pool = await engine.CreatePoolAsync(server.Port, services, lanes: 1, perMinute: pace);
        await engine.Host.Api.SharePoolAsync(pool);

        var busy = new List<Owner>();
        for (var nr = 1; nr <= others; nr++)
        {
            busy.Add(await Owner.CreateAsync(engine.Host, $"other-{nr}", "person", recipients / others, pool));
        }

        var small = new List<Owner>();
        for (var nr = 1; nr <= trials; nr++)
        {
            small.Add(await Owner.CreateAsync(engine.Host, $"small-{nr}", $"small{nr}-", Mails, pool));
        }

        foreach (var owner in busy)
        {
            await owner.LaunchAsync();
        }

        await UntilAsync(() => server.Total >= services * 10, "the pool is busy");
        var (first, last) = (new List<double>(), new List<double>());
        for (var nr = 1; nr <= trials; nr++)
        {
            var began = Stopwatch.GetTimestamp();
            await small[nr - 1].LaunchAsync();
            var addresses = Enumerable.Range(1, Mails).Select(n => $"small{nr}-{n}@example.test").ToArray();
            await UntilAsync(() => addresses.All(a => server.Received.ContainsKey(a)), $"the mails of trial {nr} are at the server");
            var moments = addresses.Select(a => Stopwatch.GetElapsedTime(began, seen[a]).TotalSeconds).ToArray();
            first.Add(moments.Min());
            last.Add(moments.Max());
        }

        if (server.Total - (trials * Mails) >= recipients / others * others)
        {
            throw new InvalidOperationException("The others came to their end before the last trial: give them more recipients.");
        }

        yield return Of("wait", first);
        yield return Of("wait.all", last);
        foreach (var owner in busy.Concat(small))
        {
            owner.Dispose();
        }

        Figure Of(string name, List<double> waits) => new(
            name, $"s, p99 from launch to {(name == "wait" ? "the first" : "the last")} of {Mails} mails", Statistics.Percentile(waits, 0.99), 1, "asked: below 1 s", new Dictionary<string, object>
            {
                ["machine"] = Machine.Describe(),
                ["database"] = database,
                ["trials"] = trials,
                ["others"] = others,
                ["theirRecipients"] = recipients,
                ["services"] = services,
                ["mailsAMinuteEach"] = pace,
                ["p50"] = Math.Round(Statistics.Percentile(waits, 0.5), 3),
                ["p90"] = Math.Round(Statistics.Percentile(waits, 0.9), 3),
                ["highest"] = Math.Round(waits.Max(), 3),
            }) { LessIsBetter = true };
    }

    private static async Task UntilAsync(Func<bool> condition, string what)
    {
        for (var watch = Stopwatch.StartNew(); !condition(); await Task.Delay(5))
        {
            if (watch.Elapsed > Patience)
            {
                throw new TimeoutException($"Waited {Patience.TotalSeconds} s in vain: {what}.");
            }
        }
    }

    /// <summary>A user with a frozen campaign.</summary>
    private sealed class Owner(HttpClient client, long campaign) : IDisposable
    {
        private readonly EdmClient api = new(client);

        public Task LaunchAsync() => api.LaunchAsync(campaign);

        public void Dispose() => client.Dispose();

        /// <param name="face">What the addresses of its contacts begin with.</param>
        public static async Task<Owner> CreateAsync(HostProcess host, string name, string face, int contacts, long pool)
        {
            var client = host.ClientOf((await host.Api.CreateUserAsync(name)).Key);
            var api = new EdmClient(client);
            var csv = new StringBuilder("email,nickname\n");
            for (var n = 1; n <= contacts; n++)
            {
                csv.Append(CultureInfo.InvariantCulture, $"{face}{n}@example.test,Person {n}\n");
            }

            await api.ImportAsync(Encoding.UTF8.GetBytes(csv.ToString()));
            var template = await api.CreateTemplateAsync("hello", "Hello {{ nickname }}", "<p>Hello {{ nickname }}</p>", "Hello {{ nickname }}");
            var campaign = await api.CreateCampaignAsync("campaign", template, pool);
            await api.FreezeAsync(campaign);
            return new Owner(client, campaign);
        }
    }
}
