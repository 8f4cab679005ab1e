namespace Edm.Engine.Services.Limits;

/// <summary>A part of the week in which a service sends, by the clock of its time zone.</summary>
/// <param name="Days">Those on which it begins.</param>
/// <param name="To">Not later than <paramref name="From"/>: it ends on the next day. 00:00 is the end of the day.</param>
public sealed record SendingWindow(IReadOnlyList<DayOfWeek> Days, TimeOnly From, TimeOnly To);

/// <summary>
/// When a service may send, over the changes of its zone to daylight saving and back: a window that begins in an hour that the clock leaves out begins with the
/// next one, and one that ends in an hour that comes twice ends with the second. Pure but for what it remembers of its last answer. Not thread-safe.
/// </summary>
public sealed class SendingWindows(TimeZoneInfo zone, IReadOnlyList<SendingWindow> windows)
{
    /// <summary>The answer that holds from its From to its Until.</summary>
    private (bool Open, DateTimeOffset From, DateTimeOffset Until) _known;

    /// <summary>Is it open now, and until when is it so?</summary>
    public (bool Open, DateTimeOffset Until) At(DateTimeOffset now)
    {
        if (windows.Count == 0)
        {
            return (true, DateTimeOffset.MaxValue);
        }

        if (now < _known.From || now >= _known.Until)
        {
            var (open, until) = Compute(now);
            _known = (open, now, until);
        }

        return (_known.Open, _known.Until);
    }

    /// <summary>When it may next send: now, or when a window opens.</summary>
    public DateTimeOffset NextAt(DateTimeOffset now) => At(now) is (false, var opens) ? opens : now;

    private (bool Open, DateTimeOffset Until) Compute(DateTimeOffset now)
    {
        var spans = Around(now).OrderBy(span => span.From).ToList();
        var end = now;
        foreach (var (from, to) in spans)
        {
            // Windows that touch are one.
            if (from <= end && to > end)
            {
                end = to;
            }
        }

        return end > now ? (true, end) : (false, spans.Select(span => span.From).FirstOrDefault(from => from > now, DateTimeOffset.MaxValue));
    }

    /// <summary>From yesterday's, which may end today, to those of this day in a week.</summary>
    private IEnumerable<(DateTimeOffset From, DateTimeOffset To)> Around(DateTimeOffset now)
    {
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, zone).DateTime);
        for (var day = today.AddDays(-1); day <= today.AddDays(8); day = day.AddDays(1))
        {
            foreach (var window in windows.Where(window => window.Days.Contains(day.DayOfWeek)))
            {
                var endDay = window.To <= window.From ? day.AddDays(1) : day;
                yield return (LocalTime.ToUtc(zone, day.ToDateTime(window.From), first: true), LocalTime.ToUtc(zone, endDay.ToDateTime(window.To), first: false));
            }
        }
    }
}

/// <summary>From the clock on the wall to the moment.</summary>
internal static class LocalTime
{
    /// <param name="first">Of an hour that comes twice, the first; a moment that the clock leaves out is the next one that there is.</param>
    public static DateTimeOffset ToUtc(TimeZoneInfo zone, DateTime local, bool first)
    {
        // No zone leaves out more than a day (Samoa, 2011).
        for (var quarters = 0; zone.IsInvalidTime(local) && quarters < 100; quarters++)
        {
            local = new DateTime(local.Ticks - local.Ticks % (15 * TimeSpan.TicksPerMinute), local.Kind).AddMinutes(15);
        }

        var offset = zone.IsAmbiguousTime(local)
            ? first ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetAmbiguousTimeOffsets(local).Min()
            : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }

    /// <summary>When the day of the zone began that is today.</summary>
    public static DateTimeOffset DayBegan(TimeZoneInfo zone, DateTimeOffset now) => ToUtc(zone, Today(zone, now).ToDateTime(TimeOnly.MinValue), first: true);

    /// <summary>When tomorrow of the zone begins.</summary>
    public static DateTimeOffset NextDay(TimeZoneInfo zone, DateTimeOffset now) => ToUtc(zone, Today(zone, now).AddDays(1).ToDateTime(TimeOnly.MinValue), first: true);

    public static DateOnly Today(TimeZoneInfo zone, DateTimeOffset now) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, zone).DateTime);
}
