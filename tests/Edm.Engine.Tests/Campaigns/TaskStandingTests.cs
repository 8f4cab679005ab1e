using Edm.Contracts;
using Edm.Engine.Campaigns;
using Xunit;

namespace Edm.Engine.Tests.Campaigns;

public sealed class TaskStandingTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly PoolCondition Healthy = new(2, 2, 0, null);

    private static TaskStanding Standing(string state, int waiting = 0, int leased = 0, int pending = 0, int sent = 0, double rate = 0, DateTimeOffset? next = null)
    {
        int[] counts = [waiting, leased, pending, sent, 0, 0, 0, 0];
        var task = new TaskRecord(new TaskId(1), new CampaignId(1), "c", 1, new PoolId(1), 1, counts.Sum(), state, 0, 0, 0, 0, Now, Now, null);
        return new TaskStanding(task, state, counts, rate, next, null);
    }

    private static TaskStanding Capped(int cap, TaskStanding standing) => standing with { Task = standing.Task with { Cap = cap } };

    [Fact]
    public void Eta_is_what_is_open_at_the_rate_of_the_last_minute()
    {
        Assert.Equal(Now.AddSeconds(15), Standing(TaskStates.Running, waiting: 20, leased: 9, pending: 1, sent: 70, rate: 2).Eta(Now));
    }

    [Fact]
    public void Eta_is_not_before_the_next_retry()
    {
        Assert.Equal(Now.AddHours(1), Standing(TaskStates.Running, pending: 1, rate: 10, next: Now.AddHours(1)).Eta(Now));
    }

    [Fact]
    public void Eta_is_not_after_the_end_of_its_time()
    {
        var standing = Standing(TaskStates.Running, waiting: 20, rate: 2);
        Assert.Equal(Now.AddSeconds(10), (standing with { Task = standing.Task with { Retry = new RetryLimits(SendWithinSeconds: 60) } }).Eta(Now));
        Assert.Equal(Now.AddSeconds(5), (standing with { Task = standing.Task with { Retry = new RetryLimits(SendWithinSeconds: 5) } }).Eta(Now));
    }

    [Theory]
    [InlineData(TaskStates.Paused, 10, 1)]
    [InlineData(TaskStates.Finished, 0, 1)]
    [InlineData(TaskStates.Running, 10, 0)]
    [InlineData(TaskStates.Running, 1_000_000, 0.001)]
    public void Nobody_can_tell_when_a_task_ends_that_does_not_move(string state, int waiting, double rate)
    {
        Assert.Null(Standing(state, waiting, rate: rate).Eta(Now));
    }

    [Fact]
    public void A_task_with_a_cap_below_its_audience_has_no_end_in_sight()
    {
        Assert.Null(Capped(50, Standing(TaskStates.Running, waiting: 80, sent: 20, rate: 2)).Eta(Now));
        Assert.Equal(Now.AddSeconds(40), Capped(100, Standing(TaskStates.Running, waiting: 80, sent: 20, rate: 2)).Eta(Now));
    }

    [Fact]
    public void At_its_cap_only_a_retry_can_be_the_next_thing_to_go()
    {
        Assert.Null(Capped(20, Standing(TaskStates.Running, waiting: 80, sent: 20, rate: 2)).NextAt(Healthy));
        Assert.Equal(Now.AddHours(1), Capped(20, Standing(TaskStates.Running, waiting: 80, pending: 1, sent: 19, rate: 2, next: Now.AddHours(1))).NextAt(Healthy));
    }

    [Fact]
    public void A_task_at_work_has_no_reason_to_give()
    {
        Assert.Null(Standing(TaskStates.Running, waiting: 5).Why(Healthy));
        Assert.Null(Standing(TaskStates.Finished, sent: 5).Why(new PoolCondition(0, 0, 0, null)));
    }

    [Fact]
    public void What_stands_in_the_way_is_said_in_one_sentence()
    {
        Assert.Equal("The campaign has not been launched.", Standing(TaskStates.Frozen, waiting: 1).Why(Healthy));
        Assert.Equal("The task is paused.", Standing(TaskStates.Paused, waiting: 1).Why(Healthy));
        Assert.Equal("The pool has no services.", Standing(TaskStates.Running, waiting: 1).Why(new PoolCondition(0, 0, 0, null)));
        Assert.Equal("The pool has no enabled services.", Standing(TaskStates.Running, waiting: 1).Why(new PoolCondition(2, 0, 0, null)));
        Assert.Equal(
            "No service of the pool works; one of them says: 535 no", Standing(TaskStates.Running, waiting: 1).Why(new PoolCondition(2, 2, 2, "535 no")));
        Assert.Equal("No service of the pool works.", Standing(TaskStates.Running, waiting: 1).Why(new PoolCondition(2, 2, 2, null)));
        Assert.Equal(
            "All that is left waits for another try, the next one at 2026-03-01T13:00:00Z.",
            Standing(TaskStates.Running, pending: 2, next: Now.AddHours(1)).Why(Healthy));
        Assert.Equal("The task is cancelled; 2 recipients that lanes hold are settled first.", Standing(TaskStates.Cancelled, leased: 2).Why(Healthy));
    }

    [Fact]
    public void One_broken_service_of_two_is_no_reason()
    {
        Assert.Null(Standing(TaskStates.Running, waiting: 1).Why(new PoolCondition(2, 2, 1, "535 no")));
    }
}
