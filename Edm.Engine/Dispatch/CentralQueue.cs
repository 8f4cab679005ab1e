using System.Security.Cryptography;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Event;
using Akka.Hosting;
using Akka.Persistence;
using Akka.Streams;
using Akka.Streams.Dsl;
using Edm.Contracts;
using Edm.Engine.Queues;
using Edm.Engine.Services;

namespace Edm.Engine.Dispatch;

/// <summary>
/// The queue of one lane: a sharded, event-sourced entity that runs one graph, FairMerge → LoadRecipients → SelectService → ServiceSinks, and commits for all
/// of them in groups. A connection starts a mail only after the commit that says so is durable; an outcome is told only after it is durable.
/// If the journal can't be written Akka stops the entity: nothing starts until it can be written again.
/// </summary>
internal sealed class CentralQueue : UntypedPersistentActor, IWithTimers
{
    /// <summary>Starts, and as many ends, in one commit; about 150 kB. More wait for the next.</summary>
    private const int MaxCommit = 500;

    /// <summary>Past this many outcomes that no queue has confirmed, nothing more is pulled.</summary>
    private const int MaxUnacked = 10_000;

    /// <summary>Recovery reads at most this many commits after the snapshot.</summary>
    private const int SnapshotEvery = 200;

    private static readonly TimeSpan TickEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PassivateAfter = TimeSpan.FromMinutes(2);

    private readonly LaneId lane;
    private readonly LaneRooms rooms;
    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly CancellationTokenSource stopping = new();

