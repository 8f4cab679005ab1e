using System.Globalization;

namespace Edm.Engine.Contacts.Filters;

/// <summary>
/// A day or a moment as a filter writes it: <c>2026-01-31</c>, <c>2026-01-31T10:00:00Z</c>, <c>today</c>, <c>yesterday</c>, <c>now</c>, <c>30d ago</c>. Days are whole days
/// of UTC, so that <c>= 2026-01-31</c> means any time of it and <c>&gt; 2026-01-31</c> the days after.
/// </summary>
internal abstract record FilterMoment
{
    private const int MaxAgo = 100_000;

    private static readonly string[] MomentFormats = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ss.fffK"];

    /// <returns>The first millisecond of it, and the last.</returns>
    public abstract (long First, long Last) Of(DateTimeOffset now);

    public sealed record Day(DateOnly Date) : FilterMoment
    {
        public override (long First, long Last) Of(DateTimeOffset now) => WholeDay(new DateTimeOffset(Date.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero));
    }

    /// <param name="Days">0 is today, -1 yesterday.</param>
    public sealed record NearDay(int Days) : FilterMoment
    {
        public override (long First, long Last) Of(DateTimeOffset now) => WholeDay(new DateTimeOffset(now.UtcDateTime.Date.AddDays(Days), TimeSpan.Zero));
    }

    public sealed record Instant(DateTimeOffset At) : FilterMoment
    {
        public override (long First, long Last) Of(DateTimeOffset now) => (At.ToUnixTimeMilliseconds(), At.ToUnixTimeMilliseconds());
    }

    public sealed record Ago(int Count, char Unit) : FilterMoment
    {
        public override (long First, long Last) Of(DateTimeOffset now)
        {
            var at = (Unit switch
            {
                'h' => now.AddHours(-Count),
                'd' => now.AddDays(-Count),
                'w' => now.AddDays(-7d * Count),
                'm' => now.AddMonths(-Count),
                _ => now.AddYears(-Count),
            }).ToUnixTimeMilliseconds();
            return (at, at);
        }
    }

    /// <summary>A value of one word.</summary>
    public static bool TryParse(string text, out FilterMoment moment)
    {
        moment = new NearDay(0);
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
        {
            moment = new Day(date);
            return true;
        }

        if (DateTimeOffset.TryParseExact(text, MomentFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at))
        {
            moment = new Instant(at);
            return true;
        }

        switch (text.ToLowerInvariant())
        {
            case "today": return true;
            case "yesterday": moment = new NearDay(-1); return true;
            case "now": moment = new Ago(0, 'h'); return true;
            default: return false;
        }
    }

    /// <summary>What stands before <c>ago</c>: <c>30d</c>, <c>2 weeks</c>.</summary>
    /// <param name="unit">Empty when it is written with the number.</param>
    public static bool TryParseAgo(string number, string unit, out FilterMoment moment)
    {
        moment = new NearDay(0);
        var digits = number.TakeWhile(char.IsAsciiDigit).Count();
        if (unit.Length == 0)
        {
            unit = number[digits..];
        }
        else if (digits != number.Length)
        {
            return false;
        }

        char? letter = unit.ToLowerInvariant() switch
        {
            "h" or "hour" or "hours" => 'h',
            "d" or "day" or "days" => 'd',
            "w" or "week" or "weeks" => 'w',
            "mo" or "month" or "months" => 'm',
            "y" or "year" or "years" => 'y',
            _ => null,
        };
        if (letter is null || !int.TryParse(number.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count > MaxAgo || (letter == 'y' && count > 1000)
            || (letter == 'm' && count > 12_000))
        {
            return false;
        }

        moment = new Ago(count, letter.Value);
        return true;
    }

    private static (long First, long Last) WholeDay(DateTimeOffset start)
    {
        var first = start.ToUnixTimeMilliseconds();
        return (first, first + (long)TimeSpan.FromDays(1).TotalMilliseconds - 1);
    }
}
