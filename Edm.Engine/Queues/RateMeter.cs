namespace Edm.Engine.Queues;

/// <summary>Events a second, as the mean over the last minute (or over the time since the first, while that is shorter). Not stored: after a restart it begins anew.</summary>
public sealed class RateMeter
{
    private const int Seconds = 60;

    private readonly int[] buckets = new int[Seconds];
    private long newest = long.MinValue;
    private long first;

    public void Add(long nowMs, int count)
    {
        var second = nowMs / 1000;
        if (newest == long.MinValue)
        {
            (newest, first) = (second, second);
        }

        Forget(second);
        buckets[second % Seconds] += count;
    }

    public double PerSecond(long nowMs)
    {
        if (newest == long.MinValue)
        {
            return 0;
        }

        var second = nowMs / 1000;
        Forget(second);
        return buckets.Sum() / (double)Math.Clamp(second - first + 1, 1, Seconds);
    }

    private void Forget(long second)
    {
        for (var s = Math.Max(newest + 1, second - Seconds + 1); s <= second; s++)
        {
            buckets[s % Seconds] = 0;
        }

        newest = Math.Max(newest, second);
    }
}
