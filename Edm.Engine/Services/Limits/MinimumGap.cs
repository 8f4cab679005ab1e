namespace Edm.Engine.Services.Limits;

/// <summary>The least time between two mails of a service, made longer at random so that no provider sees a machine's rhythm. Not thread-safe.</summary>
public sealed class MinimumGap(Random random, DateTimeOffset now)
{
    /// <summary>A process that starts may be one that sent a moment ago.</summary>
    private DateTimeOffset _last = now;
    private double _luck = random.NextDouble();

    public void Sent(DateTimeOffset at) => (_last, _luck) = (at, random.NextDouble());

    /// <summary>When the next mail may be bound: now, or when the gap is over. A clock that was set back starts the gap anew.</summary>
    public DateTimeOffset NextAt(TimeSpan gap, double jitter, DateTimeOffset now)
    {
        if (gap <= TimeSpan.Zero)
        {
            return now;
        }

        if (now < _last)
        {
            _last = now;
        }

        var next = _last + gap * (1 + Math.Clamp(jitter, 0, 1) * _luck);
        return next > now ? next : now;
    }
}
