namespace Edm.Engine.Services.Limits;

/// <summary>What a service's provider, or its owner, allows. Null or empty means no limit.</summary>
/// <param name="PerHour">In any hour, wherever it begins.</param>
/// <param name="PerDay">In a day of <paramref name="Zone"/>.</param>
/// <param name="Zone">Where its days begin and its windows are read from the clock.</param>
/// <param name="Gap">The least time between the starts of two mails.</param>
/// <param name="GapJitter">0..1: the gap is made longer by a random part of up to so many times itself.</param>
/// <param name="PerConnection">Mails through one connection before it is closed and another one opened.</param>
/// <param name="Providers">Limits that hold for recipients of one provider, beside those above.</param>
public sealed record ServiceLimits(
    int? PerHour, int? PerDay, TimeZoneInfo Zone, TimeSpan Gap, double GapJitter, int? PerConnection, IReadOnlyList<SendingWindow> Windows, WarmUp? WarmUp,
    IReadOnlyDictionary<MailboxProvider, ProviderCap> Providers)
{
    public static ServiceLimits None { get; } =
        new(null, null, TimeZoneInfo.Utc, TimeSpan.Zero, 0, null, [], null, new Dictionary<MailboxProvider, ProviderCap>());
}

/// <summary>At most so many to recipients of one provider.</summary>
public sealed record ProviderCap(int? PerHour, int? PerDay);
