using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Dispatch.Simulation.Day;

/// <summary>
/// What a service could have sent in a day, and whether what it did send was allowed. It counts minute by minute and shares no code with what it judges.
/// </summary>
internal sealed class ServiceDay(SimTerms terms, DateTimeOffset start, DateTimeOffset end)
{
    private readonly int minutes = (int)(end - start).TotalMinutes;

    /// <summary>The most that anybody could send who knows everything beforehand: in each minute as much as pace, hour, day, window and outages leave.</summary>
    public int Capacity()
    {
        var sent = new int[minutes];
        var (inHour, inDay) = (0, 0);
        var day = DateOnly.MinValue;
        for (var minute = 0; minute < minutes; minute++)
        {
            var at = start.AddMinutes(minute);
            inHour -= minute >= 60 ? sent[minute - 60] : 0;
            if (LocalDay(at) != day)
            {
                (day, inDay) = (LocalDay(at), 0);
            }

            if (IsOpen(at) && !terms.IsOut(at))
            {
                sent[minute] = Math.Min(Math.Min(PerMinute, PerHour - inHour), PerDay - inDay);
            }

            inHour += sent[minute];
            inDay += sent[minute];
        }

        return sent.Sum();
    }

    /// <summary>No minute and no hour, wherever it begins, no day of its zone, and nothing while its window is closed.</summary>
    public void CheckAllowed(IReadOnlyList<DateTimeOffset> starts)
    {
        var (inMinute, inHour) = (0, 0);
        for (var i = 0; i < starts.Count; i++)
        {
            for (inMinute++; starts[i] - starts[i - inMinute + 1] >= TimeSpan.FromMinutes(1); inMinute--)
            {
            }

            for (inHour++; starts[i] - starts[i - inHour + 1] >= TimeSpan.FromHours(1); inHour--)
            {
            }

            Assert.True(inMinute <= PerMinute, $"{terms.Settings} sent {inMinute} in the minute up to {starts[i]:O} and may send {PerMinute}");
            Assert.True(inHour <= PerHour, $"{terms.Settings} sent {inHour} in the hour up to {starts[i]:O} and may send {PerHour}");
            Assert.True(IsOpen(starts[i]), $"{terms.Settings} sent at {starts[i]:O}, outside its window");
        }

        foreach (var day in starts.CountBy(LocalDay))
        {
            Assert.True(day.Value <= PerDay, $"{terms.Settings} sent {day.Value} on {day.Key:O} and may send {PerDay}");
        }
    }

    private ServiceLimits Limits => terms.Settings.Limits;

    private int PerMinute => terms.Settings.PerMinute ?? int.MaxValue;

    private int PerHour => Limits.PerHour ?? int.MaxValue;

    private int PerDay => Limits.PerDay ?? int.MaxValue;

    private DateTime Local(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, Limits.Zone).DateTime;

    private DateOnly LocalDay(DateTimeOffset at) => DateOnly.FromDateTime(Local(at));

    /// <summary>Windows of this test are within one day, and the same on all days.</summary>
    private bool IsOpen(DateTimeOffset at) => Limits.Windows is not [var window] || (TimeOnly.FromDateTime(Local(at)) is var time && time >= window.From && time < window.To);
}
