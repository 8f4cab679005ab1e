using Edm.Testing;
using Edm.Testing.Host;
using Edm.Testing.Servers;
using Xunit.Abstractions;

namespace Edm.Host.Tests.SystemTests;

/// <summary>SIGTERM drains: what has started ends, and nothing is in doubt.</summary>
[Collection(SystemCollection.Name)]
[Trait("Category", "System")]
public sealed class TerminateTests(PostgresFixture postgres, ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public Task Five_shutdowns_in_mid_campaign_leave_nothing_unknown_on_SQLite() => TerminatedAsync(database: null);

    [Fact]
    public async Task Five_shutdowns_in_mid_campaign_leave_nothing_unknown_on_PostgreSQL() => await TerminatedAsync(await postgres.CreateDatabaseAsync());

    private async Task TerminatedAsync(string? database)
    {
        const int Shutdowns = 5;
        var random = Seed.Next(output);
        using var folder = new TempFolder();
        await using var server = new CountingSmtpServer(TimeSpan.FromMilliseconds(20));
        var options = new HostOptions { Data = folder.Path, Database = database };
        var host = await HostProcess.StartAsync(options);
        try
        {
            var campaign = await RunningCampaign.LaunchAsync(host.Api, server.Port);
            await using var watch = new LedgerWatch(campaign, server, () => host.Api, output);
            foreach (var moment in Enumerable.Range(0, Shutdowns).Select(_ => random.Next(1, campaign.Planned * 9 / 10)).Order())
            {
                await Eventually.Async(() => server.Total >= moment, Patience, $"{moment} mails have arrived ({watch.Last}, {server.Total} arrived)");
                var (exitCode, duration) = await host.TerminateAsync(TimeSpan.FromSeconds(40));
                watch.Note($"shut down in {duration.TotalSeconds:0.0} s");
                Assert.True(exitCode == 0, $"ended with {exitCode}:\n{host.Output}");
                Assert.True(duration < TimeSpan.FromSeconds(30), $"took {duration}");
                watch.Truthful();
                await host.DisposeAsync();
                host = await HostProcess.StartAsync(options);
            }

            await watch.FinishedAsync(Patience);
            await LedgerAccount.BalancesAsync(host.Api, campaign, server, mostUnknown: 0);
        }
        finally
        {
            await host.DisposeAsync();
        }
    }
}
