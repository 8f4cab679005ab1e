using Edm.Contracts;

namespace Edm.Engine.Dispatch;

/// <summary>A pull that is waiting for its batch.</summary>
/// <param name="FirstSentAtMs">When it was opened.</param>
/// <param name="SentAtMs">When it was sent last.</param>
/// <param name="HasPlace">False: its batch is late, and somebody else was asked for one in its place.</param>
public sealed record OpenPull(UserId User, long Nr, int Max, long FirstSentAtMs, long SentAtMs, int Sends, bool HasPlace);

/// <summary>
/// Whose turn it is, and how many recipients it is for: deficit round robin (Shreedhar and Varghese 1996) by weight over the users that have due work, one open pull a
/// user. Who has just become ready is served ahead of those who came before, once; but at most every second turn goes to such a newcomer, so that a stream of them
/// starves nobody. Only a batch that answers the open pull is let in, so an old or doubled one can never be sent. Pure; memory is one entry a ready user.
/// <para>
/// A round is for some <see cref="Round"/> recipients, or for <see cref="Least"/> a user where that is more, and each user's quantum is a share of it by weight: so the
/// weights say who gets how much, and what users weigh makes no round longer. Where a quantum would be larger than a batch may be, all of them are made smaller
/// together. What a quantum leaves over (a fraction, or what a queue did not give although it has more) is kept for the next turn, up to one quantum; who has nothing
/// more loses it. Who could not have <see cref="Least"/> yet is passed over. A newcomer's first turn always is for so many, on credit.
/// </para>
/// <para>
/// There are as many places as the graph has room for batches, and a pull takes one. Who does not answer soon loses the place to the next user, but not the
/// turn: the pull stays open, and when its batch comes after all it is let in on credit. So queues that are gone hold up nobody, and slow ones lose nothing.
/// </para>
/// </summary>
/// <param name="weigh">The weight of a user, 1 to 100, asked anew for each turn. Null: all weigh the same.</param>
public sealed class FairQueue(Func<UserId, int>? weigh = null)
{
    /// <summary>Whoever has had a turn waits for a round: with few users less than a tenth of a second, at 3,000 mails in one.</summary>
    private const int Round = 256;

    /// <summary>Recipients in a batch, where it may have as many. A pull costs a journal write and a query: with a hundred users and pulls of two a mail cost 6.6 times as much as with one user, of 16 1.6 and of 32 1.27 times.</summary>
    private const int Least = 32;

    /// <summary>Below 1 by more than what adding up fractions makes.</summary>
    private const double Almost = 1 - 1e-9;

    private const int MaxWeight = 100;

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
    private readonly Queue<Turn> newcomers = new();

    /// <summary>
    /// Those who have, by their last turn. By when they were asked, not by when the batch came: else everybody would fall behind those who were passed over by as
    /// many places as batches are under way.
    /// </summary>
    private readonly PriorityQueue<Turn, long> turns = new();

    /// <summary>Everybody in <see cref="newcomers"/> and <see cref="turns"/>.</summary>
    private readonly HashSet<UserId> waiting = [];
    private readonly Dictionary<UserId, OpenPull> open = [];

    /// <summary>The turns that the open pulls are.</summary>
    private readonly Dictionary<UserId, Turn> asked = [];

