using Edm.Contracts;

namespace Edm.Engine.Dispatch;

/// <summary>
/// What a lane decides, without Akka, clock or I/O: the CentralQueue receives, journals and tells, and here is said what. All of it but <see cref="State"/>,
/// which is what the journal says, is lost when the lane stops. The messages that methods return are for UserQueues.
/// </summary>
/// <param name="process">Names this process in the journal.</param>
/// <param name="weigh">The weight of a user, 1 to 100; null: all weigh the same.</param>
internal sealed class LaneCore(LaneId lane, long process, Func<UserId, int>? weigh = null)
{
    /// <summary>Starts, and as many ends, in one commit; about 150 kB. More wait for the next.</summary>
    private const int MaxCommit = 500;

    /// <summary>Past this many outcomes that no queue has confirmed, nothing more is pulled.</summary>
    private const int MaxUnacked = 10_000;

    /// <summary>
    /// Past this many recipients held, beside those that connections may be busy with, nothing more is pulled: some six batches are in the graph, two wait aside, and a commit
    /// takes its time. So no more than these go round when a provider has opened a little, until their queue knows that it is closed again.
    /// </summary>
    private const int MaxBeside = 1_000;

    private readonly FairQueue fair = new(weigh);
    private readonly LaneBook book = new();
    private readonly OutcomeDelivery delivery = new(lane);

    // What the next commit will say.
    private readonly Queue<StartedMail> starting = [];
    private readonly Queue<EndedMail> ended = [];
    private readonly Queue<WithdrawnMail> withdrawn = [];

    /// <summary>
    /// Names this incarnation to the UserQueues: the commit that it opened with, so that it is nobody else's, and a later incarnation has a higher one. A batch for
    /// another one is never let in.
    /// </summary>
    private long epoch;

    /// <summary>A commit is under way; there is never another beside it.</summary>
    private bool writing;

    public LaneState State { get; private set; } = new();

    public bool IsDraining { get; private set; }

    public int ReadyUsers => fair.ReadyUsers;

    public int Held => book.Held;

    /// <summary>Mails that a connection has asked to start and whose outcome is not durable.</summary>
    public int StartedCount => book.StartedCount;

    public bool IsIdle => fair.ReadyUsers + book.Held + State.UnackedCount == 0 && !writing;

    public void Restore(LaneSnapshot snapshot) => State = LaneState.From(snapshot);

    public void Replay(LaneCommitted committed) => State.Apply(committed);

    /// <summary>Written before anything is said or sent: an older incarnation, on a node cut off from us, can't commit a start after this.</summary>
    public LaneCommitted Opening(long nowMs)
    {
        epoch = State.CommitNr + 1;
        return new LaneCommitted(epoch, nowMs, process, [], [], [], []);
    }

    /// <summary>Takes up what the last incarnation left, when the opening is durable and applied.</summary>
    /// <param name="isInFlight">Is the mail on the wire in this process, or its outcome known here? Then it will be told with <see cref="End"/>.</param>
    /// <param name="draining">Nothing may be started from the outset.</param>
    public IReadOnlyList<Outcomes> Begin(Func<MailKey, bool> isInFlight, bool draining, long nowMs)
    {
        IsDraining = draining;
        foreach (var (key, open) in State.Open)
        {
            var mail = open.Mail;
            if (isInFlight(key))
            {
                book.AddStarted(mail);
            }
            else if (open.Process == process)
            {
                withdrawn.Enqueue(new WithdrawnMail(key.User, key.Lease, key.Seq));
            }
            else
            {
                book.AddStarted(mail);
                ended.Enqueue(new EndedMail(mail.User, new Outcome(
                    mail.Task, mail.Lease, mail.Seq, mail.Attempt, OutcomeKind.Unknown, nowMs, mail.Service, Reason: "EDM stopped while this mail was on its way")));
            }
        }

        return [.. State.UsersWithUnacked.Select(user => delivery.Next(State, user, nowMs)).OfType<Outcomes>()];
    }

    public void Ready(UserId user)
    {
        if (!IsDraining)
        {
            fair.Ready(user);
        }
    }

    public void AddDemand(int batches) => fair.AddPlaces(batches);

    /// <summary>As many pulls as the graph has room for.</summary>
    /// <param name="connections">Of all enabled services together; without any, nothing is pulled.</param>
    /// <param name="perSecond">Mails that their paces allow, all together; infinite where one has none.</param>
    public IReadOnlyList<Pull> PullMore(int connections, double perSecond, long nowMs)
    {
        if (IsDraining || connections == 0 || State.UnackedCount >= MaxUnacked || book.Held >= connections + MaxBeside)
        {
            return [];
        }

        List<Pull>? pulls = null;
        while (fair.Next(PullSize(connections, perSecond), nowMs) is { } pull)
        {
            (pulls ??= []).Add(Message(pull));
        }

        return pulls ?? [];
    }

