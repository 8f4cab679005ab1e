using CsCheck;
using Edm.Contracts;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Services.Limits;

public sealed class ServiceQuotaTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Whoever_asks_before_each_start_never_overspends_an_hour_or_a_day_also_over_restarts()
    {
        var limits = Gen.Select(Gen.Nullable(Gen.Int[1, 50]), Gen.Nullable(Gen.Int[1, 200]));
        var step = Gen.Select(Gen.Long[0, TimeSpan.TicksPerHour], Gen.Int[1, 30], Gen.Bool);
        Gen.Select(limits, step.Array[1, 100]).Sample((limit, steps) =>
        {
            var allowed = new QuotaLimits(limit.Item1, limit.Item2);
            var quota = ServiceQuota.Unused;
            var now = Noon;
            var starts = new List<DateTimeOffset>();
            foreach (var (wait, wanted, restart) in steps)
            {
                now = now.AddTicks(wait);
                if (restart)
                {
                    quota = ServiceQuota.Of(quota.ToCounter(new ServiceId(1)));
                }

                var n = Math.Min(wanted, quota.Left(allowed, now));
                quota = quota.Count(now, n);
                starts.AddRange(Enumerable.Repeat(now, n));
            }

            return starts.GroupBy(at => (at.Date, at.Hour)).All(hour => hour.Count() <= (allowed.PerHour ?? int.MaxValue))
                && starts.GroupBy(at => at.Date).All(day => day.Count() <= (allowed.PerDay ?? int.MaxValue));
        });
    }

    [Fact]
    public void The_next_moment_has_something_left_and_the_one_before_has_not()
    {
        Gen.Select(Gen.Int[1, 5], Gen.Int[1, 20], Gen.Int[0, 10], Gen.Int[0, 86_399]).Sample((hour, day, used, second) =>
        {
            var limits = new QuotaLimits(hour, day);
            var now = Noon.AddSeconds(second);
            var quota = ServiceQuota.Unused.Count(now, used);
            var next = quota.NextAt(limits, now);
            return quota.Left(limits, next) > 0 && (next == now || quota.Left(limits, next.AddTicks(-1)) == 0);
        });
    }

    [Fact]
    public void A_limit_set_at_noon_knows_about_the_morning()
    {
        var quota = ServiceQuota.Unused.Count(Noon.AddHours(-3), 70);

        Assert.Equal(30, quota.Left(new QuotaLimits(null, 100), Noon));
        Assert.Equal(0, quota.Left(new QuotaLimits(null, 50), Noon));
        Assert.Equal(int.MaxValue, quota.Left(default, Noon));
    }

    [Fact]
    public void A_clock_that_was_set_back_grants_nothing_twice()
    {
        var limits = new QuotaLimits(10, null);
        var quota = ServiceQuota.Unused.Count(Noon, 10).Count(Noon.AddHours(-2), 1);

        Assert.Equal(0, quota.Left(limits, Noon.AddHours(-2)));
        Assert.Equal(0, quota.Left(limits, Noon));
        Assert.Equal(10, quota.Left(limits, Noon.AddHours(1)));
    }

    [Fact]
    public void The_share_left_is_that_of_the_tighter_limit()
    {
        var quota = ServiceQuota.Unused.Count(Noon, 25);

        Assert.Equal(0.75, quota.Share(new QuotaLimits(100, 1000), Noon));
        Assert.Equal(0.5, quota.Share(new QuotaLimits(100, 50), Noon));
        Assert.Equal(1, quota.Share(default, Noon));
    }

    [Fact]
    public void A_limit_of_nothing_is_never_over() =>
        Assert.Equal(DateTimeOffset.MaxValue, ServiceQuota.Unused.NextAt(new QuotaLimits(0, null), Noon));
}
