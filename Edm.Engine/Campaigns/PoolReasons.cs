using System.Globalization;
using Edm.Contracts;
using Edm.Engine.Dispatch;

namespace Edm.Engine.Campaigns;

/// <summary>
/// Why no service of a pool can send now, out of what each of them says of itself. The words of servers are not repeated: a pool may be shared, and its owner reads them on the
/// services' own pages. Pure; the same state gives the same words.
/// </summary>
public static class PoolReasons
{
    /// <param name="services">As their lanes report them; those that say nothing of themselves are taken to be at work.</param>
    /// <param name="expected">So many services are enabled. While fewer report, nobody knows whether one of the others can send.</param>
    /// <returns>Empty while one of them can send. Else one reason for each kind, that of most services first.</returns>
    public static IReadOnlyList<ServiceReason> Of(IReadOnlyCollection<ServiceReport> services, int expected)
    {
        ArgumentNullException.ThrowIfNull(services);
        var enabled = services.Where(service => !Says(service, "disabled")).ToList();
        if (enabled.Count == 0 || enabled.Count < expected || enabled.Exists(service => Blocking(service) is null))
        {
            return [];
        }

        return [.. enabled.GroupBy(service => Blocking(service)!.Code)
            .OrderByDescending(kind => kind.Count()).ThenBy(kind => kind.Key, StringComparer.Ordinal)
            .Select(kind => Reason(kind.Key, kind.Count(), enabled.Count, kind.Min(service => Blocking(service)!.UntilMs)))];
    }

    /// <summary>What the lanes say counts for more than what is stored: a service whose last error is stored may be at work, or be kept by something else, by now.</summary>
    public static PoolCondition Seen(PoolCondition stored, IReadOnlyCollection<ServiceReport> services)
    {
        ArgumentNullException.ThrowIfNull(stored);
        ArgumentNullException.ThrowIfNull(services);
        var enabled = services.Where(service => !Says(service, "disabled")).ToList();
        var broken = enabled.Count >= stored.Enabled ? Math.Min(enabled.Count(service => Blocking(service)?.Code == "not-working"), stored.Enabled)
            : enabled.Exists(service => Blocking(service) is null) ? 0
            : stored.Broken;
        return stored with { Broken = broken, Reports = services, Standstill = Of(services, stored.Enabled) };
    }

    private static ServiceReason? Blocking(ServiceReport service) => Array.Find(service.Reasons ?? [], reason => reason.Blocks);

    private static bool Says(ServiceReport service, string code) => Array.Exists(service.Reasons ?? [], reason => reason.Code == code);

    private static ServiceReason Reason(string code, int count, int of, long? untilMs)
    {
        var who = of == 1 ? "The pool's one service"
            : count == of ? string.Create(CultureInfo.InvariantCulture, $"All {of:N0} services of the pool")
            : string.Create(CultureInfo.InvariantCulture, $"{count:N0} of {of:N0} services of the pool");
        var until = untilMs is not { } ms ? "" : $"{(count == 1 ? " until" : ", the first until")} {UtcClock.Text(DateTimeOffset.FromUnixTimeMilliseconds(ms))}";
        return new ServiceReason($"services-{code}", $"{who}: {Phrase(code)}{until}.", untilMs);
    }

    private static string Phrase(string code) => code switch
    {
        "not-working" => "out of order",
        "throttled" => "asked to be left in peace",
        "window-closed" => "sending window closed",
        "day-used-up" => "quota of the day used up",
        "hour-used-up" => "quota of the hour used up",
        "minute-used-up" or "gap" or "pace" => "waiting for the pace",
        "stopping" => "moving to another node",
        // Of a lane on a node that is newer than this one.
        _ => code,
    };
}