    /// <summary>
    /// One pull of a user is open at a time and costs a journal write, so a batch must outlast it: as many as there are connections, 16 to 64. With many users who
    /// wait their turn, and by what they weigh, it is less: <see cref="FairQueue"/> sees to that. Where the services are slow it is what they may send in a tenth of a
    /// second: also a newcomer waits for the batches that are in the graph already, some five of them.
    /// </summary>
    private static int PullSize(int connections, double perSecond) => Math.Max(1, (int)Math.Min(Math.Clamp(connections, 16, 64), Math.Ceiling(perSecond / 10)));

    /// <summary>True when there is something in it and it is for the graph; anything else must not be touched.</summary>
    public bool Take(Batch batch)
    {
        if (batch.Lane != lane || batch.Epoch != epoch || !fair.Take(batch))
        {
            return false;
        }

        book.Add(batch);
        return true;
    }

    /// <summary>
    /// Null when all the leases are held, owed for, or may still arrive as the answer to an open pull. Those that a later incarnation of this lane pulled are its
    /// business: this one is cut off and does not know what became of them.
    /// </summary>
    public LeasesNotHeld? Answer(QueryLeases query)
    {
        var pull = fair.OpenPullOf(query.User);
        var notHeld = query.Leases.Where(l => l.Epoch <= epoch && !(l.Epoch == epoch && l.PullNr == pull?.Nr) && !book.Holds(query.User, l.Lease) && !State.OwesOutcome(query.User, l.Lease))
            .Select(l => l.Lease).ToArray();
        return notHeld.Length == 0 ? null : new LeasesNotHeld(query.User, lane, notHeld);
    }

    public IReadOnlyList<Returned> Recall(RecallTask recall) => book.Recall(lane, recall.User, recall.Task, recall.UpTo);

    /// <summary>True when the start will be in a commit, after which the mail may be sent; false when it must not be sent.</summary>
    public bool TryStart(StartedMail mail)
    {
        if (IsDraining || !book.TryStart(MailKey.Of(mail)))
        {
            return false;
        }

        starting.Enqueue(mail);
        return true;
    }

    /// <summary>What became of a mail; false when it is not held: it was recalled before it was started, and its queue has it back.</summary>
    public bool End(EndedMail mail)
    {
        if (!book.End(MailKey.Of(mail)))
        {
            return false;
        }

        ended.Enqueue(mail);
        return true;
    }

    /// <summary>What must be written now; null when there is nothing, or a commit is under way. The caller writes it and says so with <see cref="Committed"/>.</summary>
    public LaneCommitted? NextCommit(long nowMs) => writing || starting.Count + ended.Count + withdrawn.Count == 0 ? null : Commit(nowMs);

    /// <summary>Acknowledgements that have found no commit to ride in.</summary>
    public LaneCommitted? NextAcks(long nowMs) => writing || !delivery.HasUnjournaledAcks ? null : Commit(nowMs);

    private LaneCommitted Commit(long nowMs)
    {
        writing = true;
        return new LaneCommitted(State.CommitNr + 1, nowMs, process, Take(starting), Take(ended), Take(withdrawn), delivery.TakeAcks());
    }

    private static T[] Take<T>(Queue<T> from)
    {
        var taken = new T[Math.Min(from.Count, MaxCommit)];
        for (var i = 0; i < taken.Length; i++)
        {
            taken[i] = from.Dequeue();
        }

        return taken;
    }

    /// <summary>The commit is durable: its started mails may be sent, and what it ended can be told.</summary>
    public IReadOnlyList<IForUserQueue> Committed(LaneCommitted committed, long nowMs)
    {
        writing = false;
        State.Apply(committed);
        delivery.Journaled(committed.Acked);
        foreach (var mail in committed.Ended)
        {
            book.Release(MailKey.Of(mail));
        }

        return
        [
            .. committed.Withdrawn.Select(mail => new Returned(mail.User, lane, mail.Lease, [new SeqRange(mail.Seq, mail.Seq)])),
            .. committed.Ended.Select(mail => mail.User).Distinct().Select(user => delivery.Next(State, user, nowMs)).OfType<Outcomes>(),
        ];
    }

    /// <returns>What can be told next, now that this is confirmed.</returns>
    public Outcomes? Ack(OutcomesAcked ack, long nowMs) => delivery.Ack(ack, nowMs) ? delivery.Next(State, ack.User, nowMs) : null;

    /// <summary>What was said and not answered for a while is said again.</summary>
    public IReadOnlyList<IForUserQueue> Repeat(long nowMs) => [.. fair.Overdue(nowMs).Select(Message), .. delivery.Overdue(State, nowMs)];

    private Pull Message(OpenPull pull) => new(pull.User, lane, epoch, pull.Nr, pull.Max);

    /// <summary>Pulls and starts nothing more, and gives back what is not started.</summary>
    public IReadOnlyList<Returned> Drain()
    {
        IsDraining = true;
        fair.Clear();
        return book.GiveUpAll(lane);
    }

    /// <summary>Nothing is on its way any more, and everything that was told is confirmed.</summary>
    public bool IsDrained => IsDraining && !writing && book.StartedCount + starting.Count + ended.Count + withdrawn.Count == 0 && !delivery.IsAwaiting;
}
