using System.Globalization;

namespace Edm.Engine.Campaigns;

/// <summary>How many mails a day the quotas of a pool's enabled services allow, as far as they are the user's own to know.</summary>
/// <param name="Services">Enabled ones.</param>
/// <param name="PerDay">Of all together; null: one of them has no quota, or they are somebody else's.</param>
public sealed record PoolCapacity(int Services, long? PerDay)
{
    private const int MinutesADay = 1440;
    private const int HoursADay = 24;

    /// <summary>The least of what a service's quotas allow in a day; null when it has none.</summary>
    public static long? OfService(int? perMinute, int? perHour, int? perDay)
    {
        long?[] quotas = [perMinute * (long)MinutesADay, perHour * (long)HoursADay, perDay];
        return quotas.Min();
    }

    /// <summary>In one sentence how long the rest takes by the quotas, and how long with twice as many services; the same as long as the state is the same.</summary>
    /// <param name="open">Recipients that can still get a mail.</param>
    public string Sentence(int open) => (open, Services, PerDay) switch
    {
        (0, _, _) => "Nobody waits for a mail.",
        (_, 0, _) => "The pool has no enabled service, so nobody can say how long it takes.",
        (_, _, null) => string.Create(CultureInfo.InvariantCulture, $"The quotas of the pool's {Of(Services)} set no limit; {Recipients(open)} left."),
        (_, _, 0) => string.Create(CultureInfo.InvariantCulture, $"The quotas of the pool's {Of(Services)} allow no mail at all; {Recipients(open)} left."),
        var (_, services, perDay) => string.Create(
            CultureInfo.InvariantCulture,
            $"The pool's {Of(services)} may send {perDay:N0} mails a day by quota and {Recipients(open)} left: {Days(open, perDay.Value)}; with {2 * services:N0} of this kind {Days(open, 2 * perDay.Value)}."),
    };

    private static string Of(int services) => services == 1 ? "one service" : string.Create(CultureInfo.InvariantCulture, $"{services:N0} services");

    private static string Recipients(int open) => open == 1 ? "1 recipient is" : string.Create(CultureInfo.InvariantCulture, $"{open:N0} recipients are");

    private static string Days(int open, long perDay)
    {
        var days = Math.Ceiling(open / (double)perDay);
        return days <= 1 ? "a day at most" : string.Create(CultureInfo.InvariantCulture, $"{days:N0} days at least");
    }
}
