using CsCheck;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Dispatch.Gate;

/// <summary>Over random histories: what a service starts never exceeds what it may, and what it may it can.</summary>
public sealed class ServiceGateLimitTests
{
    private static readonly Gen<(Numbers Numbers, string Zone, DateTimeOffset Begin, bool Quick, int Seed, (Event What, long Ticks, int N, Numbers Numbers)[] History)> Lives =
        Gen.Select(Numbers.Gen, GateLife.Zones, GateLife.Beginnings, Gen.Bool, Gen.Int, GateLife.Histories);

    [Fact]
    public void No_sliding_hour_and_no_day_of_the_zone_sees_more_starts_than_the_limit() => Lives.Sample(life =>
    {
        var one = Lived(life);
        for (var i = 0; i < one.Starts.Count; i++)
        {
            var at = one.Starts[i];
            if (one.Highest(numbers => numbers.PerHour, at.AddHours(-1), at) is { } perHour)
            {
                Assert.InRange(one.Starts.Take(i + 1).Count(start => at - start < TimeSpan.FromHours(1)), 1, perHour);
            }

            var today = one.DayOf(at);
            if (one.Highest(numbers => numbers.PerDay, at.AddHours(-25), at) is { } perDay)
            {
                Assert.InRange(one.Starts.Take(i + 1).Count(start => one.DayOf(start) == today), 1, perDay);
            }
        }
    });

    [Fact]
    public void No_sliding_minute_sees_more_starts_than_the_limit_however_long_their_way_was() => Lives.Sample(life =>
        AssertMinutes(Lived(life with { History = [.. life.History.Where(step => step.What != Event.Restart)] })));

    /// <summary>A process takes longer to start than a mail, which is bound and started at once here, takes from its binding to its start.</summary>
    [Fact]
    public void A_restart_gives_no_minute_more_than_the_limit() => Lives.Sample(life => AssertMinutes(Lived(life with { Quick = true })));

    [Fact]
    public void Two_starts_are_no_closer_than_the_gap() => Lives.Sample(life =>
    {
        var one = Lived(life);
        for (var i = 1; i < one.Starts.Count; i++)
        {
            var least = one.InForce.Where((entry, nr) => entry.From <= one.Starts[i] && (nr + 1 == one.InForce.Count || one.InForce[nr + 1].From >= one.Starts[i - 1]))
                .Min(entry => entry.Numbers.GapMs);
            Assert.True((one.Starts[i] - one.Starts[i - 1]).TotalMilliseconds >= least);
        }
    });

    [Fact]
    public void When_nothing_blocks_any_more_a_credit_comes_at_the_moment_that_was_foretold() => Lives.Sample(life =>
    {
        var one = Lived(life);
        one.Settle();

        // Pace, gap, hour, day, window and breaker, one after the other, and each of them once or twice.
        for (var asked = 0; one.Ask().NextAt is { } next && one.Credits == 0; asked++)
        {
            Assert.True(next > one.Now, "it is to be asked again at a moment that is over");
            Assert.InRange(asked, 0, 30);
            one.WaitUntil(next);
        }

        Assert.True(one.Credits > 0, "nothing to wait for, and no credit");
    });

    private static GateLife Lived((Numbers Numbers, string Zone, DateTimeOffset Begin, bool Quick, int Seed, (Event What, long Ticks, int N, Numbers Numbers)[] History) life)
    {
        var one = new GateLife(life.Numbers, life.Zone, life.Begin, life.Quick, life.Seed);
        one.Live(life.History);
        return one;
    }

    private static void AssertMinutes(GateLife one)
    {
        for (var i = 0; i < one.Starts.Count; i++)
        {
            var at = one.Starts[i];
            if (one.Highest(numbers => numbers.PerMinute, at.AddMinutes(-1), at) is { } perMinute)
            {
                Assert.InRange(one.Starts.Take(i + 1).Count(start => at - start < TimeSpan.FromMinutes(1)), 1, perMinute);
            }
        }
    }
}
