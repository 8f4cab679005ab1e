using Edm.Contracts;

namespace Edm.Engine.Dispatch;

/// <summary>
/// Gets the lane's outcomes recorded: to each user one message at a time, the next when it is acknowledged, the same again when it is not. What ends
/// meanwhile goes into the next message, so the busier a lane is, the fewer writes its mails cost their queues. How long it waits before it says
/// something again follows how long the user's queue took to answer last: a slow queue is not given the same work twice. Pure.
/// </summary>
internal sealed class OutcomeDelivery(LaneId lane)
{
    /// <summary>Outcomes in one message; about 60 kB.</summary>
    private const int MaxItems = 500;

    /// <summary>Long enough for a queue that must be woken, or that writes to a busy disk.</summary>
    private const long MinPatienceMs = 3_000;

    /// <summary>A queue that comes back is told this much later at most; its leases stay open for as long.</summary>
    private const long MaxPatienceMs = 24_000;

    private readonly Dictionary<UserId, UnderWay> awaiting = [];

    /// <summary>How long the user's queue is waited for at first; only of those whose last answer took long.</summary>
    private readonly Dictionary<UserId, long> patience = [];
    private readonly Dictionary<UserId, long> acked = [];

    /// <summary>Acknowledged, but not journaled as such yet.</summary>
    private readonly Dictionary<UserId, long> unjournaled = [];

    public bool HasUnjournaledAcks => unjournaled.Count > 0;

    public bool IsAwaiting => awaiting.Count > 0;

    public AckedOutcomes[] TakeAcks()
    {
        var acks = unjournaled.Select(a => new AckedOutcomes(a.Key, a.Value)).ToArray();
        unjournaled.Clear();
        return acks;
    }

    /// <summary>The next message for the user, if one is due and none is under way.</summary>
    public Outcomes? Next(LaneState state, UserId user, long nowMs)
    {
        if (awaiting.ContainsKey(user))
        {
            return null;
        }

        var message = Message(state, user);
        if (message is not null)
        {
            awaiting[user] = new UnderWay(Math.Max(acked.GetValueOrDefault(user), state.FirstUnacked(user) - 1), message.UpToCommit, nowMs, nowMs, patience.GetValueOrDefault(user, MinPatienceMs));
        }

        return message;
    }

    /// <summary>
    /// True when nothing is under way to the user any more. The late answer to a message that was said again meanwhile, with more in it, confirms the part
    /// that it is for.
    /// </summary>
    public bool Ack(OutcomesAcked ack, long nowMs)
    {
        if (!awaiting.TryGetValue(ack.User, out var sent) || ack.UpToCommit <= sent.After || ack.UpToCommit > sent.UpTo)
        {
            return false;
        }

        acked[ack.User] = ack.UpToCommit;
        unjournaled[ack.User] = ack.UpToCommit;
        if (ack.UpToCommit < sent.UpTo)
        {
            awaiting[ack.User] = sent with { After = ack.UpToCommit };
            return false;
        }

        awaiting.Remove(ack.User);
        Learn(ack.User, nowMs - sent.FirstSentAtMs);
        return true;
    }

    /// <summary>Twice what the answer took, so that a queue as slow as that is not told everything twice.</summary>
    private void Learn(UserId user, long tookMs)
    {
        var wait = Math.Min(2 * tookMs, MaxPatienceMs);
        if (wait > MinPatienceMs)
        {
            patience[user] = wait;
        }
        else
        {
            patience.Remove(user);
        }
    }

    /// <summary>What was not confirmed in time, with what ended meanwhile. Each time the wait for the next doubles.</summary>
    public IReadOnlyList<Outcomes> Overdue(LaneState state, long nowMs)
    {
        var again = new List<Outcomes>();
        foreach (var (user, sent) in awaiting.Where(a => nowMs - a.Value.SentAtMs >= a.Value.PatienceMs).ToArray())
        {
            if (Message(state, user) is { } message)
            {
                awaiting[user] = sent with { UpTo = message.UpToCommit, SentAtMs = nowMs, PatienceMs = Math.Min(2 * sent.PatienceMs, MaxPatienceMs) };
                again.Add(message);
            }
            else
            {
                awaiting.Remove(user);
            }
        }

        return again;
    }

    /// <summary>The acks in this commit are durable; what they covered is gone from the state.</summary>
    public void Journaled(IEnumerable<AckedOutcomes> acks)
    {
        foreach (var ack in acks.Where(a => acked.GetValueOrDefault(a.User) == a.UpToCommit && !awaiting.ContainsKey(a.User)))
        {
            acked.Remove(ack.User);
        }
    }

    private Outcomes? Message(LaneState state, UserId user)
    {
        var (outcomes, upTo) = state.Unacked(user, acked.GetValueOrDefault(user), MaxItems);
        return outcomes.Count == 0 ? null : new Outcomes(user, lane, upTo, [.. outcomes]);
    }

    /// <param name="After">The commit up to which the queue has confirmed.</param>
    /// <param name="UpTo">The commit up to which it was told.</param>
    private readonly record struct UnderWay(long After, long UpTo, long FirstSentAtMs, long SentAtMs, long PatienceMs);
}
