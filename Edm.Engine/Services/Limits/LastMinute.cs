namespace Edm.Engine.Services.Limits;

/// <summary>
/// The starts of the last sixty seconds, each with its moment, and so the last word on a limit a minute: a <see cref="TokenBucket"/> spaces mails when they are bound, and a
/// connection that takes long may make some of them start together. After a restart it begins with what <see cref="LastSeconds"/> has kept: the bucket, which begins empty,
/// would let a minute see what was started together just before the end, and its own pace on top. Holds no more moments than the highest limit of the minute. Not thread-safe.
/// </summary>
public sealed class LastMinute
{
    private static readonly long Span = TimeSpan.TicksPerMinute;

    /// <summary>In UTC ticks, ascending.</summary>
    private readonly Queue<long> _starts = new();
    private long _last = long.MinValue;

    public void Count(DateTimeOffset at, int n = 1)
    {
        Forget(at);
        _last = at.UtcTicks;
        for (; n > 0; n--)
        {
            _starts.Enqueue(_last);
        }
    }

    /// <summary>How many may start now; <see cref="int.MaxValue"/> without a limit.</summary>
    public int Left(int? perMinute, DateTimeOffset now)
    {
        if (perMinute is not { } limit)
        {
            return int.MaxValue;
        }

        Forget(now);
        return Math.Max(0, limit - _starts.Count);
    }

    /// <summary>When the next may start: now, or when the oldest is a minute old.</summary>
    public DateTimeOffset NextAt(int? perMinute, DateTimeOffset now) =>
        Left(perMinute, now) > 0 ? now : new DateTimeOffset(_starts.Peek() + Span, TimeSpan.Zero);

    /// <summary>Without a limit nothing is asked, so nothing is remembered.</summary>
    public void Clear() => _starts.Clear();

    private void Forget(DateTimeOffset now)
    {
        if (now.UtcTicks < _last)
        {
            // The clock was set back: what was started later than now was started now, so that nothing waits for a time that is long over.
            var starts = _starts.Select(at => Math.Min(at, now.UtcTicks)).ToArray();
            _starts.Clear();
            Array.ForEach(starts, _starts.Enqueue);
            _last = now.UtcTicks;
        }

        while (_starts.TryPeek(out var oldest) && now.UtcTicks - oldest >= Span)
        {
            _starts.Dequeue();
        }
    }
}
