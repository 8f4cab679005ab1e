using Edm.Contracts;

namespace Edm.Engine.Queues;

/// <summary>What follows from a message: first the events become durable and are applied, then the answer is made and sent (null: none).</summary>
public sealed record Decision(IReadOnlyList<IUserQueueEvent> Events, Func<IEdmMessage?> Reply)
{
    public static Decision Answer(IEdmMessage? reply) => new([], () => reply);

    public static Decision Of(IUserQueueEvent one, IEdmMessage reply) => new([one], () => reply);

    public static Decision Refuse(RefusalCode code, string message) => Answer(new Refused(code, message));
}

/// <summary>
/// The queue of one user, without clock, actor or I/O. <see cref="UserQueueDecisions"/> turns messages into events; <see cref="Apply"/> is the only thing
/// that changes the state, so a replayed state is the live state.
/// </summary>
public sealed class UserQueueState(UserId user, UserQueueLimits limits)
{
    private readonly SortedDictionary<long, QueuedTask> tasks = [];
    private readonly SortedDictionary<long, OpenLease> leases = [];
    private readonly Dictionary<LaneId, PullSnapshot> pulls = [];

    /// <summary>Tasks that have not been announced as finished; a few, while <see cref="tasks"/> also keeps hundreds of finished ones.</summary>
    private readonly SortedDictionary<long, QueuedTask> unfinished = [];
    private long nextLease = 1;

    public UserId User { get; } = user;
    public UserQueueLimits Limits { get; } = limits;
    public TaskArchive Archive { get; private init; } = new();
    public int PendingCount { get; private set; }

    /// <summary>What the next lease will be called.</summary>
    public LeaseNr NextLease => new(nextLease);

    public IEnumerable<QueuedTask> Tasks => tasks.Values;

    /// <summary>In the order in which they were queued.</summary>
    public IEnumerable<QueuedTask> Unfinished => unfinished.Values;

    public bool HasUnfinished => unfinished.Count > 0;

    public IEnumerable<OpenLease> Leases => leases.Values;

    public QueuedTask? Task(TaskId task) => tasks.GetValueOrDefault(task.Value);

    public OpenLease? Lease(LeaseNr lease) => leases.GetValueOrDefault(lease.Value);

    public PullSnapshot? LastPull(LaneId lane) => pulls.GetValueOrDefault(lane);

    public void Apply(IUserQueueEvent happened)
    {
        switch (happened)
        {
            case QueueOpened e: Archive.Open(e.AtMs); break;
            case TaskQueued e: Apply(e); break;
            case TaskPaused e: Known(e.Task).Phase = TaskPhase.Paused; break;
            case TaskResumed e: Known(e.Task).Phase = TaskPhase.Running; break;
            case TaskCancelled e: Apply(e); break;
            case FailedRetried e: Apply(e); break;
            case RecipientsExpired e: Apply(e); break;
            case PriorityChanged e: Known(e.Task).Priority = e.Priority; break;
            case CapChanged e: Known(e.Task).Cap = e.Cap; break;
            case UnknownPolicyChanged e: Known(e.Task).Unknown = e.Unknown; break;
            case RetryRulesChanged e: Known(e.Task).Retry = e.Retry; break;
            case MissedReopened e: Apply(e); break;
            case UnknownResolved e: Apply(e); break;
            case TaskFinished e: Apply(e); break;
            case TaskArchived e: Apply(e); break;
            case TaskWanted: break;
            case TaskRestored e: Apply(e); break;
            case ArchiveForgotten e: Archive.Forget(e.UpToMs); break;
            case BatchLeased e: Apply(e); break;
            case LeaseReturned e: Apply(e); break;
            case OutcomesRecorded e: Apply(e); break;
            default: throw new ArgumentException($"A UserQueue doesn't know the event {happened.GetType().Name}.", nameof(happened));
        }
    }

    private void Apply(TaskQueued e)
    {
        var task = new QueuedTask(e);
        tasks.Add(e.Task.Value, task);
        unfinished.Add(e.Task.Value, task);
    }

    private void Apply(TaskCancelled e)
    {
        var task = Known(e.Task);
        task.Phase = TaskPhase.Cancelled;
        task.Cancel();
        foreach (var seq in task.Pending.Seqs)
        {
            task.Recipients[seq] = RecipientState.Cancelled;
        }

        PendingCount -= task.Pending.Count;
        task.Pending.Clear();
    }

    private void Apply(FailedRetried e)
    {
        var task = Known(e.Task);
        Reopen(task, e.Seqs);
        if (task.Phase == TaskPhase.Finished)
        {
            task.Phase = TaskPhase.Running;
        }
    }

    private void Apply(MissedReopened e)
    {
        var task = Known(e.Task);
        Reopen(task, e.Cancelled);
        Reopen(task, e.Skipped);
        task.Phase = TaskPhase.Running;
    }

    private void Apply(UnknownResolved e)
    {
        var task = Known(e.Task);
        if (e.As != UnknownVerdict.Resend)
        {
            foreach (var range in e.Seqs)
            {
                task.Recipients.Set(range, e.As == UnknownVerdict.Sent ? RecipientState.Sent : RecipientState.Failed);
            }

            return;
        }

        Reopen(task, e.Seqs);
        if (task.Phase == TaskPhase.Finished)
        {
            task.Phase = TaskPhase.Running;
        }
    }

    private void Reopen(QueuedTask task, SeqRange[] seqs)
    {
        foreach (var range in seqs)
        {
            for (var seq = range.First; seq <= range.Last; seq++)
            {
                task.Reopen(seq);
            }
        }

        task.FinishedAtMs = null;
        unfinished[task.Id.Value] = task;
    }

