namespace Edm.Engine.Services.Limits;

/// <summary>
/// How much of its pace a service may use towards one provider: all of it, until the provider says that it is too fast. Then half at once, half of that at the next such
/// reply, and back by a twentieth of the whole with each minute that passes without one: additive increase, multiplicative decrease (Chiu and Jain, 1989). What a provider
/// asks to wait is waited in full. Pure but for its own state; the clock is the caller's. Not thread-safe.
/// </summary>
public sealed class AdaptivePace
{
    /// <summary>Slower than this tells nothing new of the provider, and coming back from it takes 20 minutes as from anywhere.</summary>
    public const double Lowest = 1.0 / 64;

    public const double RecoveryPerMinute = 0.05;

    /// <summary>Mails that were on their way when the pace was halved may be told the same: they count once.</summary>
    public static readonly TimeSpan Reaction = TimeSpan.FromSeconds(10);

    private double _share = 1;
    private DateTimeOffset _since = DateTimeOffset.MinValue;
    private DateTimeOffset _halvedAt = DateTimeOffset.MinValue;

    /// <summary>The provider asked for peace until then.</summary>
    public DateTimeOffset PausedUntil { get; private set; } = DateTimeOffset.MinValue;

    /// <summary>0 while the provider is left in peace, else <see cref="Lowest"/> to 1. Never falls by time alone.</summary>
    public double Share(DateTimeOffset now) => now < PausedUntil ? 0 : Recovered(now);

    /// <summary>Mails a minute out of a pace of so many, at least one; 0 while the provider is left in peace.</summary>
    public int PerMinute(int pace, DateTimeOffset now)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(pace);
        return Share(now) is > 0 and var share ? Math.Max(1, (int)(pace * share)) : 0;
    }

    /// <summary>The provider said that it is too fast.</summary>
    /// <param name="asked">How long it asked to wait, where it said so.</param>
    public void Throttled(DateTimeOffset now, TimeSpan? asked = null)
    {
        if (now - _halvedAt >= Reaction)
        {
            _share = Math.Max(Lowest, Recovered(now) / 2);
            _halvedAt = now;
        }
        else
        {
            // Known already: the pace stays, and what was won back since is little.
            _share = Recovered(now);
        }

        _since = now;
        if (asked is { } wait && now + wait > PausedUntil)
        {
            PausedUntil = now + wait;
        }
    }

    // While nothing is sent nothing is learnt: a pause wins nothing back.
    private double Recovered(DateTimeOffset now)
    {
        if (_share >= 1)
        {
            return 1;
        }

        var from = PausedUntil > _since ? PausedUntil : _since;
        return now <= from ? _share : Math.Min(1, _share + ((now - from).TotalMinutes * RecoveryPerMinute));
    }
}
