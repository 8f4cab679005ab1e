namespace Edm.Engine.Services.Limits;

public enum BreakerState
{
    /// <summary>The service works, as far as we know.</summary>
    Closed,

    /// <summary>The service is left alone until <see cref="CircuitBreaker.OpenUntil"/>.</summary>
    Open,

    /// <summary>One connection tries whether it works again; the others wait for what it finds.</summary>
    HalfOpen,
}

/// <summary>
/// Keeps a broken service from being tried by every connection all the time. Opens after three faults in a row, for 5 s, then twice as long after each
/// probe that fails, up to 5 minutes; one success closes it. Only faults of the service count, never what it says of a mail. Not thread-safe.
/// </summary>
public sealed class CircuitBreaker
{
    /// <summary>One fault may be a restart of the server, two a coincidence.</summary>
    public const int Threshold = 3;

    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(5);

    /// <summary>Long enough not to annoy a provider that locked us out, short enough that nobody has to reset anything by hand.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    private int _faults;
    private TimeSpan _pause = FirstPause;
    private bool _probing;

    /// <summary>Null while closed.</summary>
    public DateTimeOffset? OpenUntil { get; private set; }

    public BreakerState State => OpenUntil is null ? BreakerState.Closed : _probing ? BreakerState.HalfOpen : BreakerState.Open;

    /// <summary>May a connection use the service now? In an open breaker whose pause is over this makes the caller the probe.</summary>
    public bool TryPass(DateTimeOffset now)
    {
        if (OpenUntil is not { } until)
        {
            return true;
        }

        if (_probing || now < until)
        {
            return false;
        }

        _probing = true;
        return true;
    }

    /// <summary>When <see cref="TryPass"/> may next succeed: now, at the end of the pause, or null while a probe is under way.</summary>
    public DateTimeOffset? NextAt(DateTimeOffset now) => State switch
    {
        BreakerState.Closed => now,
        BreakerState.Open => OpenUntil > now ? OpenUntil : now,
        BreakerState.HalfOpen => null,
        _ => throw new InvalidOperationException($"There is no such state: {State}."),
    };

    /// <summary>The service did its work, whatever it said about the mail.</summary>
    public void Succeeded()
    {
        _faults = 0;
        _pause = FirstPause;
        _probing = false;
        OpenUntil = null;
    }

    /// <summary>The service could not be used.</summary>
    public void Faulted(DateTimeOffset now)
    {
        if (OpenUntil is null)
        {
            if (++_faults >= Threshold)
            {
                OpenUntil = now + _pause;
            }
        }
        else if (_probing)
        {
            _probing = false;
            _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
            OpenUntil = now + _pause;
        }

        // Else a connection that was under way when the breaker opened: it tells nothing new.
    }

    /// <summary>The probe ended without having tried the service (there was no mail to send, or it was stopped): the next one may be the probe.</summary>
    public void GaveUp() => _probing = false;
}
