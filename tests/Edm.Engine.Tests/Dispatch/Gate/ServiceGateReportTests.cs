using Edm.Contracts;
using Edm.Engine.Dispatch;
using Edm.Engine.Services;
using Edm.Engine.Services.Limits;
using Edm.Engine.Services.Replies;
using Xunit;

namespace Edm.Engine.Tests.Dispatch.Gate;

public sealed class ServiceGateReportTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_service_that_can_send_says_that_nobody_wants_it_and_how_much_it_could()
    {
        var gate = Of(MadeUpWorld.Service(1, perMinute: 600) with { Limits = ServiceLimits.None with { PerDay = 5000 } });
        gate.Grant(Noon.AddMinutes(1), 4);

        var report = gate.Report(Noon.AddMinutes(1), 4);

        Assert.Equal(["nothing-to-send"], report.Reasons!.Select(reason => reason.Code));
        Assert.Equal((null, null, 1, 36_000, 5000), (report.BlockedBy, report.NextCreditMs, report.Health, report.PerHour, report.LeftToday));
        Assert.Equal("At its present pace 36,000 mails an hour; today 5,000 more.", ServiceWhy.Sentence(report.PerHour, report.LeftToday, 4));
    }

    [Fact]
    public void What_has_to_end_first_stands_first_and_the_next_moment_is_that_of_all_of_them()
    {
        var window = new SendingWindow([DayOfWeek.Sunday], new TimeOnly(9, 0), new TimeOnly(17, 0));
        var gate = Of(MadeUpWorld.Service(1) with { Enabled = true, Limits = ServiceLimits.None with { PerDay = 0, Windows = [window] } });
        Break(gate);

        var report = gate.Report(Noon, 4);

        Assert.Equal(["not-working", "ailing", "window-closed", "day-used-up"], report.Reasons!.Select(reason => reason.Code));
        Assert.Equal("It does not work and is left alone until 2026-11-28T12:00:05Z; it says: 535 5.7.8 wrong password", report.BlockedBy);
        Assert.Equal("Its sending window is closed until 2026-11-29T09:00:00Z.", report.Reasons![2].Text);
        Assert.Equal(("Its 0 mails of today are used up for good.", null), (report.Reasons![3].Text, report.Reasons![3].UntilMs));
        Assert.Equal(0, report.Health);

        gate.Configure(MadeUpWorld.Service(1) with { Limits = ServiceLimits.None with { Windows = [window] }, Version = 2 }, Noon);
        Assert.Equal(new DateTimeOffset(2026, 11, 29, 9, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds(), gate.Report(Noon, 4).NextCreditMs);
    }

    [Fact]
    public void The_same_state_gives_the_same_words_however_late_it_is()
    {
        var gate = Of(MadeUpWorld.Service(1) with { Limits = ServiceLimits.None with { PerHour = 1 } });
        Send(gate, ServiceAnswer.Taken);

        var (first, second) = (gate.Report(Noon.AddMinutes(1), 4), gate.Report(Noon.AddMinutes(2), 4));

        Assert.Equal(first.Reasons, second.Reasons);
        Assert.Equal("Its 1 mails an hour are used up until 2026-11-28T13:01:00Z.", first.BlockedBy);
    }

    [Fact]
    public void A_provider_that_does_not_want_it_is_named_and_blocks_nobody_else()
    {
        var gate = Of(MadeUpWorld.Service(1));
        Send(gate, new ServiceAnswer(OutcomeKind.Deferred, ReplyClass.PolicyOrReputationBlock, ReplyAction.Alert, 550, "5.7.1", Stage: ReplyStage.Rcpt, Reply: "5.7.1 listed"));
        gate.Grant(Noon, 4);

        var report = gate.Report(Noon, 4);

        var reason = report.Reasons!.Single(reason => reason.Code == "provider-refuses");
        Assert.Equal("It is not wanted at gmail and leaves them in peace until 2026-11-28T13:00:00Z; they say: 550 5.7.1 listed", reason.Text);
        Assert.False(reason.Blocks);
        Assert.Null(report.BlockedBy);
    }

    [Fact]
    public void Disabled_or_stopping_it_foretells_nothing()
    {
        var gate = Of(MadeUpWorld.Service(1) with { Enabled = false });
        gate.Stop();

        var report = gate.Report(Noon, 4);

        Assert.Equal(["disabled", "stopping"], report.Reasons!.Select(reason => reason.Code));
        Assert.Null(report.NextCreditMs);
    }

    [Fact]
    public void Without_an_answer_what_is_stored_is_said()
    {
        var service = new Service(
            new ServiceId(1), new LaneId(new PoolId(1), 0), "s", ServiceKind.Smtp, "h", 25, TlsMode.None, null, false, "a@example.com", null, null, null, null, null, 1, false, 1,
            "535 5.7.8 wrong password", Noon, Noon);

        var why = ServiceWhy.Of(service, null);

        Assert.Equal(["disabled", "no-answer", "last-error"], why.Reasons.Select(reason => reason.Code));
        Assert.Equal(((bool?)null, (string?)null), (why.CanSend, why.Capacity));
        Assert.Contains("535 5.7.8 wrong password", why.Reasons[2].Text, StringComparison.Ordinal);
    }

    private static ServiceGate Of(ServiceSettings service) => new(service, new StartLogSnapshot(service.Id, 0, [], []), new Random(1), Noon);

    private static void Break(ServiceGate gate)
    {
        for (var i = 0; i < CircuitBreaker.Threshold; i++)
        {
            gate.Faulted(Noon, "535 5.7.8 wrong password");
        }
    }

    private static void Send(ServiceGate gate, ServiceAnswer answer)
    {
        gate.Grant(Noon, 4);
        Assert.True(gate.Offered(MailboxProvider.Gmail, Noon));
        Assert.True(gate.TryStart(MailboxProvider.Gmail, Noon));
        gate.Started(MailboxProvider.Gmail, Noon);
        gate.Ended(MailboxProvider.Gmail, answer, Noon);
    }
}
