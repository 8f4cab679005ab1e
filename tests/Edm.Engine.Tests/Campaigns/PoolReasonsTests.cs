using Edm.Contracts;
using Edm.Engine.Campaigns;
using Xunit;

namespace Edm.Engine.Tests.Campaigns;

public sealed class PoolReasonsTests
{
    private static readonly long Midnight = new DateTimeOffset(2026, 11, 29, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    [Fact]
    public void While_one_service_can_send_or_says_nothing_the_pool_is_not_held_up()
    {
        Assert.Empty(PoolReasons.Of([Of(1, "day-used-up", Midnight), Of(2)], 2));
        Assert.Empty(PoolReasons.Of([Of(1, "day-used-up", Midnight), Of(2, "provider-used-up", Midnight, blocks: false)], 2));
        Assert.Empty(PoolReasons.Of([], 0));
        Assert.Empty(PoolReasons.Of([Of(1, "day-used-up", Midnight)], 2));
    }

    [Fact]
    public void What_holds_up_most_services_stands_first_with_the_moment_of_the_first_that_is_free_again()
    {
        var reasons = PoolReasons.Of(
            [Of(1, "window-closed", Midnight + 5000), Of(2, "day-used-up", Midnight), Of(3, "day-used-up", Midnight + 3_600_000), Of(4, "disabled", null)], 3);

        Assert.Equal(
            [
                "2 of 3 services of the pool: quota of the day used up, the first until 2026-11-29T00:00:00Z.",
                "1 of 3 services of the pool: sending window closed until 2026-11-29T00:00:05Z.",
            ],
            reasons.Select(reason => reason.Text));
        Assert.Equal(["services-day-used-up", "services-window-closed"], reasons.Select(reason => reason.Code));
        Assert.Equal([Midnight, Midnight + 5000], reasons.Select(reason => reason.UntilMs));
    }

    [Fact]
    public void The_words_of_a_server_are_for_its_owner_only()
    {
        var reasons = PoolReasons.Of([Of(1, "not-working", null)], 1);

        Assert.Equal("The pool's one service: out of order.", Assert.Single(reasons).Text);
    }

    [Theory]
    [InlineData("day-used-up", "day-used-up", 0)]
    [InlineData("not-working", "day-used-up", 1)]
    [InlineData("not-working", "not-working", 2)]
    [InlineData(null, "not-working", 1)]
    public void What_lanes_say_counts_for_more_than_the_stored_errors(string? first, string? second, int broken)
    {
        var pool = PoolReasons.Seen(new PoolCondition(2, 2, 2, "535 no"), [Of(1, first), Of(2, second)]);

        Assert.Equal((2, broken, "535 no"), (pool.Enabled, pool.Broken, pool.Error));
        Assert.Equal(first is null ? 0 : first == second ? 1 : 2, pool.Standstill.Count);
    }

    [Fact]
    public void Where_lanes_are_silent_the_stored_errors_stand_unless_a_service_is_known_to_work()
    {
        var stored = new PoolCondition(2, 2, 2, "535 no");

        Assert.Equal(2, PoolReasons.Seen(stored, []).Broken);
        Assert.Equal(2, PoolReasons.Seen(stored, [Of(1, "not-working")]).Broken);
        Assert.Equal(0, PoolReasons.Seen(stored, [Of(1)]).Broken);
    }

    private static ServiceReport Of(long id, string? code = null, long? until = null, bool blocks = true) => new(
        new ServiceId(id), 2, 0, 0, until, null, 1, code is null ? [] : [new ServiceReason(code, "535 secret words", until, blocks)]);
}
