using Edm.Contracts;
using Edm.Engine.Queues;
using Xunit;

namespace Edm.Engine.Tests.Queues;

public sealed class TaskArchiveTests
{
    private const long Start = 1_767_323_045_000;

    private static readonly UserId User = new(42);

    /// <summary>Two finished tasks are kept whole, and of three more the number.</summary>
    private static readonly UserQueueLimits Limits = new(MaxFinishedTasks: 2, MaxArchivedTasks: 3);

    private UserQueueState state = new(User, Limits);
    private long nowMs = Start + 500_000;

    [Fact]
    public void A_task_that_was_archived_or_forgotten_is_never_begun_again()
    {
        LaunchAndFinish(1, 20);

        Assert.Equal([19, 20], state.Tasks.Select(task => task.Id.Value));
        Assert.Equal([16, 17, 18], Archived());
        Assert.Equal(Start + 15, state.Archive.ForgottenUpToMs);
        Assert.All(Enumerable.Range(16, 5), task => Assert.Equal(new Accepted(0), Again(task)));
        Assert.All(Enumerable.Range(1, 15), task => Assert.Equal(RefusalCode.Forgotten, Assert.IsType<Refused>(Again(task)).Code));
    }

    [Fact]
    public void A_task_that_never_came_is_begun_however_long_others_of_its_time_are_archived()
    {
        LaunchAndFinish(2, 6);
        Assert.Equal([2, 3, 4], Archived());

        Assert.Equal(new Accepted(1000), Answer(Launch(1, recipients: 1000)));
    }

    [Fact]
    public void What_was_launched_first_is_forgotten_first_whenever_it_ended()
    {
        LaunchAndFinish(2, 6);
        Say(Launch(1, recipients: 1));
        Say(new CancelTask(User, new TaskId(1)));
        LaunchAndFinish(7, 8);

        Assert.Equal([4, 5, 6], Archived());
        Assert.Equal(Start + 3, state.Archive.ForgottenUpToMs);
    }

    [Fact]
    public void Of_tasks_of_a_version_that_kept_no_launches_the_time_of_queueing_counts()
    {
        foreach (var task in Enumerable.Range(1, 8))
        {
            state.Apply(new TaskQueued(new TaskId(task), new PoolId(1), 1, 1, [], RetryRules.Default, UnknownPolicy.Hold, Start + (task * 1000)));
            Consequences();
        }

        Assert.Equal([4, 5, 6], Archived());
        Assert.Equal(RefusalCode.Forgotten, Assert.IsType<Refused>(Answer(Launch(3) with { LaunchedAtMs = Start + 2_990 })).Code);
        Assert.IsType<Accepted>(Answer(Launch(9) with { LaunchedAtMs = Start + 3_001 }));
    }

    [Fact]
    public void What_such_a_version_archived_stays_known_until_everything_of_its_time_is_forgotten()
    {
        state = UserQueueState.From(User, Limits, new UserQueueSnapshot(1, [], [], [], [.. Enumerable.Range(1, 100).Select(task => new TaskId(task))]));
        state.Apply(new QueueOpened(1, Start + 200));
        state = UserQueueState.From(User, Limits, state.ToSnapshot());
        state.Apply(new QueueOpened(2, Start + 300));

        // Of these the two last are kept whole and of the three before the number.
        LaunchAndFinish(196, 204);
        Assert.Equal(Start + 199, state.Archive.ForgottenUpToMs);
        Assert.All(Enumerable.Range(1, 100), task => Assert.Equal(new Accepted(0), Again(task)));

        LaunchAndFinish(205, 205);

        Assert.Empty(state.Archive.Undated);
        Assert.All(Enumerable.Range(1, 100), task => Assert.Equal(RefusalCode.Forgotten, Assert.IsType<Refused>(Again(task)).Code));
    }

    [Fact]
    public void A_launch_of_a_node_that_does_not_say_when_it_was_is_taken_while_nothing_is_forgotten()
    {
        LaunchAndFinish(1, 5);
        Assert.IsType<Accepted>(Answer(Launch(6) with { LaunchedAtMs = 0 }));

        LaunchAndFinish(7, 7);

        Assert.IsType<Refused>(Answer(Launch(8) with { LaunchedAtMs = 0 }));
    }

    /// <summary>Task n was launched at the n-th millisecond; without recipients it is finished at once.</summary>
    private static QueueTask Launch(int task, int recipients = 0) => new(
        User, new TaskId(task), new PoolId(1), 1, 1, recipients == 0 ? [] : [new Segment(new SeqRange(1, recipients))], RetryRules.Default, UnknownPolicy.Hold, Start + task);

    private void LaunchAndFinish(int first, int last)
    {
        for (var task = first; task <= last; task++)
        {
            Assert.IsType<Accepted>(Say(Launch(task)));
        }
    }

    private long[] Archived() => [.. state.ToSnapshot().Archive!.Tasks.Select(task => task.Task.Value)];

    /// <summary>The message comes once more, with recipients that would all get a second mail.</summary>
    private IEdmMessage? Again(int task) => Answer(Launch(task, recipients: 1000));

    /// <summary>What it would answer; nothing is changed.</summary>
    private IEdmMessage? Answer(IForUserQueue message) => state.Decide(message, nowMs).Reply();

    private IEdmMessage? Say(IForUserQueue message)
    {
        var decision = state.Decide(message, ++nowMs);
        foreach (var happened in decision.Events)
        {
            state.Apply(happened);
        }

        var reply = decision.Reply();
        Consequences();
        return reply;
    }

    private void Consequences()
    {
        for (var consequences = state.Consequences(++nowMs); consequences.Count > 0; consequences = state.Consequences(nowMs))
        {
            foreach (var happened in consequences)
            {
                state.Apply(happened);
            }
        }
    }
}
