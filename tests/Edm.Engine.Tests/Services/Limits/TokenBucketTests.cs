using CsCheck;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Services.Limits;

public sealed class TokenBucketTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Gen<int> Limit = Gen.OneOf(Gen.Int[1, 10], Gen.Int[1, 2_000], Gen.Int[1, 20_000]);

    [Fact]
    public void No_minute_wherever_it_begins_sees_more_than_the_limit_of_its_time()
    {
        // Steps: wait a while, sometimes change the limit, then take as much as there is.
        var step = Gen.Select(Gen.OneOf(Gen.Long[0, TimeSpan.TicksPerSecond], Gen.Long[0, TimeSpan.TicksPerMinute * 2]), Gen.Int[0, 9], Limit);
        Gen.Select(Limit, step.Array[1, 60]).Sample((first, steps) =>
        {
            var bucket = new TokenBucket(first, Start);
            var now = Start;
            var limits = new List<(DateTimeOffset From, int Limit)> { (Start, first) };
            var takes = new List<DateTimeOffset>();
            foreach (var (wait, change, limit) in steps)
            {
                now = now.AddTicks(wait);
                if (change == 0)
                {
                    bucket.Change(limit, now);
                    limits.Add((now, limit));
                }

                while (bucket.TryTake(now))
                {
                    takes.Add(now);
                }
            }

            return MostInAMinute(takes, at => limits.Where((entry, nr) => entry.From < at.AddMinutes(1) && (nr + 1 == limits.Count || limits[nr + 1].From >= at)).Max(entry => entry.Limit));
        });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(299)]
    [InlineData(300)]
    [InlineData(1_234)]
    [InlineData(6_000)]
    [InlineData(60_000)]
    public void Whoever_has_saved_up_and_then_takes_all_he_can_stays_within_the_limit_and_near_it(int limit)
    {
        var bucket = new TokenBucket(limit, Start);
        var takes = new List<DateTimeOffset>();
        for (var now = Start.AddMinutes(5); now < Start.AddMinutes(8); now = now.AddMilliseconds(7))
        {
            while (bucket.TryTake(now))
            {
                takes.Add(now);
            }
        }

        Assert.True(MostInAMinute(takes, _ => limit));
        Assert.InRange(takes.Count, (int)(3 * limit * 0.97), 3 * limit);
    }

    /// <summary>Every minute, wherever it begins, sees at most what was allowed.</summary>
    private static bool MostInAMinute(List<DateTimeOffset> takes, Func<DateTimeOffset, int> allowed)
    {
        var last = 0;
        for (var i = 0; i < takes.Count; i++)
        {
            while (last < takes.Count && takes[last] < takes[i].AddMinutes(1))
            {
                last++;
            }

            if (last - i > allowed(takes[i]))
            {
                return false;
            }
        }

        return true;
    }

    [Fact]
    public void The_next_take_succeeds_at_the_moment_that_was_named_and_not_a_tick_before()
    {
        Gen.Select(Limit, Gen.Long[0, TimeSpan.TicksPerMinute * 2].Array[1, 20]).Sample((limit, waits) =>
        {
            var bucket = new TokenBucket(limit, Start);
            var now = Start;
            foreach (var wait in waits)
            {
                now = now.AddTicks(wait);
                while (bucket.TryTake(now))
                {
                }

                var next = bucket.NextAt(now);
                if (next <= now || bucket.Available(next.AddTicks(-1)) != 0 || !bucket.TryTake(next))
                {
                    return false;
                }

                now = next;
            }

            return true;
        });
    }

    [Fact]
    public void One_who_always_comes_a_fifth_of_a_second_late_gets_nearly_all_of_a_high_limit()
    {
        var bucket = new TokenBucket(6_000, Start);
        var taken = 0;
        for (var now = Start; now < Start.AddMinutes(10); now = now.AddMilliseconds(200))
        {
            while (bucket.TryTake(now))
            {
                taken++;
            }
        }

        Assert.InRange(taken, 59_000, 60_000);
    }

    [Fact]
    public void A_new_bucket_is_empty_so_that_a_restart_grants_nothing()
    {
        var bucket = new TokenBucket(60, Start);

        Assert.False(bucket.TryTake(Start));
        Assert.Equal(Start.AddSeconds(1), bucket.NextAt(Start));
    }

    [Fact]
    public void Without_a_limit_everything_passes_and_a_limit_set_then_begins_at_nothing()
    {
        var bucket = new TokenBucket(null, Start);
        Assert.True(bucket.TryTake(Start));
        Assert.Equal(int.MaxValue, bucket.Available(Start));

        bucket.Change(60, Start.AddHours(1));

        Assert.False(bucket.TryTake(Start.AddHours(1)));
        Assert.True(bucket.TryTake(Start.AddHours(1).AddSeconds(1)));
    }

    [Fact]
    public void A_clock_that_was_set_back_neither_grants_twice_nor_stops_the_service()
    {
        var bucket = new TokenBucket(60, Start);
        Assert.True(bucket.TryTake(Start.AddSeconds(1)));

        Assert.False(bucket.TryTake(Start.AddHours(-1)));
        Assert.True(bucket.TryTake(Start.AddHours(-1).AddSeconds(1)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(TokenBucket.MaxPerMinute + 1)]
    public void An_absurd_limit_is_refused(int limit) => Assert.Throws<ArgumentOutOfRangeException>(() => new TokenBucket(limit, Start));
}
