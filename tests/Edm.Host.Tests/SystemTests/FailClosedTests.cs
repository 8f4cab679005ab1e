using Edm.Testing;
using Edm.Testing.Host;
using Edm.Testing.Servers;
using Xunit.Abstractions;

namespace Edm.Host.Tests.SystemTests;

/// <summary>What can't be written down is not sent.</summary>
[Collection(SystemCollection.Name)]
[Trait("Category", "System")]
public sealed class FailClosedTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Without_its_journal_nothing_is_sent_and_with_it_the_campaign_goes_on_by_itself()
    {
        await using var postgres = await PostgresServer.CreateAsync();
        using var folder = new TempFolder();
        await using var server = new CountingSmtpServer(TimeSpan.FromMilliseconds(20));
        await using var host = await HostProcess.StartAsync(new HostOptions { Data = folder.Path, Database = await postgres.CreateDatabaseAsync() });
        var campaign = await RunningCampaign.LaunchAsync(host.Api, server.Port);
        await using var watch = new LedgerWatch(campaign, server, () => host.Api, output);
        await Eventually.Async(() => server.Total >= campaign.Planned / 4, Patience, $"a quarter has arrived ({watch.Last}, {server.Total} arrived)");

        await postgres.StopAsync();
        var atStop = server.Total;

        // The outage itself, not a wait for something: nothing may happen in it but the end of what had been started.
        await Task.Delay(Outage);
        var afterOutage = server.Total;
        watch.Note($"{atStop} mails when the journal stopped, {afterOutage} at the end of the outage");
        Assert.InRange(afterOutage, atStop, atStop + campaign.Connections);
        Assert.False(host.HasExited, host.Output);

        await postgres.StartAsync();
        await Eventually.Async(() => server.Total > afterOutage, Patience, "mails leave again");
        await watch.FinishedAsync(Patience);
        watch.Note("end");

        // An outage is told in lines that a person can read, the last one when it is over.
        await Eventually.Async(() => host.Output.Contains("The database answers again after", StringComparison.Ordinal), Patience, "the end of the outage is told");
        Assert.False(host.Output.Contains("   at ", StringComparison.Ordinal), $"a stack trace is in the log:\n{host.Output}");
        Assert.InRange(host.Output.Split('\n').Length, 1, 100);
        await LedgerAccount.BalancesAsync(host.Api, campaign, server, mostUnknown: campaign.Connections);
    }
}
