using Edm.Contracts;
using Edm.Engine.Queues;
using Xunit;

namespace Edm.Engine.Tests.Queues;

public sealed class UserQueueDecisionsTests
{
    private const long Start = 1_767_323_045_000;

    private static readonly UserId User = new(42);
    private static readonly PoolId Pool = new(1);
    private static readonly LaneId Lane = new(Pool, 0);

    private readonly UserQueueState state = new(User, UserQueueLimits.Default);
    private long nowMs = Start;
    private long pull;
    private long commit;

    [Fact]
    public void Tasks_share_by_their_priorities()
    {
        Queue(1, 10_000, priority: 1);
        Queue(2, 10_000, priority: 3);

        var served = Enumerable.Range(0, 400).Select(_ => Pull(10).Task.Value).CountBy(t => t).ToDictionary();

        Assert.Equal((100, 300), (served[1], served[2]));
    }

    [Fact]
    public void A_new_task_is_served_at_once_and_then_by_turns()
    {
        Queue(1, 10_000);
        Pulls(100);

        Queue(2, 10_000);

        AssertTurns(2, 1);
    }

    [Fact]
    public void A_new_task_does_not_profit_from_another_that_is_paused()
    {
        Queue(1, 10_000);
        Queue(2, 10_000);
        Say(new PauseTask(User, new TaskId(1)));
        Pulls(100);

        Queue(3, 10_000);

        AssertTurns(3, 2);
    }

    [Fact]
    public void A_task_that_was_paused_does_not_keep_the_others_waiting_afterwards()
    {
        Queue(1, 10_000);
        Queue(2, 10_000);
        Say(new PauseTask(User, new TaskId(1)));
        Pulls(100);

        Say(new ResumeTask(User, new TaskId(1)));

        AssertTurns(1, 2);
    }

    [Fact]
    public void A_segment_that_opens_late_does_not_keep_the_others_waiting()
    {
        Say(new QueueTask(User, new TaskId(1), Pool, 1, 1, [new Segment(new SeqRange(1, 10_000), null, Start + 1000)], RetryRules.Default, UnknownPolicy.Hold));
        Queue(2, 10_000);
        Pulls(100);

        nowMs += 1000;

        AssertTurns(1, 2);
    }

    [Fact]
    public void Failed_recipients_that_are_tried_again_do_not_keep_the_other_tasks_waiting()
    {
        Queue(1, 100);
        var batch = Pull(100);
        End(batch, OutcomeKind.Failed);
        Queue(2, 10_000);
        Pulls(100);

        Say(new RetryFailed(User, new TaskId(1)));

        AssertTurns(1, 2);
    }

    [Fact]
    public void Due_retries_go_first()
    {
        Queue(1, 1);
        End(Pull(1), OutcomeKind.Deferred);
        Queue(2, 100);
        nowMs += 60_000 * 2;

        var batch = Pull(10);

        Assert.Equal(new TaskId(1), batch.Task);
        Assert.Equal([new RetryItem(1, 2, Start)], batch.Retries);
    }

    [Fact]
    public void The_last_recipient_of_a_long_task_has_as_many_tries_as_the_first()
    {
        Queue(1, 2);
        End(Pull(1), OutcomeKind.Sent);
        nowMs += RetryRules.Default.MaxAgeSeconds * 10_000L;

        End(Pull(1), OutcomeKind.Deferred);

        Assert.Equal(RecipientState.PendingRetry, state.Task(new TaskId(1))!.Recipients[2]);
    }

    [Fact]
    public void A_recipient_that_is_deferred_for_too_long_has_failed()
    {
        Say(new QueueTask(User, new TaskId(1), Pool, 1, 1, [new Segment(new SeqRange(1, 1))], RetryRules.Default with { MaxAttempts = 1000, MaxAgeSeconds = 3600 }, UnknownPolicy.Hold));
        OutcomesRecorded recorded;
        do
        {
            recorded = End(Pull(1), OutcomeKind.Deferred, "451 busy");
            nowMs = recorded.Items[0].DueMs ?? nowMs;
        }
        while (recorded.Items[0].State == RecipientState.PendingRetry);

        Assert.InRange(nowMs - Start, 1800_000, 3600_000);
        Assert.Equal((RecipientState.Failed, "too old for another try; the last: 451 busy"), (recorded.Items[0].State, recorded.Items[0].Outcome.Reason));
    }

