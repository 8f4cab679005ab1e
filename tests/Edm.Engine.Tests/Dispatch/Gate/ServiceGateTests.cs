using Edm.Contracts;
using Edm.Engine.Dispatch;
using Edm.Engine.Services;
using Edm.Engine.Services.Limits;
using Edm.Engine.Services.Replies;
using Xunit;

namespace Edm.Engine.Tests.Dispatch.Gate;

public sealed class ServiceGateTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Without_limits_every_free_connection_has_a_credit()
    {
        var gate = Of(MadeUpWorld.Service(1));

        Assert.Equal(4, gate.Grant(Noon, 4).Credits);
        Assert.Equal(0, gate.Grant(Noon, 4).Credits);
        Assert.Equal(2, gate.Grant(Noon, 6).Credits);
    }

    [Fact]
    public void An_idle_service_saves_up_no_more_than_its_pace_holds()
    {
        var gate = Of(MadeUpWorld.Service(1, connections: 32, perMinute: 60));
        Assert.Equal(Noon.AddSeconds(1), gate.Grant(Noon, 32).NextAt);

        Assert.Equal(1, gate.Grant(Noon.AddMinutes(10), 32).Credits);
        Assert.Equal(new Granting(0, null, null), gate.Grant(Noon.AddMinutes(20), 32));

        Assert.True(gate.Offered(MailboxProvider.Other, Noon.AddMinutes(20)));
        Assert.Equal(Noon.AddMinutes(20).AddSeconds(1), gate.NextAt(Noon.AddMinutes(20)));
    }

    [Fact]
    public void A_mail_whose_way_took_so_long_that_the_window_has_closed_is_bound_anew()
    {
        var gate = Of(MadeUpWorld.Service(1) with
        {
            Limits = ServiceLimits.None with { Windows = [new SendingWindow([DayOfWeek.Saturday], new TimeOnly(9, 0), new TimeOnly(12, 1))] },
        });
        gate.Grant(Noon, 4);
        Assert.True(gate.Offered(MailboxProvider.Gmail, Noon));
        Assert.True(gate.Offered(MailboxProvider.Gmail, Noon));

        Assert.True(gate.TryStart(MailboxProvider.Gmail, Noon.AddSeconds(59)));
        Assert.False(gate.TryStart(MailboxProvider.Gmail, Noon.AddSeconds(60)));
        Assert.False(gate.Offered(MailboxProvider.Gmail, Noon.AddSeconds(60)));
    }

    [Fact]
    public void A_probe_that_never_gets_as_far_as_the_service_leaves_the_next_one_its_turn()
    {
        var gate = Of(MadeUpWorld.Service(1));
        for (var i = 0; i < CircuitBreaker.Threshold; i++)
        {
            gate.Faulted(Noon);
        }

        var later = gate.LeftAloneUntil!.Value;
        Assert.Equal((0, later), Granted(gate, Noon, 4));
        Assert.Equal(1, gate.Grant(later, 4).Credits);
        Assert.True(gate.Offered(MailboxProvider.Other, later));
        Assert.Equal(0, gate.Grant(later, 3).Credits);

        // Its template was broken, its task recalled, …
        gate.Dropped(MailboxProvider.Other);

        Assert.Equal(1, gate.Grant(later, 4).Credits);
    }

    [Fact]
    public void An_answer_of_any_kind_ends_the_rest_and_its_own_refusal_to_work_for_us_does_not()
    {
        var gate = Of(MadeUpWorld.Service(1));
        for (var i = 0; i < CircuitBreaker.Threshold; i++)
        {
            Send(gate, new ServiceAnswer(OutcomeKind.Deferred, ReplyClass.RelayDenied, ReplyAction.Pause, 550), Noon);
        }

        var later = gate.LeftAloneUntil!.Value;
        Assert.Equal(Noon + CircuitBreaker.FirstPause, later);
        Send(gate, new ServiceAnswer(OutcomeKind.Failed, ReplyClass.NoSuchUser, ReplyAction.Suppress, 550), later);

        Assert.Null(gate.LeftAloneUntil);
        Assert.Equal(4, gate.Grant(later, 4).Credits);
    }

    [Fact]
    public void Credits_that_are_void_are_granted_again_when_they_can_be_used()
    {
        var gate = Of(MadeUpWorld.Service(1));
        gate.Grant(Noon, 4);
        gate.Configure(MadeUpWorld.Service(1, connections: 2) with { Version = 2 }, Noon);

        Assert.False(gate.Offered(MailboxProvider.Other, Noon));
        Assert.Equal(2, gate.Grant(Noon, 2).Credits);
        gate.Stop();
        Assert.False(gate.Offered(MailboxProvider.Other, Noon));
        Assert.Equal(default, gate.Grant(Noon, 2));
    }

    [Fact]
    public void Between_two_mails_lies_the_gap_counted_from_the_start()
    {
        var gate = Of(MadeUpWorld.Service(1) with { Limits = ServiceLimits.None with { Gap = TimeSpan.FromSeconds(30) } });
        var first = Noon.AddSeconds(30);
        Assert.Equal(0, gate.Grant(Noon, 4).Credits);
        Assert.Equal(1, gate.Grant(first, 4).Credits);
        Assert.True(gate.Offered(MailboxProvider.Other, first));
        Assert.True(gate.TryStart(MailboxProvider.Other, first.AddSeconds(20)));
        Assert.Equal(0, gate.Grant(first.AddSeconds(20), 3).Credits);
        gate.Started(MailboxProvider.Other, first.AddSeconds(20));

        Assert.Equal((0, first.AddSeconds(50)), Granted(gate, first.AddSeconds(20), 3));
        Assert.Equal(1, gate.Grant(first.AddSeconds(50), 3).Credits);
    }

    private static ServiceGate Of(ServiceSettings service) => new(service, new StartLogSnapshot(service.Id, 0, [], []), new Random(1), Noon);

    private static (int Credits, DateTimeOffset? NextAt) Granted(ServiceGate gate, DateTimeOffset now, int free) => gate.Grant(now, free) is var granting ? (granting.Credits, granting.NextAt) : default;

    private static void Send(ServiceGate gate, ServiceAnswer answer, DateTimeOffset now)
    {
        gate.Grant(now, 4);
        Assert.True(gate.Offered(MailboxProvider.Other, now));
        Assert.True(gate.TryStart(MailboxProvider.Other, now));
        gate.Started(MailboxProvider.Other, now);
        gate.Ended(MailboxProvider.Other, answer, now);
    }
}
