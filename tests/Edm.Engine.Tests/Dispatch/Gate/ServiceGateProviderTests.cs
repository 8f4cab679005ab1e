using Edm.Contracts;
using Edm.Engine.Dispatch;
using Edm.Engine.Services;
using Edm.Engine.Services.Limits;
using Edm.Engine.Services.Replies;
using Xunit;

namespace Edm.Engine.Tests.Dispatch.Gate;

/// <summary>What one recipient's provider says holds for it, and what is said before there is a recipient holds for the service.</summary>
public sealed class ServiceGateProviderTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    private readonly ServiceGate gate = new(MadeUpWorld.Service(1), new StartLogSnapshot(new ServiceId(1), 0, [], []), new Random(1), Noon);

    [Fact]
    public void A_provider_that_finds_it_too_fast_gets_half_of_the_last_minute_and_the_others_all()
    {
        for (var i = 0; i < 40; i++)
        {
            Send(MailboxProvider.Gmail, ServiceAnswer.Taken, Noon);
        }

        var told = Send(MailboxProvider.Gmail, TooFast(ReplyStage.Rcpt), Noon)!;

        Assert.Equal((0, 60_000 / 20.0), (told.Providers[(int)MailboxProvider.Gmail].Room, told.Providers[(int)MailboxProvider.Gmail].EveryMs));
        Assert.Equal(Noon.AddSeconds(3), At(told, MailboxProvider.Gmail));
        Assert.Equal(int.MaxValue, told.Providers[(int)MailboxProvider.Outlook].Room);
        Assert.False(Offer(MailboxProvider.Gmail, Noon));
        Assert.True(Offer(MailboxProvider.Outlook, Noon));
        Assert.True(Offer(MailboxProvider.Gmail, Noon.AddSeconds(3)));
        Assert.False(Offer(MailboxProvider.Gmail, Noon.AddSeconds(3)));
    }

    [Fact]
    public void What_a_provider_asks_to_wait_is_waited_there_and_the_choice_is_told_when_it_is_over()
    {
        Send(MailboxProvider.QQ, TooFast(ReplyStage.Data, TimeSpan.FromSeconds(90)), Noon);
        Assert.False(Offer(MailboxProvider.QQ, Noon.AddSeconds(89)));
        Assert.True(Offer(MailboxProvider.Other, Noon.AddSeconds(89)));
        gate.Grant(Noon.AddSeconds(89), 4);

        var next = gate.NextAt(Noon.AddSeconds(89))!.Value;

        Assert.InRange(next, Noon.AddSeconds(90), Noon.AddMinutes(3));
        Assert.True(gate.Grant(next, 3).Standing!.Providers[(int)MailboxProvider.QQ].Room > 0);
    }

    [Theory]
    [InlineData(ReplyStage.Mail)]
    [InlineData(ReplyStage.None)]
    public void What_is_said_before_there_is_a_recipient_holds_for_the_service(ReplyStage stage)
    {
        Send(MailboxProvider.Gmail, TooFast(stage, TimeSpan.FromSeconds(90)), Noon);

        Assert.Equal(0, gate.Grant(Noon.AddSeconds(89), 4).Credits);
        Assert.True(gate.NextAt(Noon.AddSeconds(89)) >= Noon.AddSeconds(90));
    }

    [Fact]
    public void A_greeting_that_asks_to_wait_is_obeyed()
    {
        gate.Grant(Noon, 4);

        Assert.True(gate.Faulted(Noon, "421 too many connections", ReplyClassifier.Of("421 4.7.0 Too many connections, try again in 60 seconds")));

        Assert.Null(gate.LeftAloneUntil);
        Assert.Equal(0, gate.Grant(Noon.AddSeconds(59), 4).Credits);
    }

    [Fact]
    public void A_provider_that_blocks_the_service_is_left_in_peace_and_then_tried_by_one_mail_at_a_time()
    {
        Assert.Equal(0, Send(MailboxProvider.Outlook, Unwanted, Noon)!.Providers[(int)MailboxProvider.Outlook].Room);
        Assert.True(gate.IsUnwanted);
        Assert.False(Offer(MailboxProvider.Outlook, Noon.AddMinutes(59)));
        Assert.True(Offer(MailboxProvider.Gmail, Noon.AddMinutes(59)));

        // Still: twice as long. Then it takes one, and all is well.
        var later = Noon + ProviderRest.First;
        Assert.True(Offer(MailboxProvider.Outlook, later));
        Assert.False(Offer(MailboxProvider.Outlook, later));
        End(MailboxProvider.Outlook, Unwanted, later);
        Assert.False(Offer(MailboxProvider.Outlook, later.AddMinutes(119)));
        later = later.AddHours(2);
        Assert.True(Offer(MailboxProvider.Outlook, later));
        End(MailboxProvider.Outlook, ServiceAnswer.Taken, later);

        Assert.True(Offer(MailboxProvider.Outlook, later) && Offer(MailboxProvider.Outlook, later));
        Assert.False(gate.IsUnwanted);
    }

    [Fact]
    public void A_mail_that_is_not_on_the_wire_yet_when_its_provider_blocks_the_service_is_bound_anew()
    {
        Assert.True(Offer(MailboxProvider.Outlook, Noon) && Offer(MailboxProvider.Outlook, Noon) && Offer(MailboxProvider.Gmail, Noon));
        End(MailboxProvider.Outlook, Unwanted, Noon);

        Assert.False(gate.TryStart(MailboxProvider.Outlook, Noon));
        Assert.True(gate.TryStart(MailboxProvider.Gmail, Noon));
    }

    [Fact]
    public void One_of_the_many_small_ones_says_nothing_of_the_others_and_three_in_a_row_do()
    {
        Send(MailboxProvider.Other, Unwanted, Noon);
        Send(MailboxProvider.Other, Unwanted, Noon);
        Send(MailboxProvider.Other, ServiceAnswer.Taken, Noon);
        Send(MailboxProvider.Other, Unwanted, Noon);
        Send(MailboxProvider.Other, Unwanted, Noon);
        Assert.True(Offer(MailboxProvider.Other, Noon));
        End(MailboxProvider.Other, Unwanted, Noon);

        Assert.False(Offer(MailboxProvider.Other, Noon));
    }

    [Fact]
    public void Who_is_refused_too_often_is_trusted_with_less_of_its_quota_for_a_while()
    {
        var young = new ServiceGate(
            MadeUpWorld.Service(1) with { Limits = ServiceLimits.None with { PerDay = 10 } }, new StartLogSnapshot(new ServiceId(1), 0, [], []), new Random(1), Noon);
        for (var i = 0; i < 5; i++)
        {
            young.Faulted(Noon);
        }

        var later = young.LeftAloneUntil!.Value;
        var sent = 0;
        for (; young.Grant(later, 1).Credits > 0; sent++)
        {
            young.Offered(MailboxProvider.Other, later);
            young.TryStart(MailboxProvider.Other, later);
            young.Started(MailboxProvider.Other, later);
            young.Ended(MailboxProvider.Other, ServiceAnswer.Taken, later);
        }

        Assert.Equal(5, sent);
        var next = young.Grant(later, 1).NextAt!.Value;
        Assert.InRange(next, later.AddSeconds(1), later.AddHours(2));
        Assert.Equal(1, young.Grant(next, 1).Credits);
    }

    private static ServiceAnswer Unwanted => new(
        OutcomeKind.Deferred, ReplyClass.PolicyOrReputationBlock, ReplyAction.Alert, 550, "5.7.1", Stage: ReplyStage.Rcpt, Reply: "5.7.1 on our block list");

    private static ServiceAnswer TooFast(ReplyStage stage, TimeSpan? asked = null) => new(
        OutcomeKind.Deferred, ReplyClass.Throttled, ReplyAction.Retry, 451, "4.7.0", asked, stage);

    private static DateTimeOffset At(Standing standing, MailboxProvider provider) => DateTimeOffset.FromUnixTimeMilliseconds(standing.Providers[(int)provider].NextMs);

    private bool Offer(MailboxProvider provider, DateTimeOffset now)
    {
        gate.Grant(now, 40);
        return gate.Offered(provider, now);
    }

    private void End(MailboxProvider provider, ServiceAnswer answer, DateTimeOffset now)
    {
        Assert.True(gate.TryStart(provider, now));
        gate.Started(provider, now);
        gate.Ended(provider, answer, now);
    }

    /// <returns>What the choice is told afterwards.</returns>
    private Standing? Send(MailboxProvider provider, ServiceAnswer answer, DateTimeOffset now)
    {
        Assert.True(Offer(provider, now));
        End(provider, answer, now);
        return gate.Grant(now, 40).Standing;
    }
}