    [Fact]
    public void The_last_try_is_the_last()
    {
        Say(new QueueTask(User, new TaskId(1), Pool, 1, 1, [new Segment(new SeqRange(1, 1))], RetryRules.Default with { MaxAttempts = 2 }, UnknownPolicy.Hold));
        nowMs = End(Pull(1), OutcomeKind.Deferred).Items[0].DueMs!.Value;

        var recorded = End(Pull(1), OutcomeKind.Deferred, "451 busy");

        Assert.Equal((RecipientState.Failed, "gave up after 2 tries; the last: 451 busy"), (recorded.Items[0].State, recorded.Items[0].Outcome.Reason));
    }

    [Fact]
    public void Who_is_too_old_for_another_try_has_failed_also_while_the_task_is_paused()
    {
        Say(new QueueTask(User, new TaskId(1), Pool, 1, 1, [new Segment(new SeqRange(1, 1200))], RetryRules.Default with { MaxAgeSeconds = 3600 }, UnknownPolicy.Hold));
        for (var i = 0; i < 3; i++)
        {
            End(Pull(400), OutcomeKind.Deferred);
        }

        Say(new PauseTask(User, new TaskId(1)));
        nowMs = Start + 3_600_000;
        Assert.Empty(state.Consequences(nowMs));
        Assert.Equal(nowMs + 1, state.NextDueMs(nowMs));
        nowMs++;

        Assert.Equal(1200, Expire());
        Assert.Equal((0, 1200, 0), (state.PendingCount, state.Task(new TaskId(1))!.Recipients.Count(RecipientState.Failed), Pull(10).Retries.Length));
    }

    [Fact]
    public void Who_expired_in_a_lanes_hands_is_not_leased_again()
    {
        Say(new QueueTask(User, new TaskId(1), Pool, 1, 1, [new Segment(new SeqRange(1, 1))], RetryRules.Default with { MaxAgeSeconds = 3600 }, UnknownPolicy.Hold));
        nowMs = End(Pull(1), OutcomeKind.Deferred).Items[0].DueMs!.Value;
        var second = Pull(1);
        nowMs += 3_600_000;

        Say(new Returned(User, Lane, second.Lease!.Value, [new SeqRange(1, 1)]));

        Assert.Empty(Pull(1).Retries);
        Assert.Equal(1, Expire());
    }

    [Fact]
    public void Who_was_postponed_keeps_the_age_when_the_lane_gives_it_back()
    {
        Queue(1, 1);
        nowMs = End(Pull(1), OutcomeKind.Postponed).Items[0].DueMs!.Value;
        var second = Pull(1);
        Assert.Equal([new RetryItem(1, 1, Start)], second.Retries);

        Say(new Returned(User, Lane, second.Lease!.Value, [new SeqRange(1, 1)]));

        Assert.Equal([new RetryItem(1, 1, Start)], Pull(1).Retries);
    }

    [Fact]
    public void An_unknown_mail_that_is_too_old_is_held_also_where_such_mails_are_sent_again()
    {
        Say(new QueueTask(User, new TaskId(1), Pool, 1, 1, [new Segment(new SeqRange(1, 1))], RetryRules.Default with { MaxAgeSeconds = 3600 }, UnknownPolicy.Resend));
        var batch = Pull(1);
        nowMs += 3_600_001;

        Assert.Equal(RecipientState.Unknown, End(batch, OutcomeKind.Unknown).Items[0].State);
    }

    [Fact]
    public void A_task_at_its_cap_hands_out_nobody_new_until_the_cap_is_raised()
    {
        Queue(1, 100);
        Say(new ChangeTask(User, new TaskId(1), null, new TaskCap(7)));

        Assert.Equal((5, 2, 0), (Count(Pull(5)), Count(Pull(5)), Count(Pull(5))));
        Assert.False(state.HasDueWork(Lane, nowMs));
        Assert.Equal(new Accepted(0), Say(new ChangeTask(User, new TaskId(1), null, new TaskCap(7))));
        Say(new ChangeTask(User, new TaskId(1), null, new TaskCap(8)));
        Assert.Equal(1, Count(Pull(5)));
        Say(new ChangeTask(User, new TaskId(1), null, new TaskCap()));
        Assert.Equal(92, Count(Pull(100)));
    }