    /// <summary>Names this incarnation to the UserQueues: a batch for another one is never let in.</summary>
    private readonly long epoch = (long)(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) >> 11);
    private readonly FairQueue fair = new();
    private readonly LaneBook book = new();
    private readonly OutcomeDelivery delivery;
    private readonly LaneSinks sinks;

    // What the next commit will say.
    private readonly Queue<(StartedMail Mail, IActorRef Sink)> starting = [];
    private readonly Queue<EndedMail> ended = [];
    private readonly Queue<WithdrawnMail> withdrawn = [];

    private readonly List<IActorRef> drainers = [];
    private LaneState state = new();
    private IActorRef merge = ActorRefs.Nobody;
    private int demand;
    private bool writing;
    private bool flushing;
    private bool draining;
    private bool stopWhenDrained;
    private long lastWorkMs;

    public CentralQueue(LaneId lane, LaneRooms rooms)
    {
        (this.lane, this.rooms) = (lane, rooms);
        delivery = new OutcomeDelivery(lane);
        sinks = new LaneSinks(lane, rooms, Context, log, stopping.Token) { Starts = service => state.Starts(service) };
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public override string PersistenceId => $"lane-{lane}";

    private long NowMs => rooms.Time.GetUtcNow().ToUnixTimeMilliseconds();

    // A sink that fails has lost count of its connections: the lane begins anew from what is durable.
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Escalate);

    protected override void OnRecover(object message)
    {
        switch (message)
        {
            case SnapshotOffer { Snapshot: LaneSnapshot snapshot }:
                state = LaneState.From(snapshot);
                break;
            case LaneCommitted committed:
                state.Apply(committed);
                break;
            case RecoveryCompleted:
                // Written before anything is said or sent: an older incarnation, on a node cut off from us, can't commit a start after this.
                Persist(new LaneCommitted(state.CommitNr + 1, NowMs, rooms.Process.Id, [], [], [], []), opened =>
                {
                    state.Apply(opened);
                    Begin();
                });
                break;
        }
    }

    private void Begin()
    {
        lastWorkMs = NowMs;
        draining = rooms.Process.IsDraining;
        rooms.InFlight.ForgetAllBut(lane, state.Open.Keys);
        foreach (var (key, open) in state.Open)
        {
            if (rooms.InFlight.Find(lane, key) is { } outcome)
            {
                book.AddStarted(open.Mail);
                outcome.PipeTo(Self, success: mail => new MailEnded(mail));
            }
            else if (open.Process == rooms.Process.Id)
            {
                withdrawn.Enqueue(new WithdrawnMail(key.User, key.Lease, key.Seq));
            }
            else
            {
                book.AddStarted(open.Mail);
                var mail = open.Mail;
                ended.Enqueue(new EndedMail(mail.User, new Outcome(
                    mail.Task, mail.Lease, mail.Seq, mail.Attempt, OutcomeKind.Unknown, NowMs, mail.Service, Reason: "EDM stopped while this mail was on its way")));
            }
        }

        foreach (var user in state.UsersWithUnacked)
        {
            Deliver(user);
        }

        rooms.Directory.Add(lane, Self);
        Timers.StartPeriodicTimer(Tick.Instance, Tick.Instance, TickEvery);
        StartGraph();
        Flush();
    }

    private void StartGraph()
    {
        var loader = new LoadRecipients(rooms.Recipients, Self, rooms.Time, log, stopping.Token);
        var ((mergeRef, selectRef), done) = Source.FromGraph(new FairMerge(Self))
            .SelectAsync(2, loader.LoadAsync)
            .SelectMany(mails => mails)
            .WatchTermination(Keep.Both)
            .ToMaterialized(Sink.FromGraph(new SelectService()), (left, select) => ((left.Item1, select), left.Item2))
            .Run(Context.Materializer());
        done.PipeTo(Self, success: _ => GraphEnded.Instance, failure: e => new Status.Failure(e));
        Task.WhenAll(mergeRef, selectRef).PipeTo(Self, success: refs => new GraphStarted(refs[0], refs[1]));
    }

    protected override void OnCommand(object message)
    {
        switch (message)
        {
            // From UserQueues
            case Ready ready when !draining:
                lastWorkMs = NowMs;
                fair.Ready(ready.User);
                PullMore();
                break;
            case Ready: break;
            case Batch batch: OnBatch(batch); break;
            case OutcomesAcked ack: OnAck(ack); break;
            case QueryLeases query: OnQuery(query); break;
            case RecallTask recall: TellQueues(book.Recall(lane, recall.User, recall.Task, recall.UpTo)); break;

            // From the graph
            case GraphStarted started:
                merge = started.Merge;
                sinks.Start(started.Select);
                break;
            case Demand more:
                demand += more.Batches;
                PullMore();
                break;
            case GraphEnded or Status.Failure when !stopping.IsCancellationRequested:
                throw new InvalidOperationException($"The graph of lane {lane} ended.", (message as Status.Failure)?.Cause);
            case GraphEnded or Status.Failure: break;

            // From the sinks
            case StartMail start: OnStart(start); break;
            case MailEnded mail: OnEnded(mail.Mail); break;
            case ServiceReport report: sinks.Report(report); break;
            case Terminated terminated: sinks.Remove(terminated.ActorRef); break;

            // From the house
            case ServicesChanged: sinks.Reload(); break;
            case LaneSinks.Loaded loaded:
                sinks.Apply(loaded, draining);
                PullMore();
                break;
            case GetLane:
                Sender.Tell(new LaneReport(lane, fair.ReadyUsers, book.Held, state.Open.Count, state.UnackedCount, draining, sinks.Reports()));
                break;
            case Tick: OnTick(); break;
            case FlushNow:
                flushing = false;
                Commit();
                break;
            case DrainLane:
                drainers.Add(Sender);
                Drain();
                break;
            case StopLane:
                stopWhenDrained = true;
                Drain();
                break;
            case SaveSnapshotSuccess saved:
                DeleteSnapshots(new SnapshotSelectionCriteria(saved.Metadata.SequenceNr - 1));
                break;
            case SaveSnapshotFailure failed:
                log.Warning(failed.Cause, "Lane {Lane}: the snapshot was not saved; recovery will read more commits until the next one", lane);
                break;
        }
    }

    private void PullMore()
    {
        if (draining || rooms.Process.IsDraining || sinks.Connections == 0 || state.UnackedCount >= MaxUnacked)
        {
            return;
        }

        while (demand > 0 && fair.Next(PullSize(), NowMs) is { } pull)
        {
            demand--;
            TellQueue(new Pull(pull.User, lane, epoch, pull.Nr, pull.Max));
        }
    }

    /// <summary>Half the connections, so that what is fetched ahead is about twice what can be on the wire; less while many users wait their turn.</summary>
    private int PullSize() => Math.Max(1, Math.Min(Math.Clamp(sinks.Connections / 2, 1, 64), 256 / Math.Max(fair.ReadyUsers, 1)));

    private void OnBatch(Batch batch)
    {
        if (batch.Lane != lane || batch.Epoch != epoch || !fair.Take(batch))
        {
            return;
        }

        if (batch.Lease is not null && batch.Fresh.Length + batch.Retries.Length > 0)
        {
            lastWorkMs = NowMs;
            book.Add(batch);
            merge.Tell(batch);
        }
        else
        {
            demand++;
        }

        PullMore();
    }

    private void OnQuery(QueryLeases query)
    {
        var pull = fair.OpenPullOf(query.User);
        var notHeld = query.Leases.Where(l => !(l.Epoch == epoch && l.PullNr == pull?.Nr) && !book.Holds(query.User, l.Lease) && !state.OwesOutcome(query.User, l.Lease))
            .Select(l => l.Lease).ToArray();
        if (notHeld.Length > 0)
        {
            TellQueue(new LeasesNotHeld(query.User, lane, notHeld));
        }
    }

    private void OnStart(StartMail start)
    {
        if (draining || rooms.Process.IsDraining || !book.TryStart(start.Mail.Key))
        {
            Sender.Tell(new Refuse(start.Mail.Key));
            return;
        }

        starting.Enqueue((start.Mail.StartedBy(start.Service), Sender));
        Flush();
    }

    private void OnEnded(EndedMail mail)
    {
        // A mail that is not held was recalled before it was started; its queue has it back.
        if (book.IsHeld(MailKey.Of(mail)))
        {
            ended.Enqueue(mail);
            Flush();
        }
    }

    /// <summary>Commits after what is in the mailbox already, so that it rides along.</summary>
    private void Flush()
    {
        if (!flushing && !writing)
        {
            flushing = true;
            Self.Tell(FlushNow.Instance);
        }
    }

    private void Commit()
    {
        if (writing || starting.Count + ended.Count + withdrawn.Count == 0)
        {
            return;
        }

        Write();
    }

    private void Write()
    {
        writing = true;
        var begun = Take(starting);
        var commit = new LaneCommitted(
            state.CommitNr + 1, NowMs, rooms.Process.Id, [.. begun.Select(s => s.Mail)], Take(ended), Take(withdrawn), delivery.TakeAcks());
        PersistAsync(commit, committed => OnCommitted(committed, begun));
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

    private void OnCommitted(LaneCommitted committed, (StartedMail Mail, IActorRef Sink)[] begun)
    {
        writing = false;
        state.Apply(committed);
        delivery.Journaled(committed.Acked);
        foreach (var (mail, sink) in begun)
        {
            var key = MailKey.Of(mail);
            sink.Tell(new Go(key, rooms.InFlight.Begin(lane, key)));
        }

        foreach (var mail in committed.Ended)
        {
            var key = MailKey.Of(mail);
            book.Release(key);
            rooms.InFlight.Forget(lane, key);
        }

        foreach (var mail in committed.Withdrawn)
        {
            TellQueue(new Returned(mail.User, lane, mail.Lease, [new SeqRange(mail.Seq, mail.Seq)]));
        }

        foreach (var user in committed.Ended.Select(m => m.User).Distinct())
        {
            Deliver(user);
        }

        if (committed.Nr % SnapshotEvery == 0)
        {
            SaveSnapshot(state.ToSnapshot());
        }

        Commit();
        CheckDrained();
    }

    private void Deliver(UserId user)
    {
        if (delivery.Next(state, user, NowMs) is { } outcomes)
        {
            TellQueue(outcomes);
        }
    }

    private void OnAck(OutcomesAcked ack)
    {
        if (delivery.Ack(ack))
        {
            Deliver(ack.User);
            PullMore();
            CheckDrained();
        }
    }

    private void OnTick()
    {
        var now = NowMs;
        var overdue = fair.Overdue(now, out var dropped);
        foreach (var pull in overdue)
        {
            TellQueue(new Pull(pull.User, lane, epoch, pull.Nr, pull.Max));
        }

        demand += dropped;
        foreach (var outcomes in delivery.Overdue(state, now))
        {
            TellQueue(outcomes);
        }

        if (!writing && delivery.HasUnjournaledAcks)
        {
            Write();
        }

        sinks.OnTick(now);
        PullMore();
        if (rooms.Process.IsDraining)
        {
            Drain();
        }

        if (fair.ReadyUsers + book.Held + state.UnackedCount > 0 || writing)
        {
            lastWorkMs = now;
        }
        else if (!draining && now - lastWorkMs > PassivateAfter.TotalMilliseconds)
        {
            Context.Parent.Tell(new Passivate(StopLane.Instance));
        }
    }

    private void Drain()
    {
        if (!draining)
        {
            draining = true;
            log.Info("Lane {Lane} drains: {Started} mails are on their way", lane, book.StartedCount);
        }

        fair.Clear();
        sinks.StopGranting();
        TellQueues(book.GiveUpAll(lane));
        CheckDrained();
    }

    private void CheckDrained()
    {
        if (!draining || writing || book.StartedCount + starting.Count + ended.Count + withdrawn.Count > 0 || delivery.IsAwaiting)
        {
            return;
        }

        foreach (var drainer in drainers)
        {
            drainer.Tell(Drained.Instance);
        }

        drainers.Clear();
        if (stopWhenDrained)
        {
            Context.Stop(Self);
        }
    }

    private static void TellQueues(IEnumerable<Returned> returned)
    {
        foreach (var message in returned)
        {
            TellQueue(message);
        }
    }

    // At start a remembered lane may be there before the region of the queues is; everything said to a queue is repeated.
    private static void TellQueue(IForUserQueue message)
    {
        if (ActorRegistry.For(Context.System).TryGet<UserQueueRegion>(out var queues))
        {
            queues.Tell(message);
        }
    }

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
        log.Error(
            "Lane {Lane}: the journal can't be written ({Reason}). Sending stops now, with {Started} mails on their way, and resumes by itself when the journal is back",
            lane, cause.Message, book.StartedCount);
        base.OnPersistFailure(cause, @event, sequenceNr);
    }

    protected override void PostStop()
    {
        stopping.Cancel();
        rooms.Directory.Remove(lane, Self);
        base.PostStop();
    }

    private sealed record GraphStarted(IActorRef Merge, IActorRef Select) : INoSerializationVerificationNeeded;

    private sealed class GraphEnded : INoSerializationVerificationNeeded
    {
        public static readonly GraphEnded Instance = new();
    }

    private sealed class Tick : INoSerializationVerificationNeeded
    {
        public static readonly Tick Instance = new();
    }

    private sealed class FlushNow : INoSerializationVerificationNeeded
    {
        public static readonly FlushNow Instance = new();
    }
}
