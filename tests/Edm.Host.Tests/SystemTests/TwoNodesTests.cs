using System.Security.Cryptography;
using Edm.Testing;
using Edm.Testing.Host;
using Edm.Testing.Servers;
using Xunit.Abstractions;

namespace Edm.Host.Tests.SystemTests;

/// <summary>Two daemons on one PostgreSQL: one dies in mid-campaign, the other finishes, and the account is the same.</summary>
[Collection(SystemCollection.Name)]
[Trait("Category", "System")]
public sealed class TwoNodesTests(PostgresFixture postgres, ITestOutputHelper output)
{
    private const int Lanes = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    [Fact]
    public Task When_the_oldest_node_is_killed_the_other_finishes() => KilledAsync(killOldest: true);

    [Fact]
    public Task When_the_youngest_node_is_killed_the_other_finishes() => KilledAsync(killOldest: false);

    private async Task KilledAsync(bool killOldest)
    {
        using var folder = new TempFolder();
        await using var server = new CountingSmtpServer(TimeSpan.FromMilliseconds(20));
        var ports = FreePort.Next(2);
        var first = new HostOptions
        {
            Data = folder.Combine("first"),
            Database = await postgres.CreateDatabaseAsync(),
            ClusterPort = ports[0],
            Seeds = $"127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}",
            MasterKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)),
        };
        await using var oldest = await HostProcess.StartAsync(first);
        await using var youngest = await HostProcess.StartAsync(first with { Data = folder.Combine("second"), ClusterPort = ports[1], AdminKey = oldest.AdminKey });
        await Eventually.Async(async () => (await youngest.Api.ClusterAsync()).Nodes.Count(n => n.Status == "up") == 2, TimeSpan.FromSeconds(60), "both nodes are up");
        var (victim, survivor) = killOldest ? (oldest, youngest) : (youngest, oldest);

        var campaign = await RunningCampaign.LaunchAsync(survivor.Api, server.Port, Lanes);
        await using var watch = new LedgerWatch(campaign, server, () => survivor.Api, output);
        await Eventually.Async(() => server.Total >= campaign.Planned / 4, Patience, $"a quarter has arrived ({watch.Last}, {server.Total} arrived)");
        var cluster = await survivor.Api.ClusterAsync();
        output.WriteLine(string.Join("; ", cluster.Nodes));
        Assert.All(cluster.Nodes, node => Assert.True(node.Entities > 0, $"{node} has no entities"));

        await victim.KillAsync();
        watch.Note("killed");
        await watch.FinishedAsync(Patience);
        watch.Note("end");
        await LedgerAccount.BalancesAsync(survivor.Api, campaign, server, mostUnknown: campaign.Connections);
    }
}
