using Edm.Contracts;

namespace Edm.Engine.Queues;

/// <summary>When a deferred recipient is tried again.</summary>
public static class RetryDelay
{
    /// <summary>
    /// Exponential with ± 20 % jitter. The jitter is a hash of the recipient and the attempt, not a random number: retries of one moment spread out,
    /// and the same history always gives the same future.
    /// </summary>
    /// <param name="attempt">The number of the try that was deferred, from 1.</param>
    public static TimeSpan After(RetryRules rules, TaskId task, int seq, int attempt)
    {
        var doublings = Math.Min(attempt - 1, 30);
        var seconds = Math.Min(rules.FirstDelaySeconds * Math.Pow(2, doublings), rules.MaxDelaySeconds);
        var hash = Mix((ulong)task.Value * 0x9E3779B97F4A7C15UL ^ ((ulong)(uint)seq << 20) ^ (uint)attempt);
        var jitter = 0.8 + (0.4 * (hash >> 11) / (1UL << 53));
        return TimeSpan.FromSeconds(seconds * jitter);
    }

    // The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit.
    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9UL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBUL;
        return x ^ (x >> 31);
    }
}
