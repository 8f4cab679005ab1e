using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Host.Demo;

namespace Edm.Host.Tests.Demo;

public sealed class DemoWatchTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void While_mails_go_out_the_line_tells_pace_and_end()
    {
        var counts = new RecipientCounts(Waiting: 1_400, Leased: 100, PendingRetry: 9, Sent: 480, Failed: 11, Skipped: 0, Cancelled: 0, Unknown: 0);

        Assert.Equal(
            "[#####-------------------]  24 %  480 sent, 11 failed, 1,500 to go, 9 deferred  31.3/s  0:48 left",
            DemoWatch.Text(Task(2000, counts, rate: 31.25, eta: Now.AddSeconds(48)), Now));
    }

    [Fact]
    public void When_only_deferred_ones_are_left_the_line_tells_when_the_next_is_due()
    {
        var counts = new RecipientCounts(Waiting: 0, Leased: 0, PendingRetry: 9, Sent: 980, Failed: 9, Skipped: 0, Cancelled: 0, Unknown: 2);

        Assert.Equal(
            "[#######################-]  99 %  980 sent, 9 failed, 2 unknown, 9 deferred: next try in 0:21",
            DemoWatch.Text(Task(1000, counts, nextRetry: Now.AddSeconds(21)), Now));
    }

    private static TaskView Task(int planned, RecipientCounts counts, double rate = 0, DateTimeOffset? eta = null, DateTimeOffset? nextRetry = null) => new(
        new TaskId(1), new CampaignId(1), "demo", new PoolId(1), 1, "running", planned, counts, true, rate, eta, null, nextRetry, Now, Now, null);
}