    [Fact]
    public void Below_what_is_out_a_cap_stops_first_tries_and_no_retry()
    {
        Queue(1, 100);
        nowMs = End(Pull(10), OutcomeKind.Deferred).Items.Max(i => i.DueMs!.Value);

        Say(new ChangeTask(User, new TaskId(1), null, new TaskCap(3)));

        Assert.Equal(10, Pull(50).Retries.Length);
        Assert.Equal(0, Count(Pull(50)));
        Assert.Empty(state.Consequences(nowMs));
    }

    [Fact]
    public void Who_goes_back_to_waiting_gives_the_place_under_the_cap_back()
    {
        Queue(1, 100);
        Say(new ChangeTask(User, new TaskId(1), null, new TaskCap(10)));
        var batch = Pull(10);

        Say(new Returned(User, Lane, batch.Lease!.Value, [new SeqRange(1, 4)]));
        Assert.Equal(4, Count(Pull(10)));
    }

    [Fact]
    public void A_priority_that_is_changed_counts_from_now_on()
    {
        Queue(1, 10_000);
        Queue(2, 10_000);
        Pulls(20);

        Assert.Equal(new Accepted(1), Say(new ChangeTask(User, new TaskId(2), 3)));

        var served = Pulls(400).CountBy(t => t).ToDictionary();
        Assert.InRange(served[2], 299, 301);
    }

    [Fact]
    public void A_policy_that_is_changed_counts_for_mails_that_become_unknown_from_now_on()
    {
        var id = new TaskId(1);
        Queue(1, 3);
        Assert.Equal(RecipientState.Unknown, Assert.Single(End(Pull(1), OutcomeKind.Unknown).Items).State);

        Assert.Equal(new Accepted(1), Say(new ChangeTask(User, id, Unknown: UnknownPolicy.Resend)));
        Assert.Equal(new Accepted(0), Say(new ChangeTask(User, id, Unknown: UnknownPolicy.Resend)));
        Assert.Equal(1, state.Task(id)!.Recipients.Count(RecipientState.Unknown));
        Assert.Equal(RecipientState.PendingRetry, Assert.Single(End(Pull(1), OutcomeKind.Unknown).Items).State);

        Assert.Equal(UnknownPolicy.Resend, UserQueueState.From(User, UserQueueLimits.Default, state.ToSnapshot()).Task(id)!.Unknown);
        Say(new ChangeTask(User, id, Unknown: UnknownPolicy.Hold));
        Assert.Equal(RecipientState.Unknown, Assert.Single(End(Pull(1), OutcomeKind.Unknown).Items).State);
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(101, null)]
    [InlineData(null, -1)]
    public void A_priority_or_a_cap_that_makes_no_sense_is_refused(int? priority, int? cap)
    {
        Queue(1, 1);

        var refused = Assert.IsType<Refused>(Say(new ChangeTask(User, new TaskId(1), priority, cap is null ? null : new TaskCap(cap))));

        Assert.Equal(RefusalCode.Invalid, refused.Code);
    }

    [Theory]
    [InlineData(true, false, 2, 0, 1)]
    [InlineData(false, true, 1, 2, 0)]
    [InlineData(true, true, 3, 0, 0)]
    public void Those_missed_wait_again_and_the_task_runs(bool cancelled, bool skipped, int waiting, int stillCancelled, int stillSkipped)
    {
        Queue(1, 4);
        End(Pull(1), OutcomeKind.Skipped);
        End(Pull(1), OutcomeKind.Sent);
        Say(new CancelTask(User, new TaskId(1)));

        Assert.Equal(new Accepted(waiting), Say(new SendToMissed(User, new TaskId(1), cancelled, skipped)));

        var task = state.Task(new TaskId(1))!;
        Assert.Equal((TaskPhase.Running, (long?)null), (task.Phase, task.FinishedAtMs));
        Assert.Equal((waiting, stillCancelled, stillSkipped, 1), (Of(RecipientState.Waiting), Of(RecipientState.Cancelled), Of(RecipientState.Skipped), Of(RecipientState.Sent)));
        Assert.Equal(waiting, Count(Pull(10)));

        int Of(RecipientState which) => task.Recipients.Count(which);
    }

