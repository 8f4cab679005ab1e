using CsCheck;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Services.Limits;

public sealed class ServiceQuotaTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Half an hour off, a day of 23 and of 25 hours, a midnight that does not exist, and 15 minutes off.</summary>
    private static readonly string[] Zones = ["UTC", "Asia/Kolkata", "Europe/Berlin", "America/New_York", "Asia/Beirut", "Asia/Kathmandu", "Pacific/Apia"];

    private static readonly Gen<TimeZoneInfo> Zone = Gen.Int[0, Zones.Length - 1].Select(nr => TimeZoneInfo.FindSystemTimeZoneById(Zones[nr]));

    private readonly StartLog log = new();

    [Fact]
    public void Whoever_asks_before_each_start_never_overspends_an_hour_or_a_day_of_the_zone()
    {
        var step = Gen.Select(Gen.OneOf(Gen.Long[0, TimeSpan.TicksPerHour], Gen.Long[0, TimeSpan.TicksPerMinute]), Gen.Int[1, 30], Gen.Enum<MailboxProvider>());
        // From just before the clocks change in March or October, as well as anywhere in the year.
        Gen.Select(Zone, Gen.Int[0, 365 * 24], Gen.Nullable(Gen.Int[1, 50]), Gen.Nullable(Gen.Int[1, 200]), Gen.Nullable(Gen.Int[0, 20]), step.Array[1, 100]).Sample(
            (zone, hours, perHour, perDay, gmail, steps) =>
            {
                var limits = ServiceLimits.None with
                {
                    Zone = zone,
                    PerHour = perHour,
                    PerDay = perDay,
                    Providers = new Dictionary<MailboxProvider, ProviderCap> { [MailboxProvider.Gmail] = new(gmail, gmail * 2) },
                };
                var (counted, now) = (new StartLog(), Noon.AddHours(hours));
                var quota = new ServiceQuota(counted, limits);
                var starts = new List<(DateTimeOffset At, MailboxProvider Provider)>();
                foreach (var (wait, wanted, provider) in steps)
                {
                    now = now.AddTicks(wait);
                    var n = Math.Min(wanted, Math.Min(quota.Left(now), quota.Left(provider, now)));
                    counted.Count(now, provider, n);
                    starts.AddRange(Enumerable.Repeat((now, provider), n));
                }

                var toGmail = starts.Where(s => s.Provider == MailboxProvider.Gmail).Select(s => s.At).ToArray();
                return MostInAnHour([.. starts.Select(s => s.At)]) <= (perHour ?? int.MaxValue) && MostInADay(starts.Select(s => s.At), zone) <= (perDay ?? int.MaxValue)
                    && MostInAnHour(toGmail) <= (gmail ?? int.MaxValue) && MostInADay(toGmail, zone) <= (gmail * 2 ?? int.MaxValue);
            });

        static int MostInAnHour(DateTimeOffset[] starts) => starts.Select(from => starts.Count(at => at >= from && at < from.AddHours(1))).DefaultIfEmpty().Max();

        static int MostInADay(IEnumerable<DateTimeOffset> starts, TimeZoneInfo zone) =>
            starts.GroupBy(at => TimeZoneInfo.ConvertTime(at, zone).Date).Select(day => day.Count()).DefaultIfEmpty().Max();
    }

    [Fact]
    public void The_next_moment_has_something_left_and_a_minute_before_has_not() =>
        Gen.Select(Zone, Gen.Int[0, 365 * 24 * 60], Gen.Int[1, 5], Gen.Int[1, 20], Gen.Int[0, 10]).Sample((zone, minutes, hour, day, used) =>
        {
            var (counted, now) = (new StartLog(), Noon.AddMinutes(minutes));
            var quota = new ServiceQuota(counted, ServiceLimits.None with { Zone = zone, PerHour = hour, PerDay = day });
            counted.Count(now, MailboxProvider.Other, used);
            var next = quota.NextAt(now);
            return quota.Left(next) > 0 && (next == now || quota.Left(next.AddMinutes(-1)) == 0);
        });

    [Theory]
    [InlineData("Europe/Berlin", "2026-03-29T10:00:00+02:00", "2026-03-30T00:00:00+02:00")]
    [InlineData("Europe/Berlin", "2026-10-25T02:30:00+02:00", "2026-10-26T00:00:00+01:00")]
    [InlineData("America/Los_Angeles", "2026-11-01T00:30:00-07:00", "2026-11-02T00:00:00-08:00")]
    [InlineData("Asia/Beirut", "2026-03-28T23:00:00+02:00", "2026-03-29T01:00:00+03:00")]
    public void A_day_ends_at_midnight_of_the_zone_also_when_its_clocks_change(string zone, string now, string midnight)
    {
        var quota = new ServiceQuota(log, ServiceLimits.None with { Zone = TimeZoneInfo.FindSystemTimeZoneById(zone), PerDay = 7 });
        var at = DateTimeOffset.Parse(now, System.Globalization.CultureInfo.InvariantCulture);
        log.Count(at, MailboxProvider.Other, 7);

        var next = DateTimeOffset.Parse(midnight, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(next, quota.NextAt(at));
        Assert.Equal((0, 7), (quota.Left(next.AddSeconds(-1)), quota.Left(next)));
    }

    [Fact]
    public void A_limit_set_at_noon_knows_about_the_morning_and_a_zone_chosen_at_noon_about_its_own()
    {
        log.Count(Noon.AddHours(-13), MailboxProvider.Other, 5);
        log.Count(Noon.AddHours(-3), MailboxProvider.Other, 70);

        Assert.Equal(30, Day(100, "UTC").Left(Noon));
        Assert.Equal(0, Day(50, "UTC").Left(Noon));
        // In Los Angeles it is four in the morning, and the thirteen hours are yesterday's.
        Assert.Equal(30, Day(100, "America/Los_Angeles").Left(Noon));
        Assert.Equal(25, Day(100, "Asia/Shanghai").Left(Noon));
        Assert.Equal(int.MaxValue, new ServiceQuota(log, ServiceLimits.None).Left(Noon));

        ServiceQuota Day(int limit, string zone) => new(log, ServiceLimits.None with { PerDay = limit, Zone = TimeZoneInfo.FindSystemTimeZoneById(zone) });
    }

    [Fact]
    public void Its_share_is_full_while_the_quota_lasts_as_long_as_the_day()
    {
        var quota = new ServiceQuota(log, ServiceLimits.None with { PerDay = 100 });
        log.Count(Noon, MailboxProvider.Other, 50);
        Assert.Equal(1, quota.Share(Noon));

        log.Count(Noon, MailboxProvider.Other, 25);
        Assert.Equal(0.5, quota.Share(Noon), 6);
        Assert.Equal(1, quota.Share(Noon.AddHours(6)), 6);
        Assert.Equal(1, new ServiceQuota(log, ServiceLimits.None).Share(Noon));
    }

    [Fact]
    public void Its_health_takes_from_hour_and_day_and_never_shuts_a_small_quota_but_at_nothing()
    {
        var quota = new ServiceQuota(log, ServiceLimits.None with { PerHour = 10, PerDay = 1 }) { Health = 0.5 };
        Assert.Equal(1, quota.Left(Noon));

        quota.Health = 0;
        Assert.Equal((0, DateTimeOffset.MaxValue), (quota.Left(Noon), quota.NextAt(Noon)));
        Assert.Equal(5, new ServiceQuota(log, ServiceLimits.None with { PerHour = 10 }) { Health = 0.5 }.Left(Noon));
    }

    [Fact]
    public void A_warm_up_grows_by_the_day_of_the_zone_and_ends()
    {
        var ramp = new WarmUp(new DateOnly(2026, 1, 1), First: 50, Growth: 1.5, Days: 3);
        var quota = new ServiceQuota(log, ServiceLimits.None with { WarmUp = ramp, PerDay = 100 });

        Assert.Equal([50, 50, 75, 100, 100], new[] { -9, 0, 1, 2, 3 }.Select(day => quota.Left(Noon.AddDays(day))));
        Assert.Equal([10, 0, 30, null], new[] { 0, 1, 2, 3 }.Select(day => new WarmUp(new DateOnly(2026, 1, 1), [10, 0, 30]).On(new DateOnly(2026, 1, 1).AddDays(day))));
    }

    [Fact]
    public void A_day_of_nothing_in_a_warm_up_passes_too()
    {
        var quota = new ServiceQuota(log, ServiceLimits.None with { WarmUp = new WarmUp(new DateOnly(2026, 1, 1), [1, 0, 0, 5]) });
        log.Count(Noon, MailboxProvider.Other, 1);

        Assert.Equal(new DateTimeOffset(2026, 1, 4, 0, 0, 0, TimeSpan.Zero), quota.NextAt(Noon));
    }

    [Fact]
    public void A_limit_of_nothing_is_never_over() =>
        Assert.Equal(DateTimeOffset.MaxValue, new ServiceQuota(log, ServiceLimits.None with { PerHour = 0 }).NextAt(Noon));
}
