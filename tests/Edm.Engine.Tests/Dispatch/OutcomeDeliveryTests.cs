using CsCheck;
using Edm.Contracts;
using Edm.Engine.Dispatch;
using Xunit;

namespace Edm.Engine.Tests.Dispatch;

public sealed class OutcomeDeliveryTests
{
    private const long Now = 1_767_323_045_000;

    private static readonly UserId User = new(1);
    private static readonly LaneId Lane = new(new PoolId(1), 0);

    private readonly LaneState state = new();
    private readonly OutcomeDelivery delivery = new(Lane);

    [Fact]
    public void One_message_is_under_way_and_the_next_takes_all_that_ended_meanwhile()
    {
        End(1);
        var first = delivery.Next(state, User, Now)!;
        End(2, 3);
        End(4);

        Assert.Null(delivery.Next(state, User, Now));
        Assert.Equal([1], Seqs(first));
        Assert.True(delivery.Ack(Ack(first), Now));
        var second = delivery.Next(state, User, Now)!;
        Assert.Equal([2, 3, 4], Seqs(second));
        Assert.Equal(3, second.UpToCommit);
    }

    [Fact]
    public void Users_do_not_wait_for_each_other()
    {
        End(1);
        Commit([], new UserId(2), 7);
        delivery.Next(state, User, Now);

        Assert.Equal([7], Seqs(delivery.Next(state, new UserId(2), Now)!));
    }

    [Fact]
    public void A_message_holds_about_five_hundred_in_whole_commits()
    {
        End([.. Enumerable.Range(1, 300)]);
        End([.. Enumerable.Range(301, 300)]);
        End(601);

        var first = delivery.Next(state, User, Now)!;

        Assert.Equal((600, 2L), (first.Items.Length, first.UpToCommit));
    }

    [Fact]
    public void Without_an_answer_it_is_said_again_with_what_ended_meanwhile()
    {
        End(1);
        delivery.Next(state, User, Now);
        End(2);

        Assert.Empty(delivery.Overdue(state, Now + 2999));
        Assert.Equal([1, 2], Seqs(Assert.Single(delivery.Overdue(state, Now + 3000))));
        Assert.Empty(delivery.Overdue(state, Now + 3001));
    }

    [Fact]
    public void Each_time_it_waits_twice_as_long_but_never_longer_than_24_seconds()
    {
        End(1);
        delivery.Next(state, User, Now);

        Assert.Equal([3, 9, 21, 45, 69, 93], Repeats(Now, 100));
    }

    [Fact]
    public void A_queue_that_is_always_slow_is_told_everything_once()
    {
        var now = Now;
        for (var seq = 1; seq <= 20; seq++)
        {
            End(seq);
            var message = delivery.Next(state, User, now)!;
            Assert.Equal(seq == 1 ? [3, 9] : [], Repeats(now, 10));
            now += 10_000;
            Assert.True(delivery.Ack(Ack(message), now));
        }
    }

    [Fact]
    public void A_queue_that_answers_at_once_again_is_soon_trusted_again()
    {
        End(1);
        delivery.Ack(Ack(delivery.Next(state, User, Now)!), Now + 10_000);
        End(2);
        delivery.Next(state, User, Now);
        Assert.Empty(Repeats(Now, 19));
        delivery.Ack(new OutcomesAcked(Lane, User, 2), Now + 5);
        End(3);

        delivery.Next(state, User, Now);
        Assert.Equal([3], Repeats(Now, 4));
    }

    [Fact]
    public void A_late_answer_confirms_its_part_of_what_was_said_again_with_more()
    {
        End(1);
        var first = delivery.Next(state, User, Now)!;
        End(2);
        var second = Assert.Single(delivery.Overdue(state, Now + 3000));

        Assert.False(delivery.Ack(Ack(first), Now + 3001));
        Assert.Equal([new AckedOutcomes(User, 1)], delivery.TakeAcks());
        Assert.False(delivery.Ack(Ack(first), Now + 3002));
        Assert.False(delivery.HasUnjournaledAcks);
        Assert.Equal([2], Seqs(Assert.Single(delivery.Overdue(state, Now + 9000))));
        Assert.True(delivery.Ack(Ack(second), Now + 9001));
    }

    [Fact]
    public void An_answer_from_before_what_is_journaled_changes_nothing()
    {
        End(1);
        var first = delivery.Next(state, User, Now)!;
        delivery.Ack(Ack(first), Now);
        var acks = delivery.TakeAcks();
        Commit(acks, User);
        delivery.Journaled(acks);
        End(2);
        delivery.Next(state, User, Now);

        Assert.False(delivery.Ack(Ack(first), Now));
        Assert.False(delivery.HasUnjournaledAcks);
        Assert.True(delivery.IsAwaiting);
    }