    [Fact]
    public void Nobody_is_missed_yet_while_the_task_runs()
    {
        Queue(1, 4);
        End(Pull(1), OutcomeKind.Skipped);

        Assert.Equal(RefusalCode.WrongState, Assert.IsType<Refused>(Say(new SendToMissed(User, new TaskId(1), true, true))).Code);
        Assert.Equal(new Accepted(0), Say(new SendToMissed(User, new TaskId(1), true, false)));
    }

    [Fact]
    public void Unknown_mails_are_decided_once_and_a_finished_task_whose_mails_are_sent_again_runs_again()
    {
        Queue(1, 6);
        End(Pull(6), OutcomeKind.Unknown);
        var id = new TaskId(1);

        Assert.Equal(new Accepted(2), Say(new ResolveUnknown(User, id, UnknownVerdict.Sent, "key 7", [new SeqRange(2, 3), new SeqRange(3, 3), new SeqRange(99, 101)])));
        Assert.Equal(new Accepted(0), Say(new ResolveUnknown(User, id, UnknownVerdict.Resend, "key 7", [new SeqRange(2, 3)])));
        Assert.Equal(new Accepted(1), Say(new ResolveUnknown(User, id, UnknownVerdict.Failed, "key 7", [new SeqRange(6, 6)])));
        Assert.Equal(TaskPhase.Finished, state.Task(id)!.Phase);
        Assert.Equal(new Accepted(3), Say(new ResolveUnknown(User, id, UnknownVerdict.Resend, "key 7")));

        Assert.Equal(TaskPhase.Running, state.Task(id)!.Phase);
        Assert.Equal([new SeqRange(1, 1), new SeqRange(4, 5)], Pull(10).Fresh);
    }

    [Fact]
    public void A_cancelled_task_sends_nothing_again()
    {
        Queue(1, 2);
        End(Pull(1), OutcomeKind.Unknown);
        Say(new CancelTask(User, new TaskId(1)));

        Assert.Equal(RefusalCode.WrongState, Assert.IsType<Refused>(Say(new ResolveUnknown(User, new TaskId(1), UnknownVerdict.Resend, "key 7"))).Code);
        Assert.Equal(new Accepted(1), Say(new ResolveUnknown(User, new TaskId(1), UnknownVerdict.Sent, "key 7")));
    }

    [Fact]
    public void Recipients_are_listed_page_by_page()
    {
        Queue(1, 5);
        End(Pull(2), OutcomeKind.Deferred);

        Assert.Equal([1, 2, 3], List(null, 0, 3).Recipients.Select(r => r.Seq));
        Assert.Equal(3, List(null, 0, 3).Next);
        Assert.Equal([4, 5], List(null, 3, 3).Recipients.Select(r => r.Seq));
        Assert.Null(List(null, 3, 3).Next);
        Assert.Equal([3, 4, 5], List(RecipientState.Waiting, 0, 3).Recipients.Select(r => r.Seq));
        Assert.Null(List(RecipientState.Waiting, 0, 3).Next);
        var pending = Assert.Single(List(RecipientState.PendingRetry, 1, 3).Recipients);
        Assert.Equal((2, RecipientState.PendingRetry, 1), (pending.Seq, pending.State, pending.Attempts));
        Assert.True(pending.DueMs > Start);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(int.MaxValue)]
    public void After_the_last_recipient_there_is_nobody(int after)
    {
        Queue(1, 5);

        Assert.Empty(List(RecipientState.Waiting, after, 10).Recipients);
        Assert.Empty(List(null, after, 10).Recipients);
    }

    [Fact]
    public void Hundreds_of_thousands_are_queued_leased_and_settled_in_moments()
    {
        Queue(1, 200_000);

        for (var i = 0; i < 400; i++)
        {
            End(Pull(500), OutcomeKind.Sent);
        }

        Assert.Equal(200_000, state.Task(new TaskId(1))!.Recipients.Count(RecipientState.Sent));
    }

