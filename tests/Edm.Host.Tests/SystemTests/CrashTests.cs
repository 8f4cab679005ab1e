using Edm.Testing;
using Edm.Testing.Host;
using Edm.Testing.Servers;
using Xunit.Abstractions;

namespace Edm.Host.Tests.SystemTests;

/// <summary>The first promise: the ledger never lies, also after kill -9.</summary>
[Collection(SystemCollection.Name)]
[Trait("Category", "System")]
public sealed class CrashTests(PostgresFixture postgres, ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public Task Ten_kills_lose_nobody_and_mail_nobody_twice_on_SQLite() => KilledAsync(database: null);

    [Fact]
    public async Task Ten_kills_lose_nobody_and_mail_nobody_twice_on_PostgreSQL() => await KilledAsync(await postgres.CreateDatabaseAsync());

    private async Task KilledAsync(string? database)
    {
        const int Kills = 10;
        var random = Seed.Next(output);
        using var folder = new TempFolder();
        await using var server = new CountingSmtpServer(TimeSpan.FromMilliseconds(20));
        var options = new HostOptions { Data = folder.Path, Database = database };
        var host = await HostProcess.StartAsync(options);
        try
        {
            var campaign = await RunningCampaign.LaunchAsync(host.Api, server.Port);
            await using var watch = new LedgerWatch(campaign, server, () => host.Api, output);

            // A random moment is a random number of mails: the campaign is in its middle each time, however fast the machine.
            var moments = Enumerable.Range(0, Kills).Select(_ => random.Next(1, campaign.Planned * 9 / 10)).Order().ToArray();
            for (var kill = 0; kill < Kills; kill++)
            {
                if (kill % 4 == 3)
                {
                    // A crash on the heels of a crash: while the daemon is still starting or recovering.
                    await Task.Delay(random.Next(0, 2_500));
                }
                else
                {
                    await host.ReadyAsync();
                    await Eventually.Async(() => server.Total >= moments[kill], Patience, $"{moments[kill]} mails have arrived ({watch.Last}, {server.Total} arrived)");
                }

                watch.Note($"kill {kill + 1}");
                Assert.False(host.HasExited, host.Output);
                await host.KillAsync();
                watch.Truthful();
                await host.DisposeAsync();
                host = HostProcess.Launch(options);
            }

            await host.ReadyAsync();
            await watch.FinishedAsync(Patience);
            watch.Note("end");
            await LedgerAccount.BalancesAsync(host.Api, campaign, server, mostUnknown: campaign.Connections * Kills);
        }
        finally
        {
            await host.DisposeAsync();
        }
    }
}
