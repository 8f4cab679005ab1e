using Edm.Contracts;
using Edm.Engine.Campaigns;
using Xunit;

namespace Edm.Engine.Tests.Campaigns;

public sealed class TaskReasonsTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Later = Now.AddHours(1);
    private static readonly PoolCondition Healthy = new(2, 2, 0, null);

    [Fact]
    public void A_task_at_work_has_none()
    {
        Assert.Empty(Of(Standing(TaskStates.Running, waiting: 5) with { Outlook = new TaskOutlook(true, false) }));
        Assert.Empty(Of(Standing(TaskStates.Running, leased: 5) with { Outlook = new TaskOutlook(false, false) }));
    }

    [Theory]
    [InlineData(TaskStates.Frozen, 5, 0, "not-launched")]
    [InlineData(TaskStates.Launching, 5, 0, "launching")]
    [InlineData(TaskStates.Refused, 0, 0, "refused")]
    [InlineData(TaskStates.Finished, 0, 0, "finished")]
    [InlineData(TaskStates.Cancelled, 0, 0, "cancelled")]
    [InlineData(TaskStates.Cancelled, 0, 2, "cancelled-settling")]
    [InlineData(TaskStates.Paused, 5, 0, "paused")]
    public void A_task_that_is_not_running_says_what_it_is(string state, int waiting, int leased, string code) =>
        Assert.Equal([code], Of(Standing(state, waiting, leased)).Select(reason => reason.Code));

    [Fact]
    public void What_has_to_end_first_stands_first()
    {
        var standing = Capped(Standing(TaskStates.Paused, waiting: 3_000, sent: 5_000), 5_000) with { Outlook = new TaskOutlook(false, false) };

        var reasons = Of(standing, new PoolCondition(0, 0, 0, null));

        Assert.Equal(["paused", "cap-reached", "no-services"], reasons.Select(reason => reason.Code));
        Assert.Equal("The cap of 5,000 is reached; 3,000 recipients wait: raise the cap or cancel.", reasons[1].Text);
    }

    [Fact]
    public void At_its_cap_a_task_goes_on_with_its_retries_and_says_when()
    {
        var standing = Capped(Standing(TaskStates.Running, waiting: 3, pending: 2, next: Later), 2) with { Outlook = new TaskOutlook(false, false) };

        var reasons = Of(standing);

        Assert.Equal(["cap-reached", "waiting-for-retry"], reasons.Select(reason => reason.Code));
        Assert.Equal((null, Later), (reasons[0].Until, reasons[1].Until));
        Assert.Equal(Later, standing.NextAt(Healthy));
        Assert.Empty(Of(standing with { Outlook = new TaskOutlook(true, false) }));
    }

    [Fact]
    public void What_holds_up_all_services_of_the_pool_is_said_and_until_when()
    {
        var pool = Healthy with { Standstill = [new ServiceReason("services-day-used-up", "All 2 services of the pool: quota of the day used up.", Ms(Later))] };
        var standing = Standing(TaskStates.Running, waiting: 3);

        Assert.Equal([new TaskReason("services-day-used-up", "All 2 services of the pool: quota of the day used up.", Later)], Of(standing, pool));
        Assert.Equal(Later, standing.NextAt(pool));
    }

    [Fact]
    public void What_opens_later_says_when_and_so_do_retries_beside_it()
    {
        var standing = Standing(TaskStates.Running, waiting: 3, pending: 2, next: Later) with { Outlook = new TaskOutlook(false, false, Ms(Later.AddMinutes(-5))) };

        var reasons = Of(standing);

        Assert.Equal(["not-before", "waiting-for-retry"], reasons.Select(reason => reason.Code));
        Assert.Equal("The next of those who wait may be sent to from 2026-03-01T12:55:00Z on.", reasons[0].Text);
        Assert.Equal(Later.AddMinutes(-5), standing.NextAt(Healthy));
    }

    [Fact]
    public void A_queue_full_of_retries_says_so()
    {
        var full = Standing(TaskStates.Running, waiting: 3) with { Outlook = new TaskOutlook(false, true) };

        Assert.Equal(["retries-full"], Of(full).Select(reason => reason.Code));
        Assert.Contains("20,000 retries", Of(full)[0].Text, StringComparison.Ordinal);
        Assert.Null(full.NextAt(Healthy));
    }

    [Fact]
    public void A_paused_task_says_when_its_retries_get_too_old()
    {
        var standing = Standing(TaskStates.Paused, pending: 2, next: Later) with { Outlook = new TaskOutlook(false, false, null, Ms(Later)) };

        var reasons = Of(standing);

        Assert.Equal(["paused", "expiring", "waiting-for-retry"], reasons.Select(reason => reason.Code));
        Assert.Equal("2 recipients wait for another try; the first is too old for one at 2026-03-01T13:00:00Z and fails then.", reasons[1].Text);
        Assert.Null(standing.NextAt(Healthy));
    }

    [Fact]
    public void A_task_that_waits_says_when_its_time_is_over()
    {
        const string Words = "The task's time is over at 2026-03-01T14:00:00Z: who has not been sent a mail by then gets none.";
        var waiting = Ending(Standing(TaskStates.Running, pending: 2, next: Later)) with { Outlook = new TaskOutlook(false, false) };

        Assert.Equal(["waiting-for-retry", "ending"], Of(waiting).Select(reason => reason.Code));
        Assert.Equal(Words, Of(waiting)[1].Text);
        Assert.Equal(Later, waiting.NextAt(Healthy));
        Assert.Equal(["paused", "ending"], Of(Ending(Standing(TaskStates.Paused, waiting: 2))).Select(reason => reason.Code));
        Assert.Empty(Of(Ending(Standing(TaskStates.Running, leased: 2))));
        Assert.Equal(["finished"], Of(Ending(Standing(TaskStates.Finished))).Select(reason => reason.Code));
    }

    [Fact]
    public void A_task_whose_time_was_over_says_so_and_one_that_was_cancelled_before_does_not()
    {
        var ended = Ending(Standing(TaskStates.Cancelled)) with { FinishedAt = Now.AddHours(2) };

        Assert.Equal(
            new TaskReason("cancelled", "The task's time was over at 2026-03-01T14:00:00Z: who had not been sent a mail by then gets none."), Assert.Single(Of(ended)));
        Assert.Equal("The task is cancelled: who has not been sent a mail yet gets none.", Of(ended with { FinishedAt = Later })[0].Text);
    }

    [Fact]
    public void The_same_state_has_the_same_words()
    {
        var standing = Capped(Standing(TaskStates.Paused, waiting: 9, pending: 1, next: Later), 1) with { Outlook = new TaskOutlook(false, false, Ms(Later), Ms(Later)) };

        Assert.Equal(Of(standing), Of(standing with { SentPerSecond = 3 }));
    }

    private static IReadOnlyList<TaskReason> Of(TaskStanding standing, PoolCondition? pool = null) => TaskReasons.Of(standing, pool ?? Healthy);

    private static long Ms(DateTimeOffset at) => at.ToUnixTimeMilliseconds();

    private static TaskStanding Capped(TaskStanding standing, int cap) => standing with { Task = standing.Task with { Cap = cap } };

    /// <summary>It is to be sent within two hours.</summary>
    private static TaskStanding Ending(TaskStanding standing) => standing with { Task = standing.Task with { Retry = new RetryLimits(SendWithinSeconds: 7200) } };

    private static TaskStanding Standing(string state, int waiting = 0, int leased = 0, int pending = 0, int sent = 0, DateTimeOffset? next = null)
    {
        int[] counts = [waiting, leased, pending, sent, 0, 0, 0, 0];
        var task = new TaskRecord(new TaskId(1), new CampaignId(1), "c", 1, new PoolId(1), 1, counts.Sum(), state, 0, 0, 0, 0, Now, Now, null);
        return new TaskStanding(task, state, counts, 0, next, null);
    }
}
