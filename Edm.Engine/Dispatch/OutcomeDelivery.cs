using Edm.Contracts;

namespace Edm.Engine.Dispatch;

/// <summary>
/// Gets the lane's outcomes recorded: to each user one message at a time, the next when it is acknowledged, the same again when it is not. What ends
/// meanwhile goes into the next message, so the busier a lane is, the fewer writes its mails cost their queues. Pure.
/// </summary>
internal sealed class OutcomeDelivery(LaneId lane)
{
    /// <summary>Outcomes in one message; about 60 kB.</summary>
    private const int MaxItems = 500;
    private const long ResendAfterMs = 3_000;

    private readonly Dictionary<UserId, (long UpTo, long SentAtMs)> awaiting = [];
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
            awaiting[user] = (message.UpToCommit, nowMs);
        }

        return message;
    }

    /// <summary>True when this is the acknowledgement that was waited for.</summary>
    public bool Ack(OutcomesAcked ack)
    {
        if (!awaiting.TryGetValue(ack.User, out var sent) || ack.UpToCommit != sent.UpTo)
        {
            return false;
        }

        awaiting.Remove(ack.User);
        acked[ack.User] = ack.UpToCommit;
        unjournaled[ack.User] = ack.UpToCommit;
        return true;
    }

    public IReadOnlyList<Outcomes> Overdue(LaneState state, long nowMs)
    {
        var again = new List<Outcomes>();
        foreach (var user in awaiting.Where(a => nowMs - a.Value.SentAtMs >= ResendAfterMs).Select(a => a.Key).ToArray())
        {
            if (Message(state, user) is { } message)
            {
                awaiting[user] = (message.UpToCommit, nowMs);
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
}
