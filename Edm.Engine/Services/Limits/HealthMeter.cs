namespace Edm.Engine.Services.Limits;

/// <summary>
/// How well a service is: the share of its last mails and tries that failed for reasons of its own, as <see cref="SuccessRate"/> counts them. It fades, because a service
/// whose quota was cut below what it has sent already sends nothing more that could show that it is well again. Not thread-safe.
/// </summary>
public sealed class HealthMeter
{
    /// <summary>After an outage of hours it takes about an hour until the whole quota is there again.</summary>
    public static readonly TimeSpan HalfLife = TimeSpan.FromMinutes(30);

    private SuccessRate _rate;
    private DateTimeOffset _at;

    public void Count(bool well, DateTimeOffset now) => (_rate, _at) = (Faded(now).Count(well), now);

    /// <summary>0..1; 1 for a service that was never used.</summary>
    public double Rate(DateTimeOffset now) => Faded(now).Rate;

    /// <summary>When <see cref="ServiceHealth.Of"/> takes its next step up if nothing more is counted; never, when it is well.</summary>
    public DateTimeOffset RisesAt(DateTimeOffset now)
    {
        var rate = Rate(now);
        if (rate >= ServiceHealth.Well)
        {
            return DateTimeOffset.MaxValue;
        }

        var halves = Math.Log2((1 - rate) / (1 - (rate >= ServiceHealth.Ailing ? ServiceHealth.Well : ServiceHealth.Ailing)));

        // A moment later, so that rounding does not bring it back to the step below.
        return now + (HalfLife * halves) + TimeSpan.FromMilliseconds(1);
    }

    private SuccessRate Faded(DateTimeOffset now) => _rate.Rate >= 1 || now <= _at ? _rate : _rate.Fade(Math.Pow(0.5, (now - _at) / HalfLife));
}
