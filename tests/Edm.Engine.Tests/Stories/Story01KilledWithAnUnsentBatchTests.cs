using Edm.Contracts;
using Edm.Engine.Dispatch;
using Edm.Engine.Queues;
using Xunit;

namespace Edm.Engine.Tests.Stories;

/// <summary>
/// "Killed with a fetched but unsent batch: nothing skipped, finished impossible." Step by step; in CrashTests the same happens to real processes, and in
/// SendingSimulationTests at every moment that there is.
/// </summary>
public sealed class Story01KilledWithAnUnsentBatchTests
{
    private const long Now = 1_767_323_045_000;

    private static readonly LaneId Lane = new(new PoolId(1), 0);

    [Fact]
    public void A_batch_that_died_with_its_lane_is_waiting_again_and_the_task_was_never_finished()
    {
        var queue = new UserQueueState(StoryWorld.User, UserQueueLimits.Default);
        Do(queue, StoryWorld.Queue(10));
        var before = Begun(new LaneState(), process: 1);
        var batch = Fetch(before, queue);
        Assert.Equal(10, batch.Fresh.Single().Count);

        // SIGKILL: of the lane there is left what it journaled, and that is nothing of this batch.
        var after = Begun(before.State, process: 2);
        Assert.Empty(queue.Consequences(Now));
        Assert.Equal(10, queue.Task(StoryWorld.Task1)!.Recipients.Count(RecipientState.Leased));

        // The queue asks, as it does when it has been waiting for a while, and hears that nobody has them.
        var question = Assert.IsType<QueryLeases>(Assert.Single(queue.Repeats(Now + 60_000), message => message is QueryLeases));
        Do(queue, after.Answer(question)!);
        Assert.Equal(10, queue.Task(StoryWorld.Task1)!.Recipients.Count(RecipientState.Waiting));
        Assert.Empty(queue.Consequences(Now));

        // And the same ten go out again, for the first time.
        Assert.Equal(batch.Fresh, Fetch(after, queue).Fresh);
        Assert.False(before.Take(batch));
        Assert.False(after.Take(batch));
    }

    private static LaneCore Begun(LaneState journaled, long process)
    {
        var lane = new LaneCore(Lane, process);
        lane.Restore(journaled.ToSnapshot());
        lane.Replay(lane.Opening(Now));
        lane.Begin(_ => false, false, Now);
        lane.AddDemand(1);
        return lane;
    }

    private static Batch Fetch(LaneCore lane, UserQueueState queue)
    {
        lane.Ready(StoryWorld.User);
        var batch = Assert.IsType<Batch>(Do(queue, Assert.Single(lane.PullMore(16, double.PositiveInfinity, Now))));
        Assert.True(lane.Take(batch));
        return batch;
    }

    private static IEdmMessage? Do(UserQueueState queue, IForUserQueue message)
    {
        var decision = queue.Decide(message, Now);
        foreach (var happened in decision.Events)
        {
            queue.Apply(happened);
        }

        return decision.Reply();
    }
}
