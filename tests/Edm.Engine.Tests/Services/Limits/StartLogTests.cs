using CsCheck;
using Edm.Contracts;
using Edm.Engine.Services.Limits;
using Edm.Engine.Tests.Contracts;
using Xunit;

namespace Edm.Engine.Tests.Services.Limits;

public sealed class StartLogTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Wait, provider, how many.</summary>
    private static readonly Gen<(long Wait, MailboxProvider Provider, int N)[]> Life = Gen.Select(
        Gen.OneOf(Gen.Long[0, TimeSpan.TicksPerMinute], Gen.Long[0, TimeSpan.TicksPerHour], Gen.Long[0, 3 * TimeSpan.TicksPerDay]), Gen.Enum<MailboxProvider>(), Gen.Int[0, 9]).Array[1, 60];

    [Fact]
    public void It_counts_as_a_list_of_all_starts_does() => Life.Sample(life =>
    {
        var (log, starts, now) = (new StartLog(), new List<(DateTimeOffset At, MailboxProvider Provider)>(), Noon);
        foreach (var (wait, provider, n) in life)
        {
            now = now.AddTicks(wait);
            log.Count(now, provider, n);
            starts.AddRange(Enumerable.Repeat((now, provider), n));
            if (n == 3)
            {
                log = StartLog.From(SharedSerializer.Copy(new LaneSnapshot(1, [], [], [], [log.ToSnapshot(new ServiceId(1))])).StartLogs![0]);
            }

            // Everything within the hour counts, and nothing older than a minute more.
            var hour = log.InHour(now, provider);
            Assert.InRange(hour, Since(now.AddHours(-1).AddTicks(1), provider), Since(now.AddMinutes(-61), provider));
            var day = now.AddHours(-25).AddTicks(-(now.AddHours(-25).Ticks % (15 * TimeSpan.TicksPerMinute)));
            Assert.Equal(Since(day, null), log.Since(day));
            Assert.Equal(Since(day, provider), log.Since(day, provider));
        }

        int Since(DateTimeOffset from, MailboxProvider? provider) => starts.Count(s => s.At >= from && (provider is null || s.Provider == provider));
    });

    [Fact]
    public void The_hour_is_below_its_limit_at_the_moment_that_is_named_and_not_a_minute_before() =>
        Gen.Select(Life, Gen.Int[1, 20]).Sample((life, limit) =>
        {
            var (log, now) = (new StartLog(), Noon);
            foreach (var (wait, provider, n) in life)
            {
                now = now.AddTicks(wait);
                log.Count(now, provider, n);
            }

            var next = log.HourIsBelow(limit, now);
            return log.InHour(next) < limit && (next == now || log.InHour(next.AddMinutes(-1)) >= limit);
        });

    [Fact]
    public void What_is_counted_back_is_as_if_it_had_not_been() =>
        Gen.Select(Life, Gen.Long[0, TimeSpan.TicksPerHour]).Sample((life, wait) =>
        {
            var (log, now) = (new StartLog(), Noon);
            foreach (var (step, provider, n) in life)
            {
                log.Count(now = now.AddTicks(step), provider, n);
            }

            var (then, later) = (now.AddTicks(wait), now.AddTicks(2 * wait));
            log.Count(then, MailboxProvider.Gmail);
            var without = (log.InHour(then) - 1, log.Since(then.AddHours(-25)) - 1);
            log.CountBack(then, MailboxProvider.Gmail);
            Assert.Equal(without, (log.InHour(then), log.Since(then.AddHours(-25))));
            log.CountBack(later.AddDays(9), MailboxProvider.Gmail);
            Assert.Equal(without, (log.InHour(then), log.Since(then.AddHours(-25))));
        });

    [Fact]
    public void A_clock_that_was_set_back_grants_nothing_twice()
    {
        var log = new StartLog();
        log.Count(Noon, MailboxProvider.Other, 10);
        log.Count(Noon.AddHours(-2), MailboxProvider.Other);

        Assert.Equal((11, 11, 11), (log.InHour(Noon.AddHours(-2)), log.InHour(Noon), log.InHour(Noon.AddMinutes(60))));
        Assert.Equal(0, log.InHour(Noon.AddMinutes(61)));
    }

    [Fact]
    public void A_limit_of_nothing_is_never_reached_from_above() => Assert.Equal(DateTimeOffset.MaxValue, new StartLog().HourIsBelow(0, Noon));
}
