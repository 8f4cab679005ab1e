using Edm.Contracts;
using Edm.Engine.Dispatch;
using Xunit;

namespace Edm.Engine.Tests.Dispatch;

public sealed class LaneCoreTests
{
    private const long Now = 1_767_323_045_000;

    private static readonly LaneId Lane = new(new PoolId(1), 0);
    private static readonly UserId User = new(1);

    [Fact]
    public void Each_incarnation_has_a_higher_epoch_than_the_one_before()
    {
        var first = Begun();
        var second = Begun(first);

        Assert.True(PullOf(second).Epoch > PullOf(first).Epoch);
    }

    [Fact]
    public void A_lane_answers_for_leases_of_its_own_and_of_earlier_incarnations_only()
    {
        var old = Begun();
        var current = Begun(old);
        var question = new QueryLeases(Lane, User, [new LeaseQuestion(new LeaseNr(1), PullOf(old).Epoch, 99), new LeaseQuestion(new LeaseNr(2), PullOf(current).Epoch, 99)]);

        Assert.Equal([new LeaseNr(1), new LeaseNr(2)], current.Answer(question)!.Leases);
        Assert.Equal([new LeaseNr(1)], old.Answer(question)!.Leases);
    }

    [Fact]
    public void What_may_still_come_as_the_answer_to_an_open_pull_counts_as_held()
    {
        var lane = Begun();
        var pull = PullOf(lane);

        Assert.Null(lane.Answer(new QueryLeases(Lane, User, [new LeaseQuestion(new LeaseNr(1), pull.Epoch, pull.Nr)])));
        Assert.Equal([new LeaseNr(1)], lane.Answer(new QueryLeases(Lane, User, [new LeaseQuestion(new LeaseNr(1), pull.Epoch, pull.Nr - 1)]))!.Leases);
    }

    [Fact]
    public void A_skipped_recipient_is_not_given_back_as_well()
    {
        var lane = Begun();
        var pull = PullOf(lane);
        lane.Take(new Batch(User, Lane, pull.Epoch, pull.Nr, new LeaseNr(1), new TaskId(1), [new SeqRange(1, 2)], [], false));
        lane.End(new EndedMail(User, new Outcome(new TaskId(1), new LeaseNr(1), 1, 1, OutcomeKind.Skipped, Now)));

        Assert.Equal([new SeqRange(2, 2)], Assert.Single(lane.Drain()).Seqs);
    }

    [Fact]
    public void A_lane_that_holds_a_thousand_more_than_its_connections_pulls_no_more_until_some_are_done()
    {
        var lane = Begun();
        var pull = PullOf(lane);
        lane.Take(new Batch(User, Lane, pull.Epoch, pull.Nr, new LeaseNr(1), new TaskId(1), [new SeqRange(1, 1_004)], [], true));
        lane.AddDemand(1);
        Assert.Empty(lane.PullMore(4, double.PositiveInfinity, Now));

        lane.Recall(new RecallTask(Lane, User, new TaskId(1), new LeaseNr(1)));

        Assert.Single(lane.PullMore(4, double.PositiveInfinity, Now));
    }

    [Theory]
    [InlineData(4, double.PositiveInfinity, 16)]
    [InlineData(500, double.PositiveInfinity, 64)]
    [InlineData(500, 200, 20)]
    [InlineData(500, 0.1, 1)]
    public void A_pull_asks_for_what_outlasts_it_and_no_more_than_slow_services_send_in_a_tenth_of_a_second(int connections, double perSecond, int max) =>
        Assert.Equal(max, Begun().PullMore(connections, perSecond, Now).Single().Max);

    private static LaneCore Begun(LaneCore? before = null)
    {
        var lane = new LaneCore(Lane, 1);
        if (before is not null)
        {
            lane.Restore(before.State.ToSnapshot());
        }

        lane.Replay(lane.Opening(Now));
        lane.Begin(_ => false, false, Now);
        lane.AddDemand(1);
        lane.Ready(User);
        return lane;
    }

    private static Pull PullOf(LaneCore lane)
    {
        lane.Ready(User);
        return lane.PullMore(1, double.PositiveInfinity, Now) is [var pull, ..] ? pull : lane.Repeat(Now + 2000).OfType<Pull>().Single();
    }
}
