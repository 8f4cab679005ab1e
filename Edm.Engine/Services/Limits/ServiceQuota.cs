using Edm.Contracts;

namespace Edm.Engine.Services.Limits;

/// <summary>The limits of a service; null means none.</summary>
public readonly record struct QuotaLimits(int? PerHour, int? PerDay);

/// <summary>
/// What a service has used of its hour and of its day, both of UTC. Counted from journaled starts, also of mails that were then deferred: a provider counts
/// them too. The counters are kept whether or not there is a limit, so that a limit set at noon knows about the morning.
/// </summary>
public sealed record ServiceQuota(QuotaWindow Hour, QuotaWindow Day)
{
    private static readonly TimeSpan HourLength = TimeSpan.FromHours(1);
    private static readonly TimeSpan DayLength = TimeSpan.FromDays(1);

    public static ServiceQuota Unused { get; } = new(default, default);

    public static ServiceQuota Of(StartCounter counter)
    {
        ArgumentNullException.ThrowIfNull(counter);
        return new ServiceQuota(new QuotaWindow(counter.Hour, counter.InHour), new QuotaWindow(counter.Day, counter.InDay));
    }

    public StartCounter ToCounter(ServiceId service) => new(service, Hour.Nr, Hour.Used, Day.Nr, Day.Used);

    public ServiceQuota Count(DateTimeOffset at, int n = 1) => new(Hour.Count(HourLength, at, n), Day.Count(DayLength, at, n));

    /// <summary>How many mails may still be started now; <see cref="int.MaxValue"/> without limits.</summary>
    public int Left(QuotaLimits limits, DateTimeOffset now) =>
        Math.Min(Hour.Left(HourLength, limits.PerHour, now), Day.Left(DayLength, limits.PerDay, now));

    /// <summary>When the next mail may be started, as far as quota goes: now, at the full hour, or at midnight UTC.</summary>
    public DateTimeOffset NextAt(QuotaLimits limits, DateTimeOffset now)
    {
        var hour = Hour.NextAt(HourLength, limits.PerHour, now);
        var day = Day.NextAt(DayLength, limits.PerDay, now);
        return hour > day ? hour : day;
    }

    /// <summary>The share of quota left, 0..1: the smaller of hour and day; 1 without limits.</summary>
    public double Share(QuotaLimits limits, DateTimeOffset now) =>
        Math.Min(Of(Hour.Left(HourLength, limits.PerHour, now), limits.PerHour), Of(Day.Left(DayLength, limits.PerDay, now), limits.PerDay));

    private static double Of(int left, int? limit) => limit switch
    {
        null => 1,
        <= 0 => 0,
        { } most => (double)left / most,
    };
}
