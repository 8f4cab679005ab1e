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
    private int campaigns;

    private EngineUnderTest(TempFolder folder, PostgresServer? postgres, HostProcess host)
    {
        this.folder = folder;
        this.postgres = postgres;
        Host = host;
    }

    public HostProcess Host { get; }

    public static async Task<EngineUnderTest> StartAsync(string database)
    {
        var folder = new TempFolder();
        var postgres = database switch
        {
            "postgres" => await PostgresServer.CreateAsync(),
            "sqlite" => null,
            _ => throw new UsageException($"Option '--database' is postgres or sqlite, and got '{database}'."),
        };
        var host = await HostProcess.StartAsync(new HostOptions
        {
            Data = folder.Combine("data"),
            Database = postgres is null ? null : await postgres.CreateDatabaseAsync(),
            Environment = "production",
        });
        return new EngineUnderTest(folder, postgres, host);
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

    /// <summary>A pool of services with one connection each.</summary>
    /// <param name="dkimKey">What they sign with, in PEM; null: unsigned.</param>
    public async Task<long> CreatePoolAsync(int port, int services, int lanes, string? dkimKey = null)
    {
        var pool = await Host.Api.CreatePoolAsync("pool", lanes);
        for (var nr = 0; nr < services; nr++)
        {
            var service = await Host.Api.CreateServiceAsync(pool, string.Create(CultureInfo.InvariantCulture, $"sender{nr}"), port, connections: 1);
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
