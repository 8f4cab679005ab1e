using Edm.Contracts;
using Edm.Engine.Services.Limits;
using Edm.Engine.Tests.Dispatch;
using Edm.Testing;
using Xunit;

namespace Edm.Engine.Tests.Stories;

/// <summary>"A service dies in mid-campaign: its mails go through others, within their quotas, and it comes back by itself."</summary>
public sealed class Story09DyingServiceTests
{
    private const int Recipients = 400;
    private const int PerDay = 80;

    private static readonly ServiceId Dying = new(1);

    [Fact]
    public async Task The_others_take_over_within_their_quotas_and_the_service_comes_back_by_itself()
    {
        using var world = new StoryWorld();
        var limits = ServiceLimits.None with { PerDay = PerDay };
        world.Mail.Services.Add(MadeUpWorld.Service(Dying.Value));
        world.Mail.Services.Add(MadeUpWorld.Service(2) with { Limits = limits });
        world.Mail.Services.Add(MadeUpWorld.Service(3) with { Limits = limits });
        var isMended = false;
        world.Mail.IsDown = service => service == Dying && world.Mail.OnTheWire.Count >= 30 && !Volatile.Read(ref isMended);
        await using var node = await world.StartAsync();

        await node.AskAsync<Accepted>(StoryWorld.Queue(Recipients));
        await Eventually.Async(() => Sent(world, 2) == PerDay && Sent(world, 3) == PerDay, StoryWorld.Patience, "the others have sent what they may");
        Assert.NotEqual(TaskPhase.Finished, (await node.LedgerAsync(StoryWorld.User, StoryWorld.Task1)).Phase);
        Volatile.Write(ref isMended, true);

        var ledger = await StoryWorld.FinishedAsync(node);

        Assert.Equal(Recipients, ledger.Counts[(int)RecipientState.Sent]);
        world.EachOnce(Recipients);
        Assert.Equal((PerDay, PerDay, Recipients - (2 * PerDay)), (Sent(world, 2), Sent(world, 3), Sent(world, Dying.Value)));
    }

    private static int Sent(StoryWorld world, long service) => world.Mail.OnTheWire.Count(mail => mail.Service.Value == service);
}
