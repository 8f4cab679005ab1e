using Edm.Contracts;

namespace Edm.Engine.Dispatch;

/// <summary>A pull that is waiting for its batch.</summary>
public sealed record OpenPull(UserId User, long Nr, int Max, long SentAtMs, int Sends);

/// <summary>
/// Whose turn it is: round robin over the users that have due work, one open pull a user; who has just become ready is served first, once.
/// Only a batch that answers the open pull is let in, so a late or doubled one can never be sent. Pure; memory is one entry a ready user.
/// </summary>
public sealed class FairQueue
{
    /// <summary>A pull crosses two mailboxes and one journal write; past this its message or its answer is taken for lost.</summary>
    private const long ResendAfterMs = 2_000;

    /// <summary>Then the user is dropped until its queue, which repeats Ready while it has due work, is heard again.</summary>
    private const int MaxSends = 10;

    private readonly LinkedList<UserId> turns = new();
    private readonly Dictionary<UserId, LinkedListNode<UserId>> waiting = [];
    private readonly Dictionary<UserId, OpenPull> open = [];

    /// <summary>Users that said Ready while their pull was open: the answer may have been made before that.</summary>
    private readonly HashSet<UserId> readyAgain = [];

    /// <summary>Users served once since they became ready.</summary>
    private LinkedListNode<UserId>? lastNewcomer;
    private long lastNr;

    public int ReadyUsers => waiting.Count + open.Count;

    public int OpenPulls => open.Count;

    public OpenPull? OpenPullOf(UserId user) => open.GetValueOrDefault(user);

    public void Ready(UserId user)
    {
        if (open.ContainsKey(user))
        {
            readyAgain.Add(user);
        }
        else if (!waiting.ContainsKey(user))
        {
            // Ahead of those who have had a turn, behind the newcomers that came before.
            lastNewcomer = lastNewcomer is null ? turns.AddFirst(user) : turns.AddAfter(lastNewcomer, user);
            waiting.Add(user, lastNewcomer);
        }
    }

    /// <summary>Opens a pull for the user whose turn it is; null when nobody is ready without one.</summary>
    public OpenPull? Next(int max, long nowMs)
    {
        if (turns.First is not { } first)
        {
            return null;
        }

        Leave(first);
        var pull = new OpenPull(first.Value, ++lastNr, max, nowMs, 1);
        open.Add(first.Value, pull);
        return pull;
    }

    /// <summary>The batch answers the open pull of its user, which is closed by it; false when it must not be touched.</summary>
    public bool Take(Batch batch)
    {
        if (!open.TryGetValue(batch.User, out var pull) || pull.Nr != batch.Nr)
        {
            return false;
        }

        open.Remove(batch.User);
        if (readyAgain.Remove(batch.User) || batch.More)
        {
            waiting[batch.User] = turns.AddLast(batch.User);
        }

        return true;
    }

    /// <summary>The pulls to send again now, with their old numbers; those sent too often are closed for good and counted in <paramref name="dropped"/>.</summary>
    public IReadOnlyList<OpenPull> Overdue(long nowMs, out int dropped)
    {
        var overdue = open.Values.Where(p => nowMs - p.SentAtMs >= ResendAfterMs).ToArray();
        dropped = 0;
        var again = new List<OpenPull>();
        foreach (var pull in overdue)
        {
            if (pull.Sends >= MaxSends)
            {
                open.Remove(pull.User);
                readyAgain.Remove(pull.User);
                dropped++;
            }
            else
            {
                again.Add(open[pull.User] = pull with { SentAtMs = nowMs, Sends = pull.Sends + 1 });
            }
        }

        return again;
    }

    /// <summary>Closes every pull and forgets who is ready; nothing that comes later is let in.</summary>
    public void Clear()
    {
        turns.Clear();
        waiting.Clear();
        open.Clear();
        readyAgain.Clear();
        lastNewcomer = null;
    }

    private void Leave(LinkedListNode<UserId> node)
    {
        if (node == lastNewcomer)
        {
            lastNewcomer = null;
        }

        turns.Remove(node);
        waiting.Remove(node.Value);
    }
}
