namespace Edm.Engine.Services.Limits;

/// <summary>
/// What one provider lets one service do, beside the caps of its quota: its own pace, slower by what it complains about, and the rest after it has refused the service. Others
/// go on at full pace. Not thread-safe.
/// </summary>
public sealed class ProviderGate(MailboxProvider provider, DateTimeOffset now)
{
    /// <summary>A big provider speaks for all its mailboxes; the others are many, and one of them that does not want us says nothing of the next.</summary>
    private const int RefusalsOfOthers = 3;

    public ServicePace Pace { get; } = new(null, now);

    public ProviderRest Rest { get; } = new(provider == MailboxProvider.Other ? RefusalsOfOthers : 1);

    /// <summary>How well the mails to it fared.</summary>
    public SuccessRate Fit { get; set; }

    /// <summary>Mails that may be bound now; <see cref="int.MaxValue"/> without a limit.</summary>
    /// <param name="inHand">Those that are bound and have not ended.</param>
    public int Room(DateTimeOffset at, int inHand) =>
        Rest.Rests(at) ? 0 : Rest.IsProving ? Math.Min(Pace.Available(at), Math.Max(0, 1 - inHand)) : Pace.Available(at);

    /// <summary>It wants to be left in peace.</summary>
    public bool IsClosed(DateTimeOffset at) => Rest.Rests(at) || Pace.IsPaused(at);

    /// <summary>When there is room again; now, where only mails in hand are waited for.</summary>
    public DateTimeOffset NextAt(DateTimeOffset at) => Pace.NextAt(at) is var paced && paced > Rest.Until ? paced : Rest.Until;

    /// <summary>Time between two mails at its pace; nothing without a limit.</summary>
    public TimeSpan Every(DateTimeOffset at) => Pace.PerMinute(at) is { } perMinute ? TimeSpan.FromMinutes(1) / perMinute : TimeSpan.Zero;
}
