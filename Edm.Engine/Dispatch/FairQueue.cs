using Edm.Contracts;

namespace Edm.Engine.Dispatch;

/// <summary>A pull that is waiting for its batch.</summary>
public sealed record OpenPull(UserId User, long Nr, int Max, long SentAtMs, int Sends);

/// <summary>
/// Whose turn it is: round robin over the users that have due work, one open pull a user. Who has just become ready is served ahead of those who came before,
/// once; but at most every second turn goes to such a newcomer, so that a stream of them starves nobody. Only a batch that answers the open pull is let in, so a
/// late or doubled one can never be sent. Pure; memory is one entry a ready user.
/// </summary>
public sealed class FairQueue
{
    /// <summary>A pull crosses two mailboxes and one journal write; past this its message or its answer is taken for lost.</summary>
    private const long ResendAfterMs = 2_000;

    /// <summary>Then the user is dropped until its queue, which repeats Ready while it has due work, is heard again.</summary>
    private const int MaxSends = 10;

    /// <summary>Those who have not had a turn since they became ready.</summary>
    private readonly Queue<(UserId User, long Arrival)> newcomers = new();

    /// <summary>Those who have.</summary>
    private readonly Queue<(UserId User, long Arrival)> turns = new();

    /// <summary>Everybody in <see cref="newcomers"/> and <see cref="turns"/>.</summary>
    private readonly HashSet<UserId> waiting = [];
    private readonly Dictionary<UserId, OpenPull> open = [];

    /// <summary>Users that said Ready while their pull was open: the answer may have been made before that.</summary>
    private readonly HashSet<UserId> readyAgain = [];

    /// <summary>The last turn went to a newcomer ahead of somebody who had come before.</summary>
    private bool jumped;
    private long arrivals;
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
        else if (waiting.Add(user))
        {
            newcomers.Enqueue((user, ++arrivals));
        }
    }

    /// <summary>Opens a pull for the user whose turn it is; null when nobody is ready without one.</summary>
    public OpenPull? Next(int max, long nowMs)
    {
        if (waiting.Count == 0)
        {
            return null;
        }

        var (user, _) = (IsNewcomersTurn() ? newcomers : turns).Dequeue();
        waiting.Remove(user);
        var pull = new OpenPull(user, ++lastNr, max, nowMs, 1);
        open.Add(user, pull);
        return pull;
    }

    private bool IsNewcomersTurn()
    {
        if (!newcomers.TryPeek(out var newcomer) || !turns.TryPeek(out var other))
        {
            jumped = false;
            return newcomers.Count > 0;
        }

        jumped = newcomer.Arrival > other.Arrival && !jumped;
        return jumped || newcomer.Arrival < other.Arrival;
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
            waiting.Add(batch.User);
            turns.Enqueue((batch.User, ++arrivals));
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
        newcomers.Clear();
        turns.Clear();
        waiting.Clear();
        open.Clear();
        readyAgain.Clear();
    }
}
