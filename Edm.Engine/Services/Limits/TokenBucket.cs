namespace Edm.Engine.Services.Limits;

/// <summary>
/// The pace of one service. However it is asked, changed or started again, no span of a minute, wherever it begins, sees more than the limit in force
/// (the higher one, where it was changed within that minute): a provider that counts over a sliding minute never has a reason to complain.
/// </summary>
/// <remarks>
/// Holds at most <c>1 + limit / 300</c> tokens, the mails of a fifth of a second, so that a late timer costs no throughput; and refills slower than
/// the limit by as many a minute as it may hold beyond one, which is what keeps a full bucket within the limit. It costs 0.3 % of the pace, and buys
/// as much again: at full pace a mail may reach the server a fifth of a second later than the one before it did without breaking the limit there.
/// It starts empty, because a process that starts may be one that sent a moment ago. Exact: counts in whole ticks. Not thread-safe.
/// </remarks>
public sealed class TokenBucket
{
    private const long Token = TimeSpan.TicksPerMinute;

    // In ticks times mails a minute: a token is a minute's worth at one mail a minute.
    private long _level;
    private DateTimeOffset _filledAt;

    /// <param name="perMinute">Null: no limit.</param>
    public TokenBucket(int? perMinute, DateTimeOffset now)
    {
        Check(perMinute);
        PerMinute = perMinute;
        _filledAt = now;
    }

    public int? PerMinute { get; private set; }

    private int Burst => 1 + PerMinute!.Value / 300;

    private int Refill => PerMinute!.Value - Burst + 1;

    /// <summary>Takes one mail's permission, if there is one now.</summary>
    public bool TryTake(DateTimeOffset now)
    {
        if (PerMinute is null)
        {
            return true;
        }

        Fill(now);
        if (_level < Token)
        {
            return false;
        }

        _level -= Token;
        return true;
    }

    /// <summary>How many could be taken now; <see cref="int.MaxValue"/> without a limit.</summary>
    public int Available(DateTimeOffset now)
    {
        if (PerMinute is null)
        {
            return int.MaxValue;
        }

        Fill(now);
        return (int)(_level / Token);
    }

    /// <summary>When so many can be taken at once; <paramref name="now"/> itself if they can now, and never if they are more than it ever holds.</summary>
    public DateTimeOffset NextAt(DateTimeOffset now, int tokens = 1)
    {
        if (PerMinute is null)
        {
            return now;
        }

        if (tokens > Burst)
        {
            return DateTimeOffset.MaxValue;
        }

        Fill(now);
        var missing = (tokens * Token) - _level;
        return missing <= 0 ? now : now.AddTicks((missing + Refill - 1) / Refill);
    }

    /// <summary>The new limit holds from now on; what had been saved up stays, as far as it fits.</summary>
    public void Change(int? perMinute, DateTimeOffset now)
    {
        Check(perMinute);
        if (PerMinute is null)
        {
            // Nothing was counted, so nothing is granted.
            _level = 0;
            _filledAt = now;
        }
        else
        {
            Fill(now);
        }

        PerMinute = perMinute;
        if (perMinute is not null)
        {
            _level = Math.Min(_level, Burst * Token);
        }
    }

    private void Fill(DateTimeOffset now)
    {
        // A minute fills any bucket; more would only overflow. A clock that was set back grants nothing for the time it repeats.
        var elapsed = Math.Clamp((now - _filledAt).Ticks, 0, TimeSpan.TicksPerMinute);
        _level = Math.Min(_level + elapsed * Refill, Burst * Token);
        _filledAt = now;
    }

    private static void Check(int? perMinute)
    {
        if (perMinute is { } limit)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPerMinute);
        }
    }

    /// <summary>Far above what one service can take; keeps the arithmetic exact.</summary>
    public const int MaxPerMinute = 1_000_000;
}
