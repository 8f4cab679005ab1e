using Edm.Contracts;

namespace Edm.Engine.Queues;

/// <summary>When a deferred recipient is tried again.</summary>
public static class RetryDelay
{
    /// <summary>
    /// Exponential with ± 20 % jitter, from the rules' first delay times what the class of the reply asks for. The jitter is a hash of the recipient and the attempt,
    /// not a random number: retries of one moment spread out, and the same history always gives the same future.
    /// </summary>
    /// <param name="reply">Null: there was no reply.</param>
    /// <param name="asked">How long the server asked to wait. It is waited, and up to 20 % more; from the second try on no less than the backoff either.</param>
    /// <param name="attempt">The number of the try that was deferred, from 1.</param>
    public static TimeSpan After(RetryRules rules, TaskId task, int seq, int attempt, ReplyClass? reply = null, TimeSpan? asked = null)
    {
        var spread = (double)(Mix((ulong)task.Value * 0x9E3779B97F4A7C15UL ^ ((ulong)(uint)seq << 20) ^ (uint)attempt) >> 11) / (1UL << 53);
        var doublings = Math.Min(attempt - 1, 30);
        var backoff = Math.Min(First(rules, reply).TotalSeconds * Math.Pow(2, doublings), rules.MaxDelaySeconds) * (0.8 + (0.4 * spread));
        return TimeSpan.FromSeconds(asked is { } wait ? Math.Max(wait.TotalSeconds * (1 + (0.2 * spread)), attempt > 1 ? backoff : 0) : backoff);
    }

    /// <summary>The delay after the first try, before jitter.</summary>
    public static TimeSpan First(RetryRules rules, ReplyClass? reply) => TimeSpan.FromSeconds(Math.Min((long)rules.FirstDelaySeconds * Patience(reply), rules.MaxDelaySeconds));

    /// <summary>How many first delays (a minute, by default) pass before the second try.</summary>
    private static int Patience(ReplyClass? reply) => reply switch
    {
        // Nobody empties a mailbox within minutes.
        ReplyClass.MailboxFull => 60,

        // A standing, a set-up or an unverified mailbox takes somebody's while to mend.
        ReplyClass.PolicyOrReputationBlock => 30,
        ReplyClass.NoSuchUser or ReplyClass.NoSuchDomain or ReplyClass.ContentRejected => 15,
        ReplyClass.AuthenticationFailed or ReplyClass.RelayDenied => 10,

        // Postgrey's and most others' delay is 5 minutes or less.
        ReplyClass.Greylisted or ReplyClass.Throttled => 5,
        _ => 1,
    };

    // The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit.
    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9UL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBUL;
        return x ^ (x >> 31);
    }
}
