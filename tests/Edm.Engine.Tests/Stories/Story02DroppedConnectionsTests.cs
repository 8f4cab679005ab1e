using Edm.Contracts;
using Edm.Engine.Services.Smtp;
using Edm.Engine.Tests.Dispatch;
using Edm.Testing;
using Edm.Testing.Servers;
using Xunit;

namespace Edm.Engine.Tests.Stories;

/// <summary>
/// "The relay drops the connection every 2,500 mails, the campaign is paused and resumed 5 times: each address exactly once." Here it drops after every 20, so that there
/// are as many drops as in a campaign of a quarter of a million.
/// </summary>
public sealed class Story02DroppedConnectionsTests
{
    private const int Recipients = 2_000;
    private const int MailsAConnection = 20;
    private const int Pauses = 5;

    [Fact]
    public async Task Whatever_the_relay_drops_and_however_often_it_is_paused_each_address_gets_exactly_one_mail()
    {
        using var world = new StoryWorld();
        await using var relay = new CountingSmtpServer(TimeSpan.FromMilliseconds(10), mailsAConnection: MailsAConnection);
        world.Mail.Services.Add(MadeUpWorld.Service(1, connections: 8) with { Port = relay.Port });
        await using var node = await world.StartAsync(new SmtpTransport(new SmtpTimeouts(), () => null, TimeProvider.System));
        await node.AskAsync<Accepted>(StoryWorld.Queue(Recipients));

        for (var pause = 1; pause <= Pauses; pause++)
        {
            var mark = pause * Recipients / (Pauses + 2);
            await Eventually.Async(() => relay.Total >= mark, StoryWorld.Patience, $"{mark} mails have arrived");
            await node.AskAsync<Accepted>(new PauseTask(StoryWorld.User, StoryWorld.Task1));
            await Eventually.Async(
                async () => (await node.LedgerAsync(StoryWorld.User, StoryWorld.Task1)).Counts[(int)RecipientState.Leased] == 0, StoryWorld.Patience, "nothing is on its way");
            await node.AskAsync<Accepted>(new ResumeTask(StoryWorld.User, StoryWorld.Task1));
        }

        var ledger = await StoryWorld.FinishedAsync(node);

        Assert.Equal(Recipients, ledger.Counts[(int)RecipientState.Sent]);
        Assert.Equal(Recipients, relay.Received.Count);
        Assert.All(relay.Received, to => Assert.True(to.Value == 1, $"{to.Key} got {to.Value} mails"));
        Assert.InRange(relay.Connections, Recipients / MailsAConnection, Recipients);
    }
}