    [Fact]
    public void Only_the_answer_that_was_waited_for_counts()
    {
        End(1);
        var first = delivery.Next(state, User, Now)!;

        Assert.False(delivery.Ack(Ack(first) with { UpToCommit = 99 }, Now));
        Assert.False(delivery.Ack(Ack(first) with { User = new UserId(2) }, Now));
        Assert.True(delivery.IsAwaiting);
        Assert.True(delivery.Ack(Ack(first), Now));
        Assert.False(delivery.Ack(Ack(first), Now));
        Assert.False(delivery.IsAwaiting);
    }

    [Fact]
    public void A_confirmation_is_journaled_once()
    {
        End(1);
        delivery.Ack(Ack(delivery.Next(state, User, Now)!), Now);

        Assert.True(delivery.HasUnjournaledAcks);
        Assert.Equal([new AckedOutcomes(User, 1)], delivery.TakeAcks());
        Assert.False(delivery.HasUnjournaledAcks);
        Assert.Empty(delivery.TakeAcks());
    }

    [Fact]
    public void Over_any_network_everything_is_told_in_order_and_forgotten_when_confirmed() =>
        Gen.Int[0, 7].Array[1, 120].Sample(steps =>
        {
            var (lane, tell) = (new LaneState(), new OutcomeDelivery(Lane));
            var (toQueue, toLane, recorded, seq, now) = (new List<Outcomes>(), new List<OutcomesAcked>(), new HashSet<int>(), 0, Now);
            foreach (var step in steps.Concat(Enumerable.Repeat(-1, 40)))
            {
                now += 1000;
                var calm = step < 0;
                switch (step)
                {
                    case 0 or 1:
                        Write([.. Enumerable.Range(0, 1 + step).Select(_ => Ended(++seq))]);
                        break;
                    case 2 when toQueue.Count > 0: toQueue.RemoveAt(seq % toQueue.Count); break;
                    case 3 when toQueue.Count > 0: toQueue.Add(toQueue[0]); break;
                    case 4 when toLane.Count > 0: toLane.RemoveAt(seq % toLane.Count); break;
                    case 5 when toLane.Count > 0: toLane.Add(toLane[0]); break;
                    case 6 or -1:
                        foreach (var outcomes in toQueue.AsEnumerable().Reverse().Take(calm ? 99 : 1).ToArray())
                        {
                            toQueue.Remove(outcomes);
                            recorded.UnionWith(outcomes.Items.Select(o => o.Seq));

                            // The UserQueue confirms what is durable there: everything up to that commit.
                            Assert.True(recorded.IsSupersetOf(lane.Unacked(User, 0, int.MaxValue).Outcomes.Where(o => o.AtMs <= outcomes.UpToCommit).Select(o => o.Seq)));
                            toLane.Add(Ack(outcomes));
                        }

                        break;
                }

                if (step is 7 or -1)
                {
                    foreach (var ack in toLane.Take(calm ? 99 : 1).ToArray())
                    {
                        toLane.Remove(ack);
                        if (tell.Ack(ack, now))
                        {
                            Tell(tell.Next(lane, User, now));
                        }
                    }

                    Write([]);
                }

                toQueue.AddRange(tell.Overdue(lane, now));
            }

            Assert.Equal(Enumerable.Range(1, seq), recorded.Order());
            Assert.Equal(0, lane.UnackedCount);
            Assert.False(tell.IsAwaiting);

            void Write(EndedMail[] ended)
            {
                var commit = new LaneCommitted(lane.CommitNr + 1, now, 1, [], [.. ended.Select(e => e with { Outcome = e.Outcome with { AtMs = lane.CommitNr + 1 } })], [], tell.TakeAcks());
                lane.Apply(commit);
                tell.Journaled(commit.Acked);
                Tell(tell.Next(lane, User, now));
            }

            void Tell(Outcomes? message)
            {
                if (message is not null)
                {
                    toQueue.Add(message);
                }
            }
        });

    /// <summary>After how many seconds it is said again, when somebody looks each second.</summary>
    private int[] Repeats(long from, int seconds) => [.. Enumerable.Range(1, seconds).Where(s => delivery.Overdue(state, from + (s * 1000)).Count > 0)];

    private void End(params int[] seqs) => Commit(delivery.TakeAcks(), User, seqs);

    private void Commit(AckedOutcomes[] acks, UserId user, params int[] seqs) =>
        state.Apply(new LaneCommitted(state.CommitNr + 1, Now, 1, [], [.. seqs.Select(seq => Ended(seq) with { User = user })], [], acks));

    private static EndedMail Ended(int seq) => new(User, new Outcome(new TaskId(1), new LeaseNr(1), seq, 1, OutcomeKind.Sent, 0));

    private static OutcomesAcked Ack(Outcomes outcomes) => new(Lane, outcomes.User, outcomes.UpToCommit);

    private static IEnumerable<int> Seqs(Outcomes outcomes) => outcomes.Items.Select(o => o.Seq);
}
