namespace Edm.Contracts.Http;

/// <summary>What the provider of a service allows beside its numbers a minute, hour and day. What is left out is not limited.</summary>
/// <param name="TimeZone">An IANA name such as Europe/Berlin: where the service's days begin and its windows are read from the clock. UTC when it is left out.</param>
/// <param name="MinGapSeconds">The least time between the starts of two mails, 0.001 to 86,400.</param>
/// <param name="GapJitter">0 to 1: each gap is made longer by a random part of up to so many times itself.</param>
/// <param name="MailsPerConnection">After so many mails the connection is closed and another one opened.</param>
/// <param name="Windows">When it may send; always when there are none.</param>
/// <param name="WarmUp">Fewer mails a day while the sender is young.</param>
/// <param name="ProviderCaps">Limits for recipients of one provider: gmail, outlook, yahoo, qq, 163, other.</param>
public sealed record SendingLimits(
    string? TimeZone = null, double? MinGapSeconds = null, double? GapJitter = null, int? MailsPerConnection = null, SendingHours[]? Windows = null,
    WarmUpPlan? WarmUp = null, Dictionary<string, ProviderLimit>? ProviderCaps = null);

/// <param name="Days">mon, tue, wed, thu, fri, sat, sun: those on which it begins.</param>
/// <param name="From">Such as 09:00, by the clock of the time zone.</param>
/// <param name="To">Such as 17:30; 24:00 is the end of the day. One that is earlier than <paramref name="From"/> is on the next day.</param>
public sealed record SendingHours(string[] Days, string From, string To);

/// <summary>Either a table, or first, growth and days.</summary>
/// <param name="Start">The first day, such as 2026-11-28.</param>
/// <param name="Table">Mails on the first day, the second, …; afterwards only the service's own limit holds.</param>
/// <param name="First">Mails on the first day.</param>
/// <param name="Growth">Each day so many times those of the day before, 1 to 10.</param>
/// <param name="Days">How many days it takes, 1 to 730.</param>
public sealed record WarmUpPlan(DateOnly Start, int[]? Table = null, int? First = null, double? Growth = null, int? Days = null);

/// <param name="PerHour">Mails in any hour; null for no limit.</param>
/// <param name="PerDay">Mails a day of the service's time zone; null for no limit.</param>
public sealed record ProviderLimit(int? PerHour = null, int? PerDay = null);

/// <summary>How much each part of a service's score counts, 0 to 1,000 each; only their proportions matter.</summary>
/// <param name="Time">How long ago it sent, against its pace.</param>
/// <param name="Quota">The share of its quota that is left, against the share of the day that is left.</param>
/// <param name="Success">How many of its last mails were taken.</param>
/// <param name="ProviderFit">How many of its last mails to the recipient's provider were taken.</param>
public sealed record SelectionWeights(double Time = 0.3, double Quota = 0.3, double Success = 0.25, double ProviderFit = 0.15);
