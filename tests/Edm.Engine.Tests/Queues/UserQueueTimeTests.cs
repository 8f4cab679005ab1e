using Edm.Contracts;
using Edm.Engine.Queues;
using Xunit;

namespace Edm.Engine.Tests.Queues;

/// <summary>A task that is to be sent within a time: whatever its recipients wait for, at its end it is over.</summary>
public sealed class UserQueueTimeTests
{
    private const long Start = 1_767_323_045_000;
    private const int Hour = 3_600_000;

    private static readonly UserId User = new(42);
    private static readonly PoolId Pool = new(1);
    private static readonly LaneId Lane = new(Pool, 0);
    private static readonly TaskId Task = new(1);
    private static readonly RetryRules WithinAnHour = RetryRules.Default with { SendWithinSeconds = 3600 };

    private readonly UserQueueState state = new(User, UserQueueLimits.Default);
    private long nowMs = Start;
    private long pull;
    private long commit;

    private QueuedTask Queued => state.Task(Task)!;

    [Fact]
    public void At_its_end_all_who_wait_are_cancelled_in_one_event_and_what_is_on_its_way_ends()
    {
        Queue(1_000_000, WithinAnHour);
        End(Pull(2), OutcomeKind.Sent, OutcomeKind.Deferred);
        var onItsWay = Pull(3);
        Assert.InRange(state.NextDueMs(nowMs)!.Value, Start, Start + Hour);

        nowMs = Start + Hour - 1;
        Assert.Empty(Settle());
        nowMs++;
        Assert.False(state.HasDueWork(Lane, nowMs));
        Assert.Null(Pull(1).Lease);
        Assert.Equal([new TaskCancelled(Task, nowMs)], Settle());

        Assert.Equal([0, 3, 0, 1, 0, 0, 999_996, 0], Queued.Recipients.Counts());
        End(onItsWay, OutcomeKind.Sent, OutcomeKind.Deferred, OutcomeKind.Unknown);
        Settle();
        Assert.Equal((TaskPhase.Cancelled, nowMs), (Queued.Phase, Queued.FinishedAtMs));
        Assert.Equal([0, 0, 0, 2, 0, 0, 999_997, 1], Queued.Recipients.Counts());
    }

    [Fact]
    public void Its_lanes_are_told_to_give_back_what_they_have_not_started()
    {
        Queue(5, WithinAnHour);
        Pull(5);
        nowMs += Hour;

        var recalled = Settle().SelectMany(happened => state.Following(happened, nowMs)).ToArray();

        Assert.Equal(Task, Assert.IsType<RecallTask>(Assert.Single(recalled)).Task);
        Say(new Returned(User, Lane, new LeaseNr(1), [new SeqRange(1, 5)]));
        Settle();
        Assert.Equal([0, 0, 0, 0, 0, 0, 5, 0], Queued.Recipients.Counts());
        Assert.NotNull(Queued.FinishedAtMs);
    }

    [Fact]
    public void A_mail_in_doubt_stays_so_after_the_end_even_where_it_would_have_been_sent_again()
    {
        Queue(1, WithinAnHour, UnknownPolicy.Resend);
        var batch = Pull(1);
        nowMs += Hour;

        Assert.Equal(RecipientState.Unknown, End(batch, OutcomeKind.Unknown).Items[0].State);
    }

    [Fact]
    public void A_paused_task_ends_too_and_one_without_a_time_never_does()
    {
        Queue(3, WithinAnHour);
        Say(new QueueTask(User, new TaskId(2), Pool, 1, 1, [new Segment(new SeqRange(1, 3))], RetryRules.Default, UnknownPolicy.Hold, Start + 1));
        Say(new PauseTask(User, Task));
        Assert.Equal(Start + Hour, state.NextDueMs(nowMs));

        nowMs += 3650 * 24L * Hour;
        Assert.Equal([typeof(TaskCancelled), typeof(TaskFinished)], Settle().Select(happened => happened.GetType()));

        Assert.Equal((TaskPhase.Cancelled, TaskPhase.Running), (Queued.Phase, state.Task(new TaskId(2))!.Phase));
    }

