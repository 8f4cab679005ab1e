using Edm.Contracts;

namespace Edm.Engine.Services.Limits;

/// <summary>
/// How many mails a service has started, by recipient's provider: by the minute over the last hour, and by the quarter of an hour over the last 26 hours, which covers the
/// longest day of any time zone (25 hours) and begins a day where every zone of today does, since all of them lie a whole number of quarters from UTC. So an
/// hour is a sliding one, exact to a minute on the safe side, and a day is one of any zone, also of one that was chosen at noon. Counted whether or not there
/// is a limit. Also mails that were then deferred count: a provider counts them too. About 4 kB. Not thread-safe.
/// </summary>
public sealed class StartLog
{
    /// <summary>The minute that runs and the sixty before it: whatever lies less than an hour back.</summary>
    private const int Minutes = 61;
    private const int Quarters = 26 * 4;
    private const int MinutesInQuarter = 15;
    private const int Providers = MailboxProviders.Count;

    private readonly int[] minutes = new int[Minutes * Providers];
    private readonly int[] quarters = new int[Quarters * Providers];

    /// <summary>The latest minute counted, since 1970; everything after it is empty.</summary>
    private long last;

    /// <summary>The same by the second; counted apart, when it is known that the mails are on the wire.</summary>
    public LastSeconds Seconds { get; private init; } = new();

    /// <summary>Counts <paramref name="n"/> starts. An earlier moment counts into the latest minute, so that a clock that was set back grants nothing twice.</summary>
    public void Count(DateTimeOffset at, MailboxProvider provider, int n = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        MoveTo(MinuteOf(at));
        minutes[Slot(last, Minutes, provider)] += n;
        quarters[Slot(last / MinutesInQuarter, Quarters, provider)] += n;
    }

    /// <summary>A start that never happened frees its place.</summary>
    /// <param name="at">When it was counted.</param>
    public void CountBack(DateTimeOffset at, MailboxProvider provider)
    {
        var minute = MinuteOf(at);
        Decrease(minutes, minute, last, Minutes, provider);
        Decrease(quarters, minute / MinutesInQuarter, last / MinutesInQuarter, Quarters, provider);
    }

    /// <summary>How many were started within the last hour.</summary>
    /// <param name="provider">Null: to all.</param>
    public int InHour(DateTimeOffset now, MailboxProvider? provider = null) => Sum(minutes, LaterOf(now) - (Minutes - 1), last, Minutes, provider);

    /// <summary>How many were started since then, which lies at most 26 hours back.</summary>
    /// <param name="provider">Null: to all.</param>
    public int Since(DateTimeOffset from, MailboxProvider? provider = null) =>
        Sum(quarters, MinuteOf(from) / MinutesInQuarter, last / MinutesInQuarter, Quarters, provider);

    /// <summary>When <see cref="InHour"/> is first below <paramref name="limit"/>; never, for a limit of nothing.</summary>
    public DateTimeOffset HourIsBelow(int limit, DateTimeOffset now, MailboxProvider? provider = null)
    {
        if (limit <= 0)
        {
            return DateTimeOffset.MaxValue;
        }

        var used = InHour(now, provider);
        if (used < limit)
        {
            return now;
        }

        for (var minute = Math.Max(LaterOf(now), last) - (Minutes - 1); minute <= last; minute++)
        {
            used -= Sum(minutes, minute, minute, Minutes, provider);
            if (used < limit)
            {
                return DateTimeOffset.UnixEpoch.AddMinutes(minute + Minutes);
            }
        }

        return now;
    }

    public StartLogSnapshot ToSnapshot(ServiceId service) =>
        new(service, last, Filled(minutes, last, Minutes), Filled(quarters, last / MinutesInQuarter, Quarters), Seconds.ToSnapshot());

    public static StartLog From(StartLogSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        var log = new StartLog { last = snapshot.LastMinute, Seconds = LastSeconds.From(snapshot.Seconds) };
        Fill(log.minutes, snapshot.Minutes, Minutes);
        Fill(log.quarters, snapshot.Quarters, Quarters);
        return log;
    }

    /// <summary>What the counters of the first kind knew, at the end of their hour: later is safer.</summary>
    public static StartLog From(StartCounter counter)
    {
        ArgumentNullException.ThrowIfNull(counter);
        var log = new StartLog();
        if (counter.InDay > counter.InHour)
        {
            log.Count(DateTimeOffset.UnixEpoch.AddDays(counter.Day), MailboxProvider.Other, counter.InDay - counter.InHour);
        }

        if (counter.InHour > 0)
        {
            log.Count(DateTimeOffset.UnixEpoch.AddHours(counter.Hour + 1).AddMinutes(-1), MailboxProvider.Other, counter.InHour);
        }

        return log;
    }

    private static long MinuteOf(DateTimeOffset at) => at.ToUnixTimeSeconds() / 60;

    private long LaterOf(DateTimeOffset now) => Math.Max(MinuteOf(now), last);

    private static int Slot(long nr, int length, MailboxProvider provider) => (int)(nr % length) * Providers + (int)provider;

    private void MoveTo(long minute)
    {
        if (minute <= last)
        {
            return;
        }

        Clear(minutes, last, minute, Minutes);
        Clear(quarters, last / MinutesInQuarter, minute / MinutesInQuarter, Quarters);
        last = minute;
    }

    private static void Clear(int[] slots, long before, long now, int length)
    {
        for (var nr = Math.Max(before + 1, now - length + 1); nr <= now; nr++)
        {
            Array.Clear(slots, Slot(nr, length, 0), Providers);
        }
    }

    private static void Decrease(int[] slots, long nr, long last, int length, MailboxProvider provider)
    {
        // A clock that was set back counted it into a later slot, which keeps it: that errs on the safe side.
        if (nr <= last && nr > last - length && slots[Slot(nr, length, provider)] > 0)
        {
            slots[Slot(nr, length, provider)]--;
        }
    }

    private static int Sum(int[] slots, long from, long last, int length, MailboxProvider? provider)
    {
        var sum = 0;
        for (var nr = Math.Max(from, last - length + 1); nr <= last; nr++)
        {
            if (provider is { } one)
            {
                sum += slots[Slot(nr, length, one)];
            }
            else
            {
                foreach (var count in slots.AsSpan(Slot(nr, length, 0), Providers))
                {
                    sum += count;
                }
            }
        }

        return sum;
    }

    private static StartCount[] Filled(int[] slots, long last, int length)
    {
        var filled = new List<StartCount>();
        for (var nr = Math.Max(0, last - length + 1); nr <= last; nr++)
        {
            for (var provider = 0; provider < Providers; provider++)
            {
                if (slots[Slot(nr, length, (MailboxProvider)provider)] is > 0 and var count)
                {
                    filled.Add(new StartCount(nr, provider, count));
                }
            }
        }

        return [.. filled];
    }

    private static void Fill(int[] slots, StartCount[] counts, int length)
    {
        foreach (var (nr, provider, count) in counts)
        {
            slots[Slot(nr, length, MailboxProviders.Numbered(provider))] += count;
        }
    }
}