    private void Apply(RecipientsExpired e)
    {
        var task = Known(e.Task);
        foreach (var range in e.Seqs)
        {
            for (var seq = range.First; seq <= range.Last; seq++)
            {
                RemovePending(task, seq);
                task.Recipients[seq] = RecipientState.Failed;
            }
        }
    }

    private void Apply(TaskFinished e)
    {
        var task = Known(e.Task);
        task.FinishedAtMs = e.AtMs;
        if (task.Phase != TaskPhase.Cancelled)
        {
            task.Phase = TaskPhase.Finished;
        }

        unfinished.Remove(e.Task.Value);
    }

    private void Apply(TaskArchived e)
    {
        Archive.Add(e.Task, Known(e.Task).LaunchedAtMs);
        tasks.Remove(e.Task.Value);
    }

    private void Apply(TaskRestored e)
    {
        Archive.Remove(e.Task.Task);
        tasks.Add(e.Task.Task.Value, new QueuedTask(e.Task) { RestoredAtMs = e.AtMs });
    }

    private void Apply(BatchLeased e)
    {
        var task = Known(e.Task);
        foreach (var range in e.Fresh)
        {
            task.Lease(range);
        }

        foreach (var retry in e.Retries)
        {
            RemovePending(task, retry.Seq);
            task.Recipients[retry.Seq] = RecipientState.Leased;
        }

        var lease = new OpenLease(e);
        leases.Add(e.Lease.Value, lease);

        // Retries are served whoever's turn it is, so only first tries say how far the turns have come.
        var clock = pulls.GetValueOrDefault(e.Lane)?.VirtualTime ?? 0;
        var served = task.Serve(lease.Count, clock);
        pulls[e.Lane] = new PullSnapshot(e.Lane, e.Epoch, e.PullNr, e.Lease, e.Fresh.Length > 0 ? served : clock);
        nextLease = Math.Max(nextLease, e.Lease.Value + 1);
    }

    private void Apply(LeaseReturned e)
    {
        var lease = leases[e.Lease.Value];
        var task = Known(lease.Task);
        foreach (var range in e.Seqs)
        {
            for (var seq = range.First; seq <= range.Last; seq++)
            {
                if (!lease.TryGet(seq, out var leased))
                {
                    continue;
                }

                Settle(lease, seq);
                if (task.Phase == TaskPhase.Cancelled)
                {
                    task.Recipients[seq] = RecipientState.Cancelled;
                }
                else if (!lease.IsFresh(leased))
                {
                    AddPending(task, new PendingSnapshot(seq, leased.Attempt, e.AtMs, leased.FirstMs, leased.RefusedBy));
                }
                else
                {
                    task.Reopen(seq);
                }
            }
        }
    }

    private void Apply(OutcomesRecorded e)
    {
        foreach (var item in e.Items)
        {
            var outcome = item.Outcome;
            var task = Known(outcome.Task);
            var lease = leases[outcome.Lease.Value];
            lease.TryGet(outcome.Seq, out var leased);
            Settle(lease, outcome.Seq);
            if (item.State == RecipientState.PendingRetry)
            {
                var attempt = outcome.Kind == OutcomeKind.Postponed ? outcome.Attempt : outcome.Attempt + 1;
                AddPending(task, new PendingSnapshot(outcome.Seq, attempt, item.DueMs ?? e.AtMs, leased.FirstMs, leased.RefusedAfter(outcome)));
            }
            else if (item.State == RecipientState.Waiting)
            {
                task.Park(outcome.Seq, outcome.Provider ?? 0, e.Lane, item.DueMs ?? e.AtMs);
            }
            else
            {
                task.Recipients[outcome.Seq] = item.State;
            }
        }

        foreach (var finished in e.Finished ?? [])
        {
            Apply(finished);
        }
    }

    private void Settle(OpenLease lease, int seq)
    {
        lease.Settle(seq);
        if (lease.Count == 0)
        {
            leases.Remove(lease.Nr.Value);
        }
    }

    private void AddPending(QueuedTask task, PendingSnapshot pending)
    {
        task.Recipients[pending.Seq] = RecipientState.PendingRetry;
        task.Pending.Add(pending);
        PendingCount++;
    }

    private void RemovePending(QueuedTask task, int seq)
    {
        if (task.Pending.Remove(seq))
        {
            PendingCount--;
        }
    }

    private QueuedTask Known(TaskId task) =>
        tasks.GetValueOrDefault(task.Value) ?? throw new InvalidOperationException($"The journal of user {User} speaks of task {task}, which was never queued.");

    public UserQueueSnapshot ToSnapshot() =>
        new(nextLease, [.. tasks.Values.Select(t => t.ToSnapshot())], [.. leases.Values.Select(l => l.ToSnapshot())],
            [.. pulls.Values.OrderBy(p => (p.Lane.Pool.Value, p.Lane.Lane))], Archive.Undated, Archive.ToSnapshot());

    public static UserQueueState From(UserId user, UserQueueLimits limits, UserQueueSnapshot snapshot)
    {
        var state = new UserQueueState(user, limits) { nextLease = snapshot.NextLease, Archive = TaskArchive.From(snapshot) };
        foreach (var task in snapshot.Tasks.Select(t => new QueuedTask(t)))
        {
            state.tasks.Add(task.Id.Value, task);
            state.PendingCount += task.Pending.Count;
            if (task.FinishedAtMs is null)
            {
                state.unfinished.Add(task.Id.Value, task);
            }
        }

        foreach (var lease in snapshot.Leases.Select(OpenLease.From))
        {
            state.leases.Add(lease.Nr.Value, lease);
        }

        foreach (var pull in snapshot.Pulls)
        {
            state.pulls[pull.Lane] = pull;
        }

        return state;
    }
}