    [Fact]
    public void The_last_outcomes_of_a_task_end_it_in_the_same_write()
    {
        Queue(1, 3);
        End(Pull(1), OutcomeKind.Failed);
        Assert.Equal(TaskPhase.Running, state.Task(new TaskId(1))!.Phase);

        End(Pull(2), OutcomeKind.Sent);

        Assert.Equal(TaskPhase.Finished, state.Task(new TaskId(1))!.Phase);
        Assert.Empty(state.Consequences(nowMs));
    }

    /// <summary>What each command does to a task in each phase: how many it says were changed, or why it is refused.</summary>
    public static TheoryData<string, string, string> Commands => new()
    {
        { "running", "pause", "1" }, { "running", "resume", "0" }, { "running", "cancel", "3" }, { "running", "retry", "1" },
        { "paused", "pause", "0" }, { "paused", "resume", "1" }, { "paused", "cancel", "3" }, { "paused", "retry", "1" },
        { "cancelled", "pause", "WrongState" }, { "cancelled", "resume", "WrongState" }, { "cancelled", "cancel", "0" }, { "cancelled", "retry", "WrongState" },
        { "finished", "pause", "WrongState" }, { "finished", "resume", "WrongState" }, { "finished", "cancel", "WrongState" }, { "finished", "retry", "1" },
        { "unknown", "pause", "NoSuchTask" }, { "unknown", "resume", "NoSuchTask" }, { "unknown", "cancel", "NoSuchTask" }, { "unknown", "retry", "NoSuchTask" },
    };

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_command_does_what_the_phase_of_the_task_allows(string phase, string command, string expected)
    {
        Queue(1, 5);
        End(Pull(1), OutcomeKind.Failed);
        End(Pull(1), OutcomeKind.Deferred);
        switch (phase)
        {
            case "paused": Say(new PauseTask(User, new TaskId(1))); break;
            case "cancelled": Say(new CancelTask(User, new TaskId(1))); break;
            case "finished":
                End(Pull(3), OutcomeKind.Sent);
                nowMs += 100_000;
                End(Pull(1), OutcomeKind.Sent);
                break;
        }

        // One failed, one pending, and of the three that wait one is leased, but for the finished task.
        _ = phase is "running" or "paused" && Say(new ResumeTask(User, new TaskId(1))) is not null && Pull(1).Lease is not null;
        _ = phase is "paused" && Say(new PauseTask(User, new TaskId(1))) is not null;
        var id = new TaskId(phase == "unknown" ? 99 : 1);
        var reply = Say(command switch
        {
            "pause" => new PauseTask(User, id),
            "resume" => new ResumeTask(User, id),
            "cancel" => new CancelTask(User, id),
            _ => (IForUserQueue)new RetryFailed(User, id),
        });

        Assert.Equal(expected, reply is Accepted accepted ? $"{accepted.Changed}" : $"{((Refused)reply!).Code}");
    }

    [Fact]
    public void An_outcome_of_a_lease_that_it_never_gave_is_not_confirmed()
    {
        Queue(1, 10);
        var batch = Pull(5);
        var known = new Outcome(batch.Task, batch.Lease!.Value, 1, 1, OutcomeKind.Sent, nowMs);

        // A newer incarnation gave lease 2 and may be the only one to say that this is recorded.
        var decision = state.Decide(new Outcomes(User, Lane, 1, [known, known with { Lease = new LeaseNr(2) }]), nowMs);

        Assert.Empty(decision.Events);
        Assert.Null(decision.Reply());
    }

