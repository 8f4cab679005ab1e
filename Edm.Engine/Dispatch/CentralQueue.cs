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
/// of them in groups. A thin shell around <see cref="LaneCore"/>: receive, decide, persist, tell. A connection starts a mail only after the commit that says so
/// is durable; an outcome is told only after it is durable.
/// If the journal can't be written Akka stops the entity: nothing starts until it can be written again.
/// </summary>
internal sealed class CentralQueue : UntypedPersistentActor, IWithTimers
{
    /// <summary>Recovery reads at most this many commits after the snapshot.</summary>
    private const int SnapshotEvery = 200;

    private static readonly TimeSpan TickEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PassivateAfter = TimeSpan.FromMinutes(2);

    private readonly LaneId lane;
    private readonly LaneRooms rooms;
    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly CancellationTokenSource stopping = new();

    private readonly LaneCore core;
    private readonly LaneSinks sinks;

    /// <summary>The group that asked to start a mail whose start is not durable yet.</summary>
    private readonly Dictionary<MailKey, IActorRef> starters = [];
    private readonly List<IActorRef> drainers = [];
    private IActorRef merge = ActorRefs.Nobody;
    private bool flushing;
    private bool stopWhenDrained;
    private long lastWorkMs;

    public CentralQueue(LaneId lane, LaneRooms rooms)
    {
        (this.lane, this.rooms) = (lane, rooms);
        core = new LaneCore(lane, rooms.Process.Id, rooms.Weigh);
        sinks = new LaneSinks(lane, rooms, Context, log, stopping.Token) { Starts = service => core.State.Starts(service) };
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
                core.Restore(snapshot);
                break;
            case LaneCommitted committed:
                core.Replay(committed);
                break;
            case RecoveryCompleted:
                Persist(core.Opening(NowMs), opened =>
                {
                    core.Replay(opened);
                    Begin();
                });
                break;
        }
    }

    private void Begin()
    {
        lastWorkMs = NowMs;
        rooms.InFlight.ForgetAllBut(lane, core.State.Open.Keys);
        foreach (var outcome in core.State.Open.Keys.Select(key => rooms.InFlight.Find(lane, key)).OfType<Task<EndedMail>>())
        {
            outcome.PipeTo(Self, success: mail => new MailEnded(mail));
        }

        TellQueues(core.Begin(key => rooms.InFlight.Find(lane, key) is not null, rooms.Process.IsDraining, NowMs));
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
            .ToMaterialized(Sink.FromGraph(new SelectService(Self, rooms.Time)), (left, select) => ((left.Item1, select), left.Item2))
            .Run(Context.Materializer());
        done.PipeTo(Self, success: _ => GraphEnded.Instance, failure: e => new Status.Failure(e));
        Task.WhenAll(mergeRef, selectRef).PipeTo(Self, success: refs => new GraphStarted(refs[0], refs[1]));
    }

    protected override void OnCommand(object message)
    {
        switch (message)
        {
            // From UserQueues
            case Ready ready:
                lastWorkMs = NowMs;
                core.Ready(ready.User);
                PullMore();
                break;
            case Batch batch: OnBatch(batch); break;
            case OutcomesAcked ack:
                TellQueue(core.Ack(ack, NowMs));
                PullMore();
                CheckDrained();
                break;
            case QueryLeases query: TellQueue(core.Answer(query)); break;
            case RecallTask recall: TellQueues(core.Recall(recall)); break;

            // From the graph
            case GraphStarted started:
                merge = started.Merge;
                sinks.Start(started.Select);
                break;
            case Demand more:
                core.AddDemand(more.Batches);
                PullMore();
                break;
            case GraphEnded or Status.Failure when !stopping.IsCancellationRequested:
                throw new InvalidOperationException($"The graph of lane {lane} ended.", (message as Status.Failure)?.Cause);
            case GraphEnded or Status.Failure: break;

            // From the sinks
            case SinkNews news:
                foreach (var one in news.Messages)
                {
                    OnNews(one);
                }

                break;
            case MailEnded mail: OnEnded(mail.Mail); break;

            // From the house
            case ServicesChanged: sinks.Reload(); break;
            case LaneSinks.Loaded loaded:
                sinks.Apply(loaded, core.IsDraining);
                PullMore();
                break;
            case GetLane get:
                Sender.Tell(new LaneReport(lane, core.ReadyUsers, core.Held, core.State.Open.Count, core.State.UnackedCount, core.IsDraining, sinks.Reports(get.Service)));
                break;
            case Tick: OnTick(); break;
            case FlushNow:
                flushing = false;
                Write(core.NextCommit(NowMs));
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

    private void OnNews(object news)
    {
        switch (news)
        {
            case StartMail start: OnStart(start); break;
            case MailEnded mail: OnEnded(mail.Mail); break;
            case ServiceReport report: sinks.Report(report); break;
            case SinkEnded ended: sinks.Remove(ended.Service); break;
        }
    }

    private void PullMore()
    {
        if (!rooms.Process.IsDraining)
        {
            TellQueues(core.PullMore(sinks.Connections, sinks.PerSecond, NowMs));
        }
    }

    private void OnBatch(Batch batch)
    {
        if (core.Take(batch))
        {
            lastWorkMs = NowMs;
            merge.Tell(batch);
        }

        PullMore();
    }

    private void OnStart(StartMail start)
    {
        if (rooms.Process.IsDraining || !core.TryStart(start.Mail.StartedBy(start.Service)))
        {
            Sender.Tell(new Refuse(start.Service, start.Mail.Key));
            return;
        }

        starters.Add(start.Mail.Key, Sender);
        Flush();
    }

    private void OnEnded(EndedMail mail)
    {
        if (core.End(mail))
        {
            Flush();
        }
    }

    /// <summary>Commits after what is in the mailbox already, so that it rides along.</summary>
    private void Flush()
    {
        if (!flushing)
        {
            flushing = true;
            Self.Tell(FlushNow.Instance);
        }
    }

    private void Write(LaneCommitted? commit)
    {
        if (commit is not null)
        {
            PersistAsync(commit, OnCommitted);
        }
    }

    private void OnCommitted(LaneCommitted committed)
    {
        var news = core.Committed(committed, NowMs);
        foreach (var (group, mails) in StartersOf(committed))
        {
            group.Tell(new Go(mails));
        }

        foreach (var mail in committed.Ended)
        {
            rooms.InFlight.Forget(lane, MailKey.Of(mail));
        }

        TellQueues(news);
        if (committed.Nr % SnapshotEvery == 0)
        {
            SaveSnapshot(core.State.ToSnapshot());
        }

        Write(core.NextCommit(NowMs));
        CheckDrained();
    }

    private Dictionary<IActorRef, List<(ServiceId, MailKey)>> StartersOf(LaneCommitted committed)
    {
        var found = new Dictionary<IActorRef, List<(ServiceId, MailKey)>>();
        foreach (var mail in committed.Started)
        {
            var key = MailKey.Of(mail);
            if (starters.Remove(key, out var group))
            {
                if (!found.TryGetValue(group, out var mails))
                {
                    found.Add(group, mails = []);
                }

                mails.Add((mail.Service, key));
            }
        }

        return found;
    }

    private void OnTick()
    {
        var now = NowMs;
        TellQueues(core.Repeat(now));
        Write(core.NextAcks(now));
        sinks.OnTick(now);
        PullMore();
        if (rooms.Process.IsDraining)
        {
            Drain();
        }

        if (!core.IsIdle)
        {
            lastWorkMs = now;
        }
        else if (!core.IsDraining && now - lastWorkMs > PassivateAfter.TotalMilliseconds)
        {
            Context.Parent.Tell(new Passivate(StopLane.Instance));
        }
    }

    private void Drain()
    {
        if (!core.IsDraining)
        {
            log.Info("Lane {Lane} drains: {Started} mails are on their way", lane, core.StartedCount);
        }

        TellQueues(core.Drain());
        sinks.StopGranting();
        CheckDrained();
    }

    private void CheckDrained()
    {
        if (!core.IsDrained)
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

    private static void TellQueues(IEnumerable<IForUserQueue> messages)
    {
        foreach (var message in messages)
        {
            TellQueue(message);
        }
    }

    // At start a remembered lane may be there before the region of the queues is; everything said to a queue is repeated.
    private static void TellQueue(IForUserQueue? message)
    {
        if (message is not null && ActorRegistry.For(Context.System).TryGet<UserQueueRegion>(out var queues))
        {
            queues.Tell(message);
        }
    }

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
        log.Error(
            "Lane {Lane}: the journal can't be written ({Reason}). Sending stops now, with {Started} mails on their way, and resumes by itself when the journal is back",
            lane, cause.Message, core.StartedCount);
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
