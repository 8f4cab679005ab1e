using Edm.Contracts;

namespace Edm.Engine.Services.Limits;

/// <summary>
/// How many mails a service has started in each of the last sixty-one seconds: what the next process has to know of a limit a minute (<see cref="LastMinute"/>). Errs by less
/// than a second, on the safe side. About 250 bytes. Not thread-safe.
/// </summary>
public sealed class LastSeconds
{
    /// <summary>The second that runs and the sixty before it: whatever lies less than a minute back.</summary>
    private const int Length = 61;

    private readonly int[] counts = new int[Length];

    /// <summary>The latest second counted, since 1970; everything after it is empty.</summary>
    private long last;

    /// <summary>Counts <paramref name="n"/> starts. An earlier moment counts into the latest second, so that a clock that was set back grants nothing twice.</summary>
    public void Count(DateTimeOffset at, int n)
    {
        var second = Math.Max(at.ToUnixTimeSeconds(), last);
        for (var nr = Math.Max(last + 1, second - Length + 1); nr <= second; nr++)
        {
            counts[nr % Length] = 0;
        }

        last = second;
        counts[last % Length] += n;
    }

    /// <summary>The starts, the oldest first, each at the end of its second or, if that is to come, now.</summary>
    public IEnumerable<(DateTimeOffset At, int Count)> Until(DateTimeOffset now) => Filled().Select(second =>
        (DateTimeOffset.FromUnixTimeSeconds(second.Nr + 1) is var end && end < now ? end : now, second.Count));

    public StartCount[] ToSnapshot() => [.. Filled()];

    /// <param name="seconds">Null in snapshots of versions that did not keep them.</param>
    public static LastSeconds From(StartCount[]? seconds)
    {
        var log = new LastSeconds();
        foreach (var (nr, _, count) in seconds ?? [])
        {
            log.Count(DateTimeOffset.FromUnixTimeSeconds(nr), count);
        }

        return log;
    }

    private IEnumerable<StartCount> Filled()
    {
        for (var nr = Math.Max(0, last - Length + 1); nr <= last; nr++)
        {
            if (counts[nr % Length] is > 0 and var count)
            {
                yield return new StartCount(nr, 0, count);
            }
        }
    }
}
