namespace Edm.Engine.Services.Limits;

/// <summary>
/// How many mails a service may still start: in the hour, in the day of its zone, by its warm-up and by the caps of the recipients' providers. Reads a
/// <see cref="StartLog"/>, which someone else counts into.
/// </summary>
public sealed class ServiceQuota(StartLog log, ServiceLimits limits)
{
    /// <summary>The day for which the moments below were found out.</summary>
    private DateTimeOffset _dayBegan = DateTimeOffset.MaxValue;
    private DateTimeOffset _nextDay = DateTimeOffset.MinValue;
    private DateOnly _today;

    /// <summary>
    /// Of hour and day only so much is used, 0..1, while the service is not well. At 0 nothing is sent. Rounded up, so that a service with a small quota is never shut by it.
    /// </summary>
    public double Health { get; set; } = 1;

    /// <summary>The limit of the day that is: the owner's, the warm-up's and that of its health, whichever is less; null for none.</summary>
    public int? PerDay(DateTimeOffset now)
    {
        LearnDay(now);
        return Healthy(Least(limits.PerDay, limits.WarmUp?.On(_today)));
    }

    /// <summary>The limit of the hour that is: the owner's and that of its health; null for none.</summary>
    public int? PerHour => Healthy(limits.PerHour);

    /// <summary>How many more mails may be started in what is left of the day; null without a limit.</summary>
    public int? LeftToday(DateTimeOffset now) => PerDay(now) is { } perDay ? Math.Max(0, perDay - log.Since(_dayBegan)) : null;

    /// <summary>How many mails may be started now; <see cref="int.MaxValue"/> without limits.</summary>
    public int Left(DateTimeOffset now)
    {
        var left = int.MaxValue;
        if (PerHour is { } perHour)
        {
            left = perHour - log.InHour(now);
        }

        if (PerDay(now) is { } perDay)
        {
            left = Math.Min(left, perDay - log.Since(_dayBegan));
        }

        return Math.Max(0, left);
    }

    /// <summary>How many mails to recipients of this provider its own cap allows now; <see cref="int.MaxValue"/> without one. <see cref="Left"/> holds beside it.</summary>
    public int Left(MailboxProvider provider, DateTimeOffset now)
    {
        if (!limits.Providers.TryGetValue(provider, out var cap))
        {
            return int.MaxValue;
        }

        LearnDay(now);
        var hour = cap.PerHour is { } perHour ? perHour - log.InHour(now, provider) : int.MaxValue;
        var day = cap.PerDay is { } perDay ? perDay - log.Since(_dayBegan, provider) : int.MaxValue;
        return Math.Max(0, Math.Min(hour, day));
    }

    /// <summary>When the next mail may be started, as far as quota goes: now, when the hour allows it, or at midnight of the zone. Never, for a limit of nothing.</summary>
    public DateTimeOffset NextAt(DateTimeOffset now)
    {
        var (byHour, byDay) = (HourAt(now), DayAt(now));
        return byHour > byDay ? byHour : byDay;
    }

    /// <summary>The same by the limit of the hour alone.</summary>
    public DateTimeOffset HourAt(DateTimeOffset now) => PerHour is { } perHour ? log.HourIsBelow(perHour, now) : now;

    /// <summary>The same by the limit of the day alone.</summary>
    public DateTimeOffset DayAt(DateTimeOffset now) => LeftToday(now) == 0 ? NextDay(now) : now;

    /// <summary>The same for recipients of one provider, by its own cap.</summary>
    public DateTimeOffset NextAt(MailboxProvider provider, DateTimeOffset now)
    {
        if (!limits.Providers.TryGetValue(provider, out var cap))
        {
            return now;
        }

        LearnDay(now);
        var byHour = cap.PerHour is { } perHour ? log.HourIsBelow(perHour, now, provider) : now;
        var byDay = cap.PerDay is { } perDay && log.Since(_dayBegan, provider) >= perDay ? (perDay <= 0 ? DateTimeOffset.MaxValue : _nextDay) : now;
        return byHour > byDay ? byHour : byDay;
    }

    /// <summary>
    /// 0..1: the share of the day's quota that is left, against the share of the day that is left. 1 means that it comes to its end no sooner than the day does,
    /// also without a limit.
    /// </summary>
    public double Share(DateTimeOffset now)
    {
        if (PerDay(now) is not { } perDay)
        {
            return 1;
        }

        var left = Math.Max(0, perDay - log.Since(_dayBegan)) / Math.Max(1.0, perDay);
        var time = (_nextDay - now) / (_nextDay - _dayBegan);
        return time <= 0 ? 1 : Math.Clamp(left / time, 0, 1);
    }

    private DateTimeOffset NextDay(DateTimeOffset now)
    {
        // Tomorrow's limit may be nothing as well, by its warm-up; by anything else only for ever.
        if (limits.PerDay is <= 0 || Health <= 0)
        {
            return DateTimeOffset.MaxValue;
        }

        var day = _today;
        for (var days = 0; limits.WarmUp?.On(day.AddDays(1)) == 0 && days < WarmUp.MaxDays; days++)
        {
            day = day.AddDays(1);
        }

        return day == _today ? _nextDay : LocalTime.ToUtc(limits.Zone, day.AddDays(1).ToDateTime(TimeOnly.MinValue), first: true);
    }

    private void LearnDay(DateTimeOffset now)
    {
        if (now < _dayBegan || now >= _nextDay)
        {
            (_today, _dayBegan, _nextDay) = (LocalTime.Today(limits.Zone, now), LocalTime.DayBegan(limits.Zone, now), LocalTime.NextDay(limits.Zone, now));
        }
    }

    private int? Healthy(int? limit) => Health <= 0 ? 0 : ServiceHealth.Part(limit, Health);

    private static int? Least(int? a, int? b) => a is { } some && b is { } other ? Math.Min(some, other) : a ?? b;
}