    [Fact]
    public void The_time_is_changed_while_it_runs()
    {
        Queue(3, RetryRules.Default);
        Assert.Equal(new Accepted(1), Say(new ChangeTask(User, Task, Retry: WithinAnHour)));
        Assert.Equal(new Accepted(0), Say(new ChangeTask(User, Task, Retry: WithinAnHour)));
        nowMs += Hour / 2;
        Say(new ChangeTask(User, Task, Retry: WithinAnHour with { SendWithinSeconds = 7200 }));
        nowMs += Hour;
        Assert.Empty(Settle());

        Say(new ChangeTask(User, Task, Retry: WithinAnHour));

        Assert.IsType<TaskCancelled>(Settle()[0]);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(-5, 1)]
    [InlineData(60, 0)]
    public void Rules_that_make_no_sense_are_refused(int within, int attempts)
    {
        var rules = RetryRules.Default with { SendWithinSeconds = within, MaxAttempts = attempts };
        Assert.Equal(RefusalCode.Invalid, Assert.IsType<Refused>(Say(Launch(3, rules))).Code);
        Queue(3, RetryRules.Default);
        Assert.Equal(RefusalCode.Invalid, Assert.IsType<Refused>(Say(new ChangeTask(User, Task, Retry: rules))).Code);
        Assert.Equal(RetryRules.Default, Queued.Retry);
    }

    [Fact]
    public void Who_is_sent_to_after_all_is_so_without_an_end()
    {
        Queue(4, WithinAnHour);
        End(Pull(2), OutcomeKind.Failed, OutcomeKind.Skipped);
        nowMs += Hour;
        Settle();

        Assert.Equal(new Accepted(3), Say(new SendToMissed(User, Task, true, true)));

        Assert.Empty(Settle());
        Assert.Null(Queued.EndsAtMs);
        Assert.Equal([new SeqRange(2, 4)], Pull(9).Fresh);
    }

    [Fact]
    public void The_failed_and_the_unknown_that_are_sent_again_after_the_end_have_none_and_before_it_keep_it()
    {
        Queue(2, WithinAnHour);
        End(Pull(2), OutcomeKind.Failed, OutcomeKind.Unknown);
        Settle();
        Assert.Equal(TaskPhase.Finished, Queued.Phase);
        Say(new RetryFailed(User, Task));
        Assert.Equal(Start + Hour, Queued.EndsAtMs);
        End(Pull(1), OutcomeKind.Failed);
        Settle();
        nowMs += Hour;

        Assert.Equal([typeof(RetryRulesChanged), typeof(FailedRetried)], state.Decide(new RetryFailed(User, Task), nowMs).Events.Select(happened => happened.GetType()));
        Say(new ResolveUnknown(User, Task, UnknownVerdict.Resend, "key 1"));

        Assert.Empty(Settle());
        Assert.Equal((TaskPhase.Running, null), (Queued.Phase, Queued.EndsAtMs));
    }

    private static QueueTask Launch(int recipients, RetryRules rules, UnknownPolicy unknown = UnknownPolicy.Hold) =>
        new(User, Task, Pool, 1, 1, [new Segment(new SeqRange(1, recipients))], rules, unknown, Start);

    private void Queue(int recipients, RetryRules rules, UnknownPolicy unknown = UnknownPolicy.Hold) => Assert.Equal(new Accepted(recipients), Say(Launch(recipients, rules, unknown)));

    private IEdmMessage? Say(IForUserQueue message)
    {
        var decision = state.Decide(message, nowMs);
        Apply(decision.Events);
        return decision.Reply();
    }

    private List<IUserQueueEvent> Settle()
    {
        var all = new List<IUserQueueEvent>();
        for (var events = state.Consequences(nowMs); events.Count > 0; events = state.Consequences(nowMs))
        {
            Apply(events);
            all.AddRange(events);
        }

        return all;
    }

    private void Apply(IEnumerable<IUserQueueEvent> events)
    {
        foreach (var happened in events)
        {
            state.Apply(happened);
        }
    }

    private Batch Pull(int max) => Assert.IsType<Batch>(Say(new Pull(User, Lane, 1, ++pull, max)));

    /// <param name="kinds">Of the batch's recipients, in their order.</param>
    private OutcomesRecorded End(Batch batch, params OutcomeKind[] kinds)
    {
        var seqs = batch.Fresh.SelectMany(r => Enumerable.Range(r.First, r.Count)).Concat(batch.Retries.Select(r => r.Seq));
        var outcomes = new Outcomes(User, Lane, ++commit, [.. seqs.Zip(kinds, (seq, kind) => new Outcome(batch.Task, batch.Lease!.Value, seq, 1, kind, nowMs))]);
        var events = state.Decide(outcomes, nowMs).Events;
        Apply(events);
        return Assert.IsType<OutcomesRecorded>(events[0]);
    }
}