    public static TheoryData<string, QueueTask> Nonsense => new()
    {
        { "segments", Valid with { Segments = [new Segment(new SeqRange(2, 5))] } },
        { "segments", Valid with { Segments = [new Segment(new SeqRange(1, 5)), new Segment(new SeqRange(7, 8))] } },
        { "segments", Valid with { Segments = [new Segment(new SeqRange(1, 5)), new Segment(new SeqRange(5, 8))] } },
        { "segments", Valid with { Segments = [new Segment(new SeqRange(1, 0))] } },
        { "priority", Valid with { Priority = 0 } },
        { "priority", Valid with { Priority = 101 } },
        { "lane", Valid with { Lanes = 0 } },
        { "lane 2", Valid with { Segments = [new Segment(new SeqRange(1, 5), 2)] } },
        { "lane -1", Valid with { Segments = [new Segment(new SeqRange(1, 5), -1)] } },
        { "tries", Valid with { Retry = new RetryRules(0, 1, 1, 1) } },
        { "cap", Valid with { Cap = -1 } },
        { "negative", Valid with { Retry = new RetryRules(1, -1, 1, 1) } },
        { "negative", Valid with { Retry = new RetryRules(1, 1, -1, 1) } },
        { "negative", Valid with { Retry = new RetryRules(1, 1, 1, -1) } },
    };

    private static QueueTask Valid => new(User, new TaskId(1), Pool, 2, 1, [new Segment(new SeqRange(1, 5), 1)], RetryRules.Default, UnknownPolicy.Hold);

    [Theory]
    [MemberData(nameof(Nonsense), DisableDiscoveryEnumeration = true)]
    public void A_task_that_makes_no_sense_is_refused_with_the_reason(string about, QueueTask task)
    {
        var refused = Assert.IsType<Refused>(Say(task));

        Assert.Equal(RefusalCode.Invalid, refused.Code);
        Assert.Contains(about, refused.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(state.Tasks);
        Assert.IsType<Accepted>(Say(Valid));
    }

    private void Queue(long task, int recipients, int priority = 1) => Assert.Equal(
        new Accepted(recipients),
        Say(new QueueTask(User, new TaskId(task), Pool, 1, priority, [new Segment(new SeqRange(1, recipients))], RetryRules.Default, UnknownPolicy.Hold)));

    private Batch Pull(int max) => Assert.IsType<Batch>(Say(new Pull(User, Lane, 1, ++pull, max)));

    private static int Count(Batch batch) => batch.Fresh.Sum(r => r.Count) + batch.Retries.Length;

    /// <summary>Pulls of ten, and the tasks that they served.</summary>
    private long[] Pulls(int n) => [.. Enumerable.Range(0, n).Select(_ => Pull(10).Task.Value)];

    /// <summary>The newcomer is served at once, and has at most one turn more than the other in twenty.</summary>
    private void AssertTurns(long newcomer, long other)
    {
        var turns = Pulls(20);

        Assert.Equal(newcomer, turns[0]);
        Assert.InRange(turns.Count(t => t == newcomer), 10, 11);
        Assert.InRange(turns.Count(t => t == other), 9, 10);
    }

    private OutcomesRecorded End(Batch batch, OutcomeKind kind, string? reason = null)
    {
        var seqs = batch.Fresh.SelectMany(r => Enumerable.Range(r.First, r.Count)).Concat(batch.Retries.Select(r => r.Seq));
        var outcomes = new Outcomes(User, Lane, ++commit, [.. seqs.Select(seq => new Outcome(batch.Task, batch.Lease!.Value, seq, 1, kind, nowMs, Reason: reason))]);
        var events = state.Decide(outcomes, nowMs).Events;
        foreach (var happened in events)
        {
            state.Apply(happened);
        }

        return Assert.IsType<OutcomesRecorded>(events[0]);
    }

    /// <summary>All that follows from the time; how many expired.</summary>
    private int Expire()
    {
        var expired = 0;
        for (var events = state.Consequences(nowMs); events.Count > 0; events = state.Consequences(nowMs))
        {
            foreach (var happened in events)
            {
                state.Apply(happened);
                var now = happened is RecipientsExpired e ? e.Seqs.Sum(r => r.Count) : 0;
                Assert.InRange(now, 0, 500);
                expired += now;
            }
        }

        return expired;
    }

    private RecipientList List(RecipientState? of, int after, int limit) => Assert.IsType<RecipientList>(Say(new ListRecipients(User, new TaskId(1), of, after, limit)));

    private IEdmMessage? Say(IForUserQueue message)
    {
        var decision = state.Decide(message, nowMs);
        foreach (var happened in decision.Events)
        {
            state.Apply(happened);
        }

        return decision.Reply();
    }
}
