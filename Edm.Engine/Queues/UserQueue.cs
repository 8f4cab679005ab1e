using Akka.Actor;
using Akka.Cluster.Hosting;
using Akka.Cluster.Sharding;
using Akka.Event;
using Akka.Hosting;
using Akka.Persistence;
using Edm.Contracts;
using Edm.Engine.Dispatch;
using Edm.Engine.Settings;
using Edm.Engine.Storage.Projections;

namespace Edm.Engine.Queues;

/// <summary>
/// The queue of one user's tasks: a sharded, event-sourced entity. A thin shell around <see cref="UserQueueState"/>: receive, decide, persist, apply, answer.
/// Nothing is answered before it is durable.
/// </summary>
public sealed class UserQueue : UntypedPersistentActor, IWithTimers
{
    /// <summary>How often lost messages are made good: Ready, recalls and questions about leases are repeated.</summary>
    private static readonly TimeSpan RepeatEvery = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan PassivateAfter = TimeSpan.FromSeconds(60);

    /// <summary>Recovery reads at most this many events after the snapshot.</summary>
    private const int SnapshotEvery = 250;

    private readonly UserId user;
    private readonly UserQueueLimits limits;
    private readonly TimeProvider time;
    private readonly ThisProcess process;
    private readonly ArchivedTasks archive;

    /// <summary>Archived tasks that are being read, and the commands that wait for them. Each command is a request that somebody waits for.</summary>
    private readonly Dictionary<TaskId, List<(IForUserQueue Command, IActorRef Sender)>> wanted = [];
    private readonly CancellationTokenSource stopping = new();
    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly Dictionary<TaskId, RateMeter> rates = [];
    private UserQueueState state;
    private long eventsSinceSnapshot;
    private long? timerDueMs;

