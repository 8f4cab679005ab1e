namespace Edm.Engine.Services.Limits;

/// <summary>A stretch of time in which services of one kind send without a break.</summary>
/// <param name="PerHour">All of them together; infinite without a limit.</param>
/// <param name="Most">In the whole stretch; infinite without a limit.</param>
internal readonly record struct Stretch(DateTimeOffset From, DateTimeOffset To, double PerHour, double Most)
{
    /// <summary>Mails sent up to a moment. Without a limit on the pace all go at the beginning.</summary>
    public double SentBy(DateTimeOffset at) =>
        at < From ? 0
        : double.IsInfinity(PerHour) ? Most
        : Math.Min(Most, PerHour * ((at < To ? at : To) - From).TotalHours);
}

/// <summary>
/// How many mails services of one kind may send over time: by their pace, their quotas, their windows, their warm-up, their present health and their caps for one provider.
/// What servers ask for on the way (to wait, to slow down) is left out, so they can be slower and never faster. Pure.
/// </summary>
/// <param name="count">So many services have these limits.</param>
/// <param name="leftToday">Mails that the present day still allows all of them; null: as many as its quota.</param>
/// <param name="health">The part of hour and day that they are trusted with, see <see cref="ServiceHealth"/>.</param>
public sealed class ServiceCapacity(int count, int? perMinute, ServiceLimits limits, long? leftToday = null, double health = 1)
{
    /// <summary>Providers for whose mailboxes they have a limit of its own.</summary>
    internal IEnumerable<MailboxProvider> Capped => limits.Providers.Keys;

    /// <summary>By time, from and to as given.</summary>
    /// <param name="provider">If they sent to its mailboxes only; null: to anybody.</param>
    internal IEnumerable<Stretch> Stretches(DateTimeOffset from, DateTimeOffset to, MailboxProvider? provider = null)
    {
        var cap = provider is { } one ? limits.Providers.GetValueOrDefault(one) : null;
        var windows = new SendingWindows(limits.Zone, limits.Windows);
        var perHour = count * PerHour(cap);
        for (var at = from; at < to;)
        {
            var nextDay = LocalTime.NextDay(limits.Zone, at);
            var left = count * PerDay(LocalTime.Today(limits.Zone, at), cap);
            if (at == from && leftToday is { } today)
            {
                left = Math.Min(left, today);
            }

            while (at < nextDay)
            {
                var (isOpen, until) = windows.At(at);
                var end = until < nextDay ? until : nextDay;
                if (isOpen)
                {
                    var most = Math.Min(left, perHour * (end - at).TotalHours);
                    left = double.IsInfinity(left) ? left : left - most;
                    yield return new Stretch(at, end, perHour, most);
                }

                at = end;
            }
        }
    }

    private double PerHour(ProviderCap? cap) =>
        Least(perMinute * 60.0, ServiceHealth.Part(limits.PerHour, health), cap?.PerHour, limits.Gap > TimeSpan.Zero ? TimeSpan.FromHours(1) / limits.Gap : null);

    private double PerDay(DateOnly day, ProviderCap? cap) => Least(ServiceHealth.Part(limits.PerDay, health), ServiceHealth.Part(limits.WarmUp?.On(day), health), cap?.PerDay);

    private static double Least(params double?[] some) => some.Min() ?? double.PositiveInfinity;
}
