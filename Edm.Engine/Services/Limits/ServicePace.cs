namespace Edm.Engine.Services.Limits;

/// <summary>
/// The pace of one service: what its owner allows, slower by what its provider complains about (<see cref="AdaptivePace"/>). Without a limit of the owner's a complaint makes
/// one, of the mails of the last minute, until the pace is whole again. Never faster than the owner allows. Not thread-safe.
/// </summary>
public sealed class ServicePace
{
    /// <summary>Whoever asks for more is asked again after this: each mail that was deferred waits its own time in full, and others may fare better.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly AdaptivePace _adaptive = new();
    private readonly TokenBucket _bucket;
    private int? _own;

    /// <summary>What the share is of, where the owner sets no limit.</summary>
    private int _measured = 1;

    private DateTimeOffset _minute;
    private int _inMinute;
    private int _inMinuteBefore;

    /// <param name="perMinute">The owner's limit; null: none.</param>
    public ServicePace(int? perMinute, DateTimeOffset now)
    {
        (_own, _minute) = (perMinute, now);
        _bucket = new TokenBucket(perMinute, now);
    }

    /// <summary>The provider asked for peace, and has it.</summary>
    public bool IsPaused(DateTimeOffset now) => now < _adaptive.PausedUntil;

    /// <summary>Until when; in the past when it has not asked.</summary>
    public DateTimeOffset PausedUntil => _adaptive.PausedUntil;

    /// <summary>What holds now or, while the provider has peace, afterwards; null: no limit.</summary>
    public int? PerMinute(DateTimeOffset now) => _adaptive.Share(IsPaused(now) ? _adaptive.PausedUntil : now) switch
    {
        >= 1 => _own,
        var share => Math.Max(1, (int)((_own ?? _measured) * share)),
    };

    /// <summary>Takes one mail's permission, if there is one now.</summary>
    public bool TryTake(DateTimeOffset now)
    {
        Follow(now);
        if (IsPaused(now) || !_bucket.TryTake(now))
        {
            return false;
        }

        Count(now);
        return true;
    }

    /// <summary>How many could be taken now; <see cref="int.MaxValue"/> without a limit.</summary>
    public int Available(DateTimeOffset now)
    {
        Follow(now);
        return IsPaused(now) ? 0 : _bucket.Available(now);
    }

    /// <summary>When so many can be taken at once, should the pace stay as it is; <paramref name="now"/> itself if they can now, and never if they are more than it ever holds.</summary>
    public DateTimeOffset NextAt(DateTimeOffset now, int mails = 1)
    {
        Follow(now);
        var next = _bucket.NextAt(now, mails);
        return _adaptive.PausedUntil > next ? _adaptive.PausedUntil : next;
    }

    /// <summary>The owner's new limit holds from now on. What the provider complained about stays.</summary>
    public void Change(int? perMinute, DateTimeOffset now)
    {
        _own = perMinute;
        Follow(now);
    }

    /// <summary>The provider says that this is too fast.</summary>
    /// <param name="asked">How long it asks to wait, where it says so.</param>
    public void Throttled(DateTimeOffset now, TimeSpan? asked)
    {
        Count(now, 0);
        if (_adaptive.Share(now) >= 1)
        {
            _measured = Math.Clamp(Math.Max(_inMinute, _inMinuteBefore), 1, TokenBucket.MaxPerMinute);
        }

        _adaptive.Throttled(now, asked > LongestPause ? LongestPause : asked);
        Follow(now);
    }

    private void Follow(DateTimeOffset now)
    {
        var limit = PerMinute(now);
        if (limit != _bucket.PerMinute)
        {
            _bucket.Change(limit, now);
        }
    }

    private void Count(DateTimeOffset now, int n = 1)
    {
        if (now - _minute >= Minute)
        {
            _inMinuteBefore = now - _minute < 2 * Minute ? _inMinute : 0;
            (_inMinute, _minute) = (0, now);
        }

        _inMinute += n;
    }
}