    public UserQueue(UserId user, UserQueueLimits limits, TimeProvider time, ThisProcess process, ArchivedTasks archive)
    {
        (this.user, this.limits, this.time, this.process, this.archive) = (user, limits, time, process, archive);
        state = new UserQueueState(user, limits);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public override string PersistenceId => $"user-queue-{user}";

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    protected override void OnRecover(object message)
    {
        switch (message)
        {
            case SnapshotOffer { Snapshot: UserQueueSnapshot snapshot }:
                state = UserQueueState.From(user, limits, snapshot);
                break;
            case IUserQueueEvent happened:
                state.Apply(happened);
                eventsSinceSnapshot++;
                break;
            case RecoveryCompleted:
                Persist(new QueueOpened(process.Id, NowMs), opened =>
                {
                    state.Apply(opened);
                    Settle([]);
                    TellLanes(state.Opened(NowMs));
                });
                break;
        }
    }

    protected override void OnCommand(object message)
    {
        switch (message)
        {
            case GetTask get:
                Sender.Tell(Ledger(get));
                break;
            case IForUserQueue command when state.Wanted(command) is { } archived:
                BringBack(archived, command);
                break;
            case IForUserQueue command:
                Decide(command);
                break;
            case Found found:
                GoOn(found);
                break;
            case NotRead failed:
                wanted.Remove(failed.Task);
                log.Warning("User {User}: archived task {Task} can't be read ({Reason}); who asks again has it read again", user, failed.Task, failed.Cause.Message);
                break;
            case Repeat:
                TellLanes(state.Repeats(NowMs));
                break;
            case RetryIsDue:
                Settle([]);
                TellLanes(state.Announcements(NowMs));
                break;
            case ReceiveTimeout when !state.HasUnfinished && wanted.Count == 0:
                Context.Parent.Tell(new Passivate(StopQueue.Instance));
                break;
            case StopQueue:
                Context.Stop(Self);
                break;
            case SaveSnapshotSuccess saved:
                DeleteSnapshots(new SnapshotSelectionCriteria(saved.Metadata.SequenceNr - 1));
                break;
            case SaveSnapshotFailure failed:
                log.Warning(failed.Cause, "User {User}: the snapshot was not saved; recovery will read more events until the next one", user);
                break;
        }
    }

    private void Decide(IForUserQueue command)
    {
        var sender = Sender;
        var decision = state.Decide(command, NowMs);
        Record(decision.Events, () =>
        {
            if (decision.Reply() is { } reply)
            {
                sender.Tell(reply);
            }

            Settle(decision.Events);
        });
    }

    /// <summary>Has an archived task read; its commands wait meanwhile, and those for other tasks don't.</summary>
    private void BringBack(TaskId task, IForUserQueue command)
    {
        if (wanted.TryGetValue(task, out var waiting))
        {
            waiting.Add((command, Sender));
            return;
        }

        wanted.Add(task, [(command, Sender)]);
        var now = new TaskWanted(task, LastSequenceNr + 1, NowMs);
        Record([now], () => archive.ReadAsync(user, task, now.Nr, stopping.Token).PipeTo(
            Self, success: stored => new Found(task, stored), failure: cause => new NotRead(task, cause)));
    }

    private void GoOn(Found found)
    {
        wanted.Remove(found.Task, out var commands);
        IUserQueueEvent[] restored = found.Stored is { } stored && state.Restore(stored, NowMs) is { } happened ? [happened] : [];
        Record(restored, () =>
        {
            Settle(restored);
            foreach (var (command, sender) in commands ?? [])
            {
                // Each in its turn: what one decides the next must see.
                if (state.Task(found.Task) is not null)
                {
                    Self.Tell(command, sender);
                }
                else
                {
                    sender.Tell(UserQueueDecisions.NoSuchTask(found.Task).Reply());
                }
            }
        });
    }

    protected override void PostStop()
    {
        stopping.Cancel();
        stopping.Dispose();
        base.PostStop();
    }

    /// <summary>Persists, applies, and then goes on.</summary>
    private void Record(IReadOnlyList<IUserQueueEvent> events, Action then)
    {
        if (events.Count == 0)
        {
            then();
            return;
        }

        var left = events.Count;
        PersistAll(events, happened =>
        {
            state.Apply(happened);
            eventsSinceSnapshot++;
            Meter(happened);
            if (--left == 0)
            {
                then();
            }
        });
    }

    private static IEnumerable<TaskFinished> FinishedIn(IUserQueueEvent happened) => happened switch
    {
        TaskFinished finished => [finished],
        OutcomesRecorded { Finished: { } finished } => finished,
        _ => [],
    };

    /// <summary>What follows from events that were just applied.</summary>
    private void Settle(IReadOnlyList<IUserQueueEvent> applied)
    {
        var consequences = state.Consequences(NowMs);
        if (consequences.Count > 0)
        {
            Record(consequences, () => Settle(consequences));
        }

        TellLanes(applied.SelectMany(happened => state.Following(happened, NowMs)));
        foreach (var finished in applied.SelectMany(FinishedIn))
        {
            rates.Remove(finished.Task);
        }

        SetRetryTimer();
        if (state.HasUnfinished)
        {
            SetReceiveTimeout(null);
            if (!Timers.IsTimerActive(Repeat.Instance))
            {
                Timers.StartPeriodicTimer(Repeat.Instance, Repeat.Instance, RepeatEvery);
            }
        }
        else
        {
            Timers.Cancel(Repeat.Instance);
            SetReceiveTimeout(PassivateAfter);
        }

        if (eventsSinceSnapshot >= SnapshotEvery)
        {
            eventsSinceSnapshot = 0;
            SaveSnapshot(state.ToSnapshot());
        }
    }

    // At start a remembered queue may be there before the region of the lanes is; everything said to a lane is repeated.
    private static void TellLanes(IEnumerable<IForLane> messages)
    {
        foreach (var message in messages)
        {
            if (ActorRegistry.For(Context.System).TryGet<LaneRegion>(out var lanes))
            {
                lanes.Tell(message);
            }
        }
    }

    private void SetRetryTimer()
    {
        var now = NowMs;
        var next = state.NextDueMs(now);
        if (next == timerDueMs && Timers.IsTimerActive(RetryIsDue.Instance))
        {
            return;
        }

        timerDueMs = next;
        if (next is { } due)
        {
            Timers.StartSingleTimer(RetryIsDue.Instance, RetryIsDue.Instance, TimeSpan.FromMilliseconds(Math.Clamp(due - now, 1, int.MaxValue)));
        }
        else
        {
            Timers.Cancel(RetryIsDue.Instance);
        }
    }

    private void Meter(IUserQueueEvent happened)
    {
        if (happened is OutcomesRecorded recorded)
        {
            foreach (var task in recorded.Items.Where(i => i.State == RecipientState.Sent).GroupBy(i => i.Outcome.Task))
            {
                if (!rates.TryGetValue(task.Key, out var rate))
                {
                    rates[task.Key] = rate = new RateMeter();
                }

                rate.Add(NowMs, task.Count());
            }
        }
    }

    private IEdmMessage Ledger(GetTask get)
    {
        if (state.Task(get.Task) is not { } task)
        {
            return new Refused(RefusalCode.NoSuchTask, $"This queue has no task {get.Task}.");
        }

        return new TaskLedger(
            task.Id, task.Pool, task.Phase, task.Recipients.Planned, task.Recipients.Counts(), rates.GetValueOrDefault(task.Id)?.PerSecond(NowMs) ?? 0,
            task.QueuedAtMs, task.FinishedAtMs, task.Pending.NextDueMs, task.Priority, task.Cap, state.OutlookOf(task, NowMs), task.Unknown, task.Retry);
    }

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
        // Akka stops the entity now; it is remembered and comes back with what is durable. Nobody was answered, so nobody counts on it.
        log.Warning("User {User}: {Event} could not be journaled ({Reason}); the queue stops and comes back", user, @event.GetType().Name, cause.Message);
        base.OnPersistFailure(cause, @event, sequenceNr);
    }

    private sealed record Found(TaskId Task, TaskSnapshot? Stored) : INoSerializationVerificationNeeded;

    private sealed record NotRead(TaskId Task, Exception Cause) : INoSerializationVerificationNeeded;

    private sealed class Repeat : INoSerializationVerificationNeeded, INotInfluenceReceiveTimeout
    {
        public static readonly Repeat Instance = new();
    }

    private sealed class RetryIsDue : INoSerializationVerificationNeeded, INotInfluenceReceiveTimeout
    {
        public static readonly RetryIsDue Instance = new();
    }
}

/// <summary>Ends a UserQueue in order: as a message of its own it waits behind a write, where a PoisonPill could slip between a write and its callback.</summary>
public sealed class StopQueue : INoSerializationVerificationNeeded
{
    public static readonly StopQueue Instance = new();
}

public static class UserQueueHosting
{
    /// <summary>The region of the UserQueues: remembered, so that a queue with work wakes by itself after a crash; a queue without work passivates and is forgotten.</summary>
    public static AkkaConfigurationBuilder AddUserQueues(this AkkaConfigurationBuilder builder, UserQueueLimits limits, TimeProvider time, ThisProcess process, ArchivedTasks archive) =>
        builder.WithShardRegion<UserQueueRegion>(
            UserQueueRegion.TypeName,
            (_, _, _) => id => ActorProps.Of(() => new UserQueue(new UserId(long.Parse(id, System.Globalization.CultureInfo.InvariantCulture)), limits, time, process, archive)),
            UserQueueRegion.Extractor,
            new ShardOptions { RememberEntities = true, HandOffStopMessage = StopQueue.Instance, ShouldPassivateIdleEntities = false });
}
