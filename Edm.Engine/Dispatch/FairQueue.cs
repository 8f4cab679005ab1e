using Edm.Contracts;

namespace Edm.Engine.Dispatch;

/// <summary>A pull that is waiting for its batch.</summary>
/// <param name="FirstSentAtMs">When it was opened.</param>
/// <param name="SentAtMs">When it was sent last.</param>
/// <param name="HasPlace">False: its batch is late, and somebody else was asked for one in its place.</param>
public sealed record OpenPull(UserId User, long Nr, int Max, long FirstSentAtMs, long SentAtMs, int Sends, bool HasPlace);

/// <summary>
/// Whose turn it is: round robin over the users that have due work, one open pull a user. Who has just become ready is served ahead of those who came before,
/// once; but at most every second turn goes to such a newcomer, so that a stream of them starves nobody. Only a batch that answers the open pull is let in, so an
/// old or doubled one can never be sent. Pure; memory is one entry a ready user.
/// <para>
/// There are as many places as the graph has room for batches, and a pull takes one. Who does not answer soon loses the place to the next user, but not the
/// turn: the pull stays open, and when its batch comes after all it is let in on credit. So queues that are gone hold up nobody, and slow ones lose nothing.
/// </para>
/// </summary>
public sealed class FairQueue
{
    /// <summary>A pull crosses two mailboxes and one journal write; past this its message or its answer is taken for lost.</summary>
    private const long ResendAfterMs = 2_000;

    /// <summary>Then the user is dropped until its queue, which repeats Ready while it has due work, is heard again.</summary>
    private const int MaxSends = 10;

    /// <summary>Many times what a pull takes that is answered at all; only then does its place go to somebody else, and only if there is somebody.</summary>
    private const long PlaceForMs = 500;

    /// <summary>Late pulls at a time, and so the batches that can come beyond the room for them.</summary>
    private const int MaxLate = 32;

    /// <summary>When there are that many, the one that was asked longest and at least so often is dropped for the next.</summary>
    private const int SendsBeforeDisplaced = 3;

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

    /// <summary>Batches that the graph has room for and nobody was asked for. Below 0 while there are late ones on credit.</summary>
    private int places;

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

    public void AddPlaces(int more) => places += more;

    /// <summary>Opens a pull for the user whose turn it is; null when nobody is ready without one, or no place is free.</summary>
    public OpenPull? Next(int max, long nowMs)
    {
        if (waiting.Count == 0 || !(places > 0 || FreePlace(nowMs)))
        {
            return null;
        }

        var (user, _) = (IsNewcomersTurn() ? newcomers : turns).Dequeue();
        waiting.Remove(user);
        var pull = new OpenPull(user, ++lastNr, max, nowMs, nowMs, 1, true);
        open.Add(user, pull);
        places--;
        return pull;
    }

    /// <summary>Takes its place from the pull that waits longest; false when none is late.</summary>
    private bool FreePlace(long nowMs)
    {
        // The open pulls are some 40 at most.
        if (places < 0 || open.Values.Where(p => p.HasPlace).MinBy(p => p.Nr) is not { } slow || nowMs - slow.FirstSentAtMs < PlaceForMs)
        {
            return false;
        }

        if (open.Values.Count(p => !p.HasPlace) >= MaxLate)
        {
            if (open.Values.Where(p => !p.HasPlace).MinBy(p => p.Nr) is not { Sends: >= SendsBeforeDisplaced } oldest)
            {
                return false;
            }

            Drop(oldest);
        }

        open[slow.User] = slow with { HasPlace = false };
        places++;
        return true;
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

    /// <summary>True when the batch answers the open pull of its user, which is closed by it, and there is something in it; any other must not be touched.</summary>
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

        var isEmpty = batch.Lease is null || batch.Fresh.Length + batch.Retries.Length == 0;
        places += (pull.HasPlace, isEmpty) switch
        {
            (true, true) => 1,
            (false, false) => -1,
            _ => 0,
        };
        return !isEmpty;
    }

    /// <summary>The pulls to send again now, with their old numbers; those sent too often are closed for good.</summary>
    public IReadOnlyList<OpenPull> Overdue(long nowMs)
    {
        var again = new List<OpenPull>();
        foreach (var pull in open.Values.Where(p => nowMs - p.SentAtMs >= ResendAfterMs).ToArray())
        {
            if (pull.Sends >= MaxSends)
            {
                Drop(pull);
            }
            else
            {
                again.Add(open[pull.User] = pull with { SentAtMs = nowMs, Sends = pull.Sends + 1 });
            }
        }

        return again;
    }

    private void Drop(OpenPull pull)
    {
        open.Remove(pull.User);
        readyAgain.Remove(pull.User);
        places += pull.HasPlace ? 1 : 0;
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
