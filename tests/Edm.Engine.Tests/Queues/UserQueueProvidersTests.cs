using Edm.Contracts;
using Edm.Engine.Queues;
using Xunit;

namespace Edm.Engine.Tests.Queues;

/// <summary>What a queue makes of a lane's word that nobody may send to a provider, or that another service may have a mail.</summary>
public sealed class UserQueueProvidersTests
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
    public void Who_may_go_through_another_service_need_not_wait_but_for_the_last_try()
    {
        Queue(1, retry: RetryRules.Default with { MaxAttempts = 4 });
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            var batch = Pull(1);
            Assert.All(batch.Retries, retry => Assert.Equal([.. Enumerable.Range(1, attempt - 1).Select(nr => new ServiceId(nr))], retry.RefusedBy!));
            var item = End(batch, OutcomeKind.Deferred, outcome => outcome with
            {
                Service = new ServiceId(attempt), Class = ReplyClass.PolicyOrReputationBlock, Unwanted = true, ElsewhereMs = nowMs - 5,
            }).Items[0];

            Assert.Equal(attempt < 3, item.DueMs == nowMs);
            Assert.Equal(attempt + 1, state.Task(new TaskId(1))!.Pending.Find(1)!.Attempt);
            nowMs = item.DueMs!.Value;
        }

        Assert.InRange(nowMs, Start + 1_800_000, long.MaxValue);
        Assert.Equal(RecipientState.Failed, End(Pull(1), OutcomeKind.Deferred, outcome => outcome with { Unwanted = true, ElsewhereMs = nowMs }).Items[0].State);
    }

    [Fact]
    public void Another_service_that_may_have_it_later_than_the_delay_is_not_waited_for_and_a_wish_to_wait_is_obeyed()
    {
        Queue(2);
        var items = End(Pull(2), OutcomeKind.Deferred, outcome => outcome.Seq == 1
            ? outcome with { ElsewhereMs = nowMs + 86_400_000 }
            : outcome with { ElsewhereMs = nowMs, RetryAfterSeconds = 600 }).Items;

        Assert.InRange(items[0].DueMs!.Value, nowMs + 48_000, nowMs + 72_000);
        Assert.InRange(items[1].DueMs!.Value, nowMs + 600_000, nowMs + 720_000);
    }

    [Fact]
    public void Nobody_waits_behind_those_whose_provider_opens_later_however_many_they_are()
    {
        const int Capped = 25_000;
        Queue(Capped + 100);
        var opens = nowMs + 3_600_000;
        List<int> others = [];
        for (var pulls = 0; Pull(64) is { Fresh.Length: > 0 } batch; pulls++)
        {
            Assert.InRange(pulls, 0, Capped / 60);
            Assert.Empty(batch.Retries);
            others.AddRange(End(batch, OutcomeKind.Sent, outcome => outcome.Seq > Capped ? outcome : outcome with { Kind = OutcomeKind.Postponed, NotBeforeMs = opens, Provider = 1 })
                .Items.Where(item => item.State == RecipientState.Sent).Select(item => item.Outcome.Seq));
        }

        Assert.Equal(Enumerable.Range(Capped + 1, 100), others);
        Assert.Equal((0, Capped), (state.PendingCount, state.Task(new TaskId(1))!.Recipients.Count(RecipientState.Waiting)));
        Assert.False(state.HasDueWork(Lane, nowMs));
        Assert.Equal(opens, state.NextDueMs(nowMs));

        // They have no age, and are one crowd: what the lane says of one holds for all.
        nowMs = opens + (30 * 86_400_000L);
        Assert.Empty(state.Consequences(nowMs));
        Assert.Equal([new SeqRange(1, 64)], Pull(64).Fresh);
        End(Pull(64), OutcomeKind.Postponed, outcome => outcome with { NotBeforeMs = nowMs + 9_000, Provider = 1 });
        Assert.False(state.HasDueWork(Lane, nowMs));
        Assert.Equal(nowMs + 9_000, state.NextDueMs(nowMs));
    }

    [Fact]
    public void What_one_lane_can_not_send_another_may()
    {
        Queue(10, lanes: 2);
        End(Pull(10), OutcomeKind.Postponed, outcome => outcome with { NotBeforeMs = nowMs + 3_600_000, Provider = 1 });

        Assert.False(state.HasDueWork(Lane, nowMs));
        Assert.True(state.HasDueWork(new LaneId(Pool, 1), nowMs));
    }

    private IEdmMessage? Say(IForUserQueue message)
    {
        var decision = state.Decide(message, nowMs);
        foreach (var happened in decision.Events)
        {
            state.Apply(happened);
        }

        return decision.Reply();
    }

    private void Queue(int recipients, int lanes = 1, RetryRules? retry = null) => Assert.Equal(
        new Accepted(recipients),
        Say(new QueueTask(User, new TaskId(1), Pool, lanes, 1, [new Segment(new SeqRange(1, recipients))], retry ?? RetryRules.Default, UnknownPolicy.Hold)));

    private Batch Pull(int max) => Assert.IsType<Batch>(Say(new Pull(User, Lane, 1, ++pull, max)));

    private OutcomesRecorded End(Batch batch, OutcomeKind kind, Func<Outcome, Outcome> with)
    {
        var seqs = batch.Fresh.SelectMany(r => Enumerable.Range(r.First, r.Count)).Concat(batch.Retries.Select(r => r.Seq));
        var outcomes = new Outcomes(User, Lane, ++commit, [.. seqs.Select(seq => with(new Outcome(batch.Task, batch.Lease!.Value, seq, 1, kind, nowMs)))]);
        var events = state.Decide(outcomes, nowMs).Events;
        foreach (var happened in events)
        {
            state.Apply(happened);
        }

        return Assert.IsType<OutcomesRecorded>(events[0]);
    }
}
