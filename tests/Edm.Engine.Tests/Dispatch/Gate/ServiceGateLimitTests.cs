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
    public void No_sliding_minute_sees_more_starts_than_the_limit_however_long_their_way_was_and_over_restarts() => Lives.Sample(life => AssertMinutes(Lived(life)));

    /// <summary>A connection that took long lets many start together; the next process goes on where the minute stood.</summary>
    [Fact]
    public void What_started_together_just_before_the_end_counts_after_it()
    {
        var one = new GateLife(new Numbers(10, null, null, 0, false), "UTC", new DateTimeOffset(2026, 3, 7, 12, 0, 0, TimeSpan.Zero), quick: false, seed: 1);
        for (var i = 0; i < 12; i++)
        {
            one.Live([(Event.Offer, TimeSpan.FromSeconds(6).Ticks, 1, null!)]);
        }

        one.Live([(Event.Ready, 0, 40, null!), (Event.Go, 0, 40, null!), (Event.Restart, TimeSpan.FromSeconds(2).Ticks, 1, null!)]);
        Assert.Equal(10, one.Starts.Count);
        for (var i = 0; i < 50; i++)
        {
            one.Live([(Event.Offer, TimeSpan.FromSeconds(1).Ticks, 1, null!), (Event.Ready, 0, 1, null!), (Event.Go, 0, 1, null!)]);
        }

        Assert.Equal(10, one.Starts.Count);
        one.Live([(Event.Offer, TimeSpan.FromSeconds(10).Ticks, 1, null!), (Event.Ready, 0, 1, null!), (Event.Go, 0, 1, null!)]);
        Assert.Equal(11, one.Starts.Count);
    }

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
