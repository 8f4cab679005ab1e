using Edm.Contracts;
using Edm.Engine.Campaigns;
using Xunit;

namespace Edm.Engine.Tests.Campaigns;

public sealed class PoolReasonsTests
{
    private static readonly long Midnight = new DateTimeOffset(2026, 11, 29, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    [Fact]
    public void While_one_service_can_send_nothing_holds_up_the_pool()
    {
        Assert.Empty(PoolReasons.Of([Of(1, "day-used-up", Midnight), Of(2)]).Reasons);
        Assert.Empty(PoolReasons.Of([Of(1, "day-used-up", Midnight), Of(2, "provider-used-up", Midnight, blocks: false)]).Reasons);
        Assert.Empty(PoolReasons.Of([]).Reasons);
    }

    [Fact]
    public void What_holds_up_most_services_stands_first_and_the_first_that_is_free_again_counts()
    {
        var (reasons, next) = PoolReasons.Of(
            [Of(1, "window-closed", Midnight + 5000), Of(2, "day-used-up", Midnight), Of(3, "day-used-up", Midnight + 3_600_000), Of(4, "disabled", null)]);

        Assert.Equal(
            [
                "2 of 3 services of the pool: quota of the day used up, the first until 2026-11-29T00:00:00Z.",
                "1 of 3 services of the pool: sending window closed until 2026-11-29T00:00:05Z.",
            ],
            reasons.Select(reason => reason.Text));
        Assert.Equal(["services-day-used-up", "services-window-closed"], reasons.Select(reason => reason.Code));
        Assert.Equal(Midnight, next!.Value.ToUnixTimeMilliseconds());
    }

    [Fact]
    public void The_words_of_a_server_are_for_its_owner_only()
    {
        var (reasons, _) = PoolReasons.Of([Of(1, "not-working", null)]);

        Assert.Equal("The pool's one service: out of order.", Assert.Single(reasons).Text);
    }

    private static ServiceReport Of(long id, string? code = null, long? until = null, bool blocks = true) => new(
        new ServiceId(id), 2, 0, 0, until, null, 1, code is null ? [] : [new ServiceReason(code, "535 secret words", until, blocks)]);
}