    /// <summary>By weight: how many of the ready users weigh so much.</summary>
    private readonly int[] weights = new int[MaxWeight + 1];
    private long totalWeight;

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
            newcomers.Enqueue(Weigh(new Turn(user) { Arrival = ++arrivals }));
        }
    }

    public void AddPlaces(int more) => places += more;

    /// <summary>Opens a pull for the user whose turn it is; null when nobody is ready without one, or no place is free.</summary>
    /// <param name="most">Recipients in one batch.</param>
    public OpenPull? Next(int most, long nowMs)
    {
        if (waiting.Count == 0)
        {
            return null;
        }

        var share = Share(most);
        var least = Math.Min(Least, most);
        var turn = TakeTurn(share, least, nowMs);
        if ((turn is null && newcomers.Count == 0) || !(places > 0 || FreePlace(nowMs)))
        {
            GiveBack(turn);
            return null;
        }

        if (turn is null)
        {
            jumped = false;
            turn = newcomers.Dequeue();
        }
        else if (IsNewcomersTurn(turn))
        {
            GiveBack(turn);
            turn = newcomers.Dequeue();
        }

        turn.Quantum = turn.Weight * share;
        turn.Deficit += turn.Quantum;
        waiting.Remove(turn.User);
        var pull = new OpenPull(turn.User, ++lastNr, (int)Math.Clamp(turn.Deficit + 1 - Almost, least, most), nowMs, nowMs, 1, true);
        (turn.SeenAtNr, turn.Arrival) = (lastNr, ++arrivals);
        open.Add(turn.User, pull);
        asked.Add(turn.User, turn);
        places--;
        return pull;
    }

    /// <summary>What a quantum is for each unit of weight.</summary>
    private double Share(int most)
    {
        var heaviest = MaxWeight;
        while (weights[heaviest] == 0)
        {
            heaviest--;
        }

        return Math.Min(Math.Max(Round, Least * ReadyUsers) / (double)totalWeight, most / (double)heaviest);
    }

    /// <summary>
    /// Takes the next out of <see cref="turns"/> who can have enough. Who would not get enough comes to the end with what there is, once a round: the round is over when
    /// those have had their batches who were asked before. A quantum is a hundredth of a batch or more, so for each recipient served no more than 100 / most, which is
    /// 7, come to the end. The queue is looked through beyond those who have to wait for the round's end only while batches are under way.
    /// </summary>
    /// <returns>Null when nobody there is to have a turn before a batch comes.</returns>
    private Turn? TakeTurn(double share, int least, long nowMs)
    {
        Turn? found = null;
        List<Turn>? seen = null;
        long? oldest = null;
        while (found is null && turns.TryDequeue(out var next, out _))
        {
            var quantum = next.Weight * share;
            if (quantum < least * Almost && next.SeenAtNr >= (oldest ??= OldestOpenNr(nowMs)))
            {
                (seen ??= []).Add(next);
            }
            else if (next.Deficit + quantum >= least * Almost)
            {
                found = next;
            }
            else
            {
                (next.SeenAtNr, next.Arrival, next.Deficit) = (lastNr, ++arrivals, next.Deficit + quantum);
                turns.Enqueue(next, next.Arrival);
            }
        }

        // They keep their places among the others.
        seen?.ForEach(turn => turns.Enqueue(turn, turn.Arrival));
        return found;
    }

    private void GiveBack(Turn? turn)
    {
        if (turn is not null)
        {
            turns.Enqueue(turn, turn.Arrival);
        }
    }

    /// <summary>Of the pulls that can still be expected to be answered soon; the round does not wait for queues that are gone.</summary>
    private long OldestOpenNr(long nowMs) => open.Values.Where(p => nowMs - p.FirstSentAtMs < PlaceForMs).Select(p => p.Nr).DefaultIfEmpty(long.MaxValue).Min();

    private Turn Weigh(Turn turn)
    {
        turn.Weight = Math.Clamp(weigh?.Invoke(turn.User) ?? 1, 1, MaxWeight);
        weights[turn.Weight]++;
        totalWeight += turn.Weight;
        return turn;
    }

    private void Unweigh(Turn turn)
    {
        weights[turn.Weight]--;
        totalWeight -= turn.Weight;
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

    private bool IsNewcomersTurn(Turn other)
    {
        if (!newcomers.TryPeek(out var newcomer))
        {
            jumped = false;
            return false;
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
        asked.Remove(batch.User, out var turn);
        Unweigh(turn!);
        var isEmpty = batch.Lease is null || batch.Fresh.Length + batch.Retries.Length == 0;
        if (readyAgain.Remove(batch.User) || batch.More)
        {
            // A first turn may have been on credit.
            turn!.Deficit = batch.More ? Math.Min(turn.Deficit - batch.Fresh.Sum(r => r.Count) - batch.Retries.Length, turn.Quantum) : 0;
            waiting.Add(batch.User);
            turns.Enqueue(Weigh(turn), turn.Arrival);
        }

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
        if (asked.Remove(pull.User, out var turn))
        {
            Unweigh(turn);
        }

        places += pull.HasPlace ? 1 : 0;
    }

    /// <summary>Closes every pull and forgets who is ready; nothing that comes later is let in.</summary>
    public void Clear()
    {
        newcomers.Clear();
        turns.Clear();
        waiting.Clear();
        open.Clear();
        asked.Clear();
        readyAgain.Clear();
        Array.Clear(weights);
        totalWeight = 0;
    }

    private sealed class Turn(UserId user)
    {
        public UserId User { get; } = user;

        /// <summary>When it came, or had its last turn: a number that counts up.</summary>
        public long Arrival { get; set; }
        public int Weight { get; set; }

        /// <summary>The latest pull when it had its turn or was passed over.</summary>
        public long SeenAtNr { get; set; }

        /// <summary>Recipients that it may have: what it was given and did not get. Below 0 after a turn on credit.</summary>
        public double Deficit { get; set; }

        /// <summary>What it was given last.</summary>
        public double Quantum { get; set; }
    }
}
