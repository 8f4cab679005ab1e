using System.Diagnostics;
using System.Globalization;
using Edm.Benchmarks.Send;
using Edm.Testing;
using Edm.Testing.Host;
using Edm.Testing.Servers;

namespace Edm.Benchmarks;

/// <summary>The real daemon in a process of its own, as in production, on a database of its own that survives a power cut (fsync on).</summary>
internal sealed class EngineUnderTest : IAsyncDisposable
{
    private readonly TempFolder folder;
    private readonly PostgresServer? postgres;
    private readonly HostOptions options;
    private int campaigns;
    private int pools;

    private EngineUnderTest(TempFolder folder, PostgresServer? postgres, HostOptions options, HostProcess host)
    {
        this.folder = folder;
        this.postgres = postgres;
        this.options = options;
        Host = host;
    }

    public HostProcess Host { get; private set; }

    /// <summary>Where its PostgreSQL is; null on SQLite.</summary>
    public string? Database => options.Database;

    public static async Task<EngineUnderTest> StartAsync(string database)
    {
        var folder = new TempFolder();
        var postgres = database switch
        {
            "postgres" => await PostgresServer.CreateAsync(),
            "sqlite" => null,
            _ => throw new UsageException($"Option '--database' is postgres or sqlite, and got '{database}'."),
        };
        var options = new HostOptions
        {
            Data = folder.Combine("data"),
            Database = postgres is null ? null : await postgres.CreateDatabaseAsync(),
            Environment = "production",
        };
        return new EngineUnderTest(folder, postgres, options, await HostProcess.StartAsync(options));
    }

    /// <summary>SIGKILL, and at once a new process on the same data; it is not ready yet.</summary>
    public async Task KillAndLaunchAsync()
    {
        await Host.KillAsync();
        var dead = Host;
        Host = HostProcess.Launch(options);
        await dead.DisposeAsync();
    }

    public async Task ImportAsync(int contacts)
    {
        var file = folder.Combine("contacts.csv");
        SampleContact.WriteCsv(file, contacts);
        var import = await Host.Api.ImportAsync(File.OpenRead(file));
        if (import.Created != contacts)
        {
            throw new InvalidOperationException($"Of {contacts} contacts the import made {import}.");
        }
    }

    /// <summary>A pool of services that all send to one server.</summary>
    /// <param name="dkimKey">What they sign with, in PEM; null: unsigned.</param>
    /// <param name="connections">Of each service.</param>
    public async Task<long> CreatePoolAsync(int port, int services, int lanes, string? dkimKey = null, int connections = 1, int? perMinute = null, bool enabled = true)
    {
        var suffix = ++pools == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $".{pools}");
        var pool = await Host.Api.CreatePoolAsync($"pool{suffix}", lanes);
        for (var nr = 0; nr < services; nr++)
        {
            var service = await Host.Api.CreateServiceAsync(pool, string.Create(CultureInfo.InvariantCulture, $"sender{nr}{suffix}"), port, connections, perMinute, enabled);
            if (dkimKey is not null)
            {
                await Host.Api.SignAsync(service, "edm", dkimKey);
            }
        }

        return pool;
    }

    public Task<long> CreateTemplateAsync() => Host.Api.CreateTemplateAsync("outreach", Outreach.Subject, Outreach.Html, Outreach.Text);

    public async Task<(long Campaign, FrozenView Frozen)> FreezeAsync(long template, long pool)
    {
        var campaign = await Host.Api.CreateCampaignAsync(string.Create(CultureInfo.InvariantCulture, $"campaign {++campaigns}"), template, pool);
        return (campaign, await Host.Api.FreezeAsync(campaign));
    }

    /// <summary>Mails a second from the launch to the task's end.</summary>
    public async Task<double> SendAsync(long template, long pool)
    {
        var (campaign, frozen) = await FreezeAsync(template, pool);
        var watch = Stopwatch.StartNew();
        await Host.Api.LaunchAsync(campaign);
        while (true)
        {
            var task = await Host.Api.TaskAsync(frozen.TaskId);
            if (task.State == "finished")
            {
                var elapsed = watch.Elapsed;
                return task.Of("sent") == frozen.Planned
                    ? frozen.Planned / elapsed.TotalSeconds
                    : throw new InvalidOperationException($"Not everything was sent: {task}");
            }

            if (watch.Elapsed > TimeSpan.FromMinutes(10))
            {
                throw new TimeoutException($"The campaign does not end: {task}\n{Host.Output}");
            }

            await Task.Delay(100);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        if (postgres is not null)
        {
            await postgres.DisposeAsync();
        }

        folder.Dispose();
    }
}
