using Edm.Contracts;
using Edm.Engine.Queues;
using Xunit;

namespace Edm.Engine.Tests.Queues;

/// <summary>
/// A second, plain bookkeeping of one user's queue: it follows the events, one cell a recipient, and refuses each event that house.md does not allow.
/// It shares no code with <see cref="UserQueueState"/>.
/// </summary>
internal sealed class QueueModel(UserQueueLimits limits)
{
    private readonly SortedDictionary<long, ModelTask> tasks = [];
    private readonly Dictionary<TaskId, long> archive = [];
    private readonly SortedDictionary<TaskId, ModelTask> gone = new(Comparer<TaskId>.Create((a, b) => a.Value.CompareTo(b.Value)));
    private long lastLease;

    /// <summary>Archived, or forgotten since then.</summary>
    public IReadOnlyCollection<ModelTask> Gone => gone.Values;

    public IEnumerable<ModelTask> Tasks => tasks.Values;

    public IEnumerable<(ModelTask Task, int Seq, ModelRecipient Recipient)> Recipients =>
        tasks.Values.SelectMany(t => t.Recipients.Select((r, i) => (t, i + 1, r)));

    public ModelTask? Task(TaskId id) => tasks.GetValueOrDefault(id.Value);

    /// <summary>Tasks that were ever queued, archived and forgotten ones included.</summary>
    public HashSet<TaskId> Ever { get; } = [];

    public IEnumerable<TaskId> Archive => archive.Keys;

    /// <summary>The latest launch of those that are forgotten.</summary>
    public long ForgottenUpToMs { get; private set; } = long.MinValue;

    public bool Remembers(TaskId id) => Task(id) is not null || archive.ContainsKey(id);

    public int Pending => Recipients.Count(r => r.Recipient.State == RecipientState.PendingRetry);

    public void Apply(IUserQueueEvent happened, long nowMs)
    {
        switch (happened)
        {
            case TaskQueued e:
                Assert.True(Ever.Add(e.Task), $"task {e.Task} was queued twice");
                Assert.True(e.LaunchedAtMs > ForgottenUpToMs, $"task {e.Task} was queued although it may be one of the forgotten");
                tasks.Add(e.Task.Value, new ModelTask(e));
                break;
            case TaskPaused e:
                Assert.Equal(TaskPhase.Running, tasks[e.Task.Value].Phase);
                tasks[e.Task.Value].Phase = TaskPhase.Paused;
                break;
            case TaskResumed e:
                Assert.Equal(TaskPhase.Paused, tasks[e.Task.Value].Phase);
                tasks[e.Task.Value].Phase = TaskPhase.Running;
                break;
            case TaskCancelled e: Cancel(tasks[e.Task.Value]); break;
            case FailedRetried e: Retry(tasks[e.Task.Value], e); break;
            case PriorityChanged e:
                Assert.NotEqual(tasks[e.Task.Value].Priority, e.Priority);
                tasks[e.Task.Value].Priority = e.Priority;
                break;
            case CapChanged e:
                Assert.NotEqual(tasks[e.Task.Value].Cap, e.Cap);
                tasks[e.Task.Value].Cap = e.Cap;
                break;
            case UnknownPolicyChanged e:
                Assert.NotEqual(tasks[e.Task.Value].Unknown, e.Unknown);
                tasks[e.Task.Value].Unknown = e.Unknown;
                break;
            case RetryRulesChanged e:
                Assert.NotEqual(tasks[e.Task.Value].Retry, e.Retry);
                tasks[e.Task.Value].Retry = e.Retry;
                break;
            case MissedReopened e: Reopen(tasks[e.Task.Value], e); break;
            case UnknownResolved e: Resolve(tasks[e.Task.Value], e); break;
            case RecipientsExpired e: Expire(tasks[e.Task.Value], e, nowMs); break;
            case BatchLeased e: Lease(tasks[e.Task.Value], e, nowMs); break;
            case LeaseReturned e: Return(e); break;
            case OutcomesRecorded e: Record(e, nowMs); break;
            case TaskFinished e: Finish(tasks[e.Task.Value], e); break;
            case TaskArchived e:
                Assert.True(tasks[e.Task.Value].IsFinished);
                archive.Add(e.Task, tasks[e.Task.Value].Queued.LaunchedAtMs!.Value);
                gone[e.Task] = tasks[e.Task.Value];
                tasks.Remove(e.Task.Value);
                break;
            case TaskRestored e:
                Assert.True(gone.Remove(e.Task.Task, out var back), $"task {e.Task.Task} was brought back and had not gone");
                archive.Remove(e.Task.Task);
                tasks.Add(e.Task.Task.Value, back);
                foreach (var recipient in back.Recipients)
                {
                    recipient.Attempt = 1;
                }

                break;
            case ArchiveForgotten e: Forget(e); break;
            default: throw new ArgumentException($"The model doesn't know {happened}.", nameof(happened));
        }
    }

    /// <summary>The newest are kept, as many as there is room for.</summary>
    private void Forget(ArchiveForgotten e)
    {
        Assert.Equal(archive.Values.OrderDescending().ElementAt(limits.MaxArchivedTasks), e.UpToMs);
        foreach (var task in archive.Where(t => t.Value <= e.UpToMs).Select(t => t.Key).ToArray())
        {
            archive.Remove(task);
        }

        ForgottenUpToMs = Math.Max(ForgottenUpToMs, e.UpToMs);
    }

    private static void Cancel(ModelTask task)
    {
        Assert.True(task.Phase is TaskPhase.Running or TaskPhase.Paused);
        task.Phase = TaskPhase.Cancelled;
        foreach (var recipient in task.Recipients.Where(r => r.State is RecipientState.Waiting or RecipientState.PendingRetry))
        {
            (recipient.State, recipient.Parked) = (RecipientState.Cancelled, null);
        }

        task.Closed.Clear();
    }

    private static void Retry(ModelTask task, FailedRetried e)
    {
        Assert.NotEqual(TaskPhase.Cancelled, task.Phase);
        var failed = task.Recipients.Where(r => r.State == RecipientState.Failed).ToArray();
        Assert.Equal(failed, Seqs(e.Seqs).Select(seq => task.Recipients[seq - 1]));
        Assert.NotEmpty(failed);
        foreach (var recipient in failed)
        {
            (recipient.State, recipient.Attempt) = (RecipientState.Waiting, 1);
        }

        (task.Phase, task.IsFinished) = (task.Phase == TaskPhase.Finished ? TaskPhase.Running : task.Phase, false);
    }

    private static void Reopen(ModelTask task, MissedReopened e)
    {
        Assert.True(task.Phase is TaskPhase.Finished or TaskPhase.Cancelled, $"{task.Id} is {task.Phase} and was sent to those missed");
        Assert.NotEmpty(e.Cancelled.Concat(e.Skipped));
        foreach (var (state, seqs) in new[] { (RecipientState.Cancelled, e.Cancelled), (RecipientState.Skipped, e.Skipped) })
        {
            var missed = task.Recipients.Where(r => r.State == state).ToArray();
            Assert.True(seqs.Length == 0 || missed.SequenceEqual(Seqs(seqs).Select(seq => task.Recipients[seq - 1])), $"not all of those {state}, or others");
            foreach (var recipient in Seqs(seqs).Select(seq => task.Recipients[seq - 1]))
            {
                (recipient.State, recipient.Attempt) = (RecipientState.Waiting, 1);
            }
        }

        (task.Phase, task.IsFinished) = (TaskPhase.Running, false);
    }

    private static void Resolve(ModelTask task, UnknownResolved e)
    {
        Assert.NotEmpty(e.Seqs);
        Assert.False(e.As == UnknownVerdict.Resend && task.Phase == TaskPhase.Cancelled, "a cancelled task sends again");
        foreach (var recipient in Seqs(e.Seqs).Select(seq => task.Recipients[seq - 1]))
        {
            Assert.Equal(RecipientState.Unknown, recipient.State);
            (recipient.State, recipient.Attempt) = (e.As switch
            {
                UnknownVerdict.Sent => RecipientState.Sent,
                UnknownVerdict.Failed => RecipientState.Failed,
                _ => RecipientState.Waiting,
            }, 1);
        }

        if (e.As == UnknownVerdict.Resend)
        {
            (task.Phase, task.IsFinished) = (task.Phase == TaskPhase.Finished ? TaskPhase.Running : task.Phase, false);
        }
    }

    private static void Expire(ModelTask task, RecipientsExpired e, long nowMs)
    {
        Assert.NotEmpty(e.Seqs);
        foreach (var recipient in Seqs(e.Seqs).Select(seq => task.Recipients[seq - 1]))
        {
            Assert.True(recipient.State == RecipientState.PendingRetry && task.IsTooLate(recipient, nowMs), "somebody expired who is not too old");
            recipient.State = RecipientState.Failed;
        }
    }

    private void Lease(ModelTask task, BatchLeased e, long nowMs)
    {
        Assert.Equal((TaskPhase.Running, task.Pool), (task.Phase, e.Lane.Pool));
        Assert.False(task.IsOver(nowMs), "somebody was leased after the time of the task");
        Assert.Equal(lastLease + 1, e.Lease.Value);
        lastLease++;
        Assert.InRange(Seqs(e.Fresh).Count() + e.Retries.Length, 1, limits.MaxBatch);
        if (e.Fresh.Length > 0)
        {
            Assert.True(Pending < limits.MaxPending, "first tries were leased although the pending queue is full");
            Assert.DoesNotContain(Recipients, r => r.Task.Phase == TaskPhase.Running && r.Task.Pool == e.Lane.Pool && r.Task.IsFor(r.Seq, e.Lane) && r.Recipient.IsDue(nowMs));
        }

        foreach (var (seq, attempt, firstMs, refusedBy, isFresh) in Seqs(e.Fresh).Select(seq => (seq, 1, nowMs, Array.Empty<ServiceId>(), true))
            .Concat(e.Retries.Select(r => (r.Seq, r.Attempt, r.FirstMs, r.RefusedBy ?? [], false))))
        {
            var recipient = task.Recipients[seq - 1];
            Assert.True(task.IsFor(seq, e.Lane), $"{task.Id}/{seq} belongs to another lane than {e.Lane}");
            Assert.True(
                isFresh ? recipient.State == RecipientState.Waiting && !(task.Segment(seq).NotBeforeMs > nowMs) && !task.IsClosed(recipient, e.Lane, nowMs) : recipient.IsDue(nowMs) && !task.IsTooLate(recipient, nowMs),
                $"{task.Id}/{seq} is {recipient.State} and was leased for try {attempt}");
            Assert.Equal(recipient.Attempt, attempt);
            recipient.FirstMs = isFresh ? nowMs : recipient.FirstMs;
            Assert.Equal(recipient.FirstMs, firstMs);
            recipient.RefusedBy = isFresh ? [] : recipient.RefusedBy;
            Assert.Equal(recipient.RefusedBy, refusedBy);
            recipient.Parked = null;
            (recipient.State, recipient.Lease, recipient.Lane, recipient.WasPending) = (RecipientState.Leased, e.Lease, e.Lane, !isFresh);
        }

        if (!Array.Exists(task.Recipients, r => r.Parked is not null))
        {
            task.Closed.Clear();
        }

        Assert.False(e.Fresh.Length > 0 && task.HandedOut > task.Cap, "more were handed out than the cap allows");
    }

    private void Return(LeaseReturned e)
    {
        foreach (var seq in Seqs(e.Seqs))
        {
            var (task, _, recipient) = Recipients.Single(r => r.Recipient.State == RecipientState.Leased && r.Recipient.Lease == e.Lease && r.Seq == seq);
            recipient.State = task.Phase == TaskPhase.Cancelled ? RecipientState.Cancelled : recipient.WasPending ? RecipientState.PendingRetry : RecipientState.Waiting;
            recipient.DueMs = e.AtMs;
        }
    }

    private void Record(OutcomesRecorded e, long nowMs)
    {
        foreach (var item in e.Items)
        {
            var outcome = item.Outcome;
            var task = tasks[outcome.Task.Value];
            var recipient = task.Recipients[outcome.Seq - 1];
            Assert.Equal((RecipientState.Leased, outcome.Lease, e.Lane, outcome.Attempt), (recipient.State, recipient.Lease, recipient.Lane, recipient.Attempt));
            Assert.Equal(Expected(task, recipient, outcome, item.DueMs, nowMs), item.State);
            recipient.State = item.State;
            Assert.Equal(item.State is RecipientState.PendingRetry or RecipientState.Waiting, item.DueMs is not null);
            recipient.RefusedBy = outcome.Unwanted == true ? [.. recipient.RefusedBy.Append(outcome.Service!.Value).Distinct()] : recipient.RefusedBy;
            if (item.State == RecipientState.Waiting)
            {
                recipient.Parked = outcome.Provider;
                task.Closed[(e.Lane, outcome.Provider!.Value)] = item.DueMs!.Value;
            }
            else if (item.DueMs is { } due)
            {
                (recipient.DueMs, recipient.Attempt) = (due, recipient.Attempt + (outcome.Kind == OutcomeKind.Postponed ? 0 : 1));
            }
        }

        foreach (var finished in e.Finished ?? [])
        {
            Finish(tasks[finished.Task.Value], finished);
        }
    }

    private static RecipientState Expected(ModelTask task, ModelRecipient recipient, Outcome outcome, long? dueMs, long nowMs)
    {
        var latest = recipient.FirstMs + (task.Retry.MaxAgeSeconds * 1000L);
        var (lastTry, cancelled) = (recipient.Attempt >= task.Retry.MaxAttempts, task.Phase == TaskPhase.Cancelled);
        switch (outcome.Kind)
        {
            case OutcomeKind.Sent: return RecipientState.Sent;
            case OutcomeKind.Failed: return RecipientState.Failed;
            case OutcomeKind.Skipped: return RecipientState.Skipped;
            case OutcomeKind.Unknown: return task.Unknown == UnknownPolicy.Resend && !cancelled && !lastTry && nowMs <= latest && !task.IsOver(nowMs) ? RecipientState.PendingRetry : RecipientState.Unknown;
            case OutcomeKind.Deferred or OutcomeKind.Postponed when cancelled: return RecipientState.Cancelled;
            case OutcomeKind.Postponed:
                var again = Math.Max(outcome.NotBeforeMs ?? 0, nowMs + 1000);
                if (!recipient.WasPending && outcome.Provider is not null)
                {
                    Assert.Equal(again, dueMs);
                    return RecipientState.Waiting;
                }

                Assert.Equal(again > latest ? null : again, dueMs);
                return dueMs is null ? RecipientState.Failed : RecipientState.PendingRetry;
            case OutcomeKind.Deferred when lastTry: return RecipientState.Failed;
            default:
                var wanted = Math.Min(task.Retry.FirstDelaySeconds * Math.Pow(2, recipient.Attempt - 1), task.Retry.MaxDelaySeconds) * 1000;

                // Another service may have it at once, but for the last try.
                var elsewhere = recipient.Attempt + 1 < task.Retry.MaxAttempts ? Math.Max(outcome.ElsewhereMs ?? long.MaxValue, nowMs) : long.MaxValue;
                if (dueMs is not { } due)
                {
                    Assert.True(Math.Min(nowMs + (wanted * 1.2), elsewhere) >= latest, "given up before its age");
                    return RecipientState.Failed;
                }

                Assert.InRange(due, Math.Min(nowMs + (long)(wanted * 0.8) - 1, elsewhere), Math.Min(Math.Min(nowMs + (long)(wanted * 1.2) + 1, elsewhere), latest));
                return RecipientState.PendingRetry;
        }
    }

    private static void Finish(ModelTask task, TaskFinished e)
    {
        Assert.True(task.IsSettled && !task.IsFinished);
        Assert.Equal(task.Counts(), e.Counts);
        (task.IsFinished, task.Phase) = (true, task.Phase == TaskPhase.Cancelled ? TaskPhase.Cancelled : TaskPhase.Finished);
    }

    private static IEnumerable<int> Seqs(SeqRange[] ranges) => ranges.SelectMany(r => Enumerable.Range(r.First, r.Count));
}

internal sealed class ModelTask(TaskQueued queued)
{
    public TaskQueued Queued { get; } = queued;
    public TaskId Id => Queued.Task;
    public PoolId Pool => Queued.Pool;
    public TaskPhase Phase { get; set; } = TaskPhase.Running;
    public int Priority { get; set; } = queued.Priority;
    public int? Cap { get; set; } = queued.Cap;
    public UnknownPolicy Unknown { get; set; } = queued.Unknown;
    public RetryRules Retry { get; set; } = queued.Retry;

    public bool IsOver(long nowMs) => Retry.SendWithinSeconds is { } seconds && nowMs >= Queued.LaunchedAtMs + (seconds * 1000L);

    public int HandedOut => Recipients.Count(r => r.State is not (RecipientState.Waiting or RecipientState.Cancelled));
    public bool IsFinished { get; set; }
    public ModelRecipient[] Recipients { get; } = [.. Enumerable.Range(0, queued.Segments.Sum(s => s.Range.Count)).Select(_ => new ModelRecipient())];

    /// <summary>Until when lanes can't send to a provider; nothing, while nobody is parked.</summary>
    public Dictionary<(LaneId Lane, int Provider), long> Closed { get; } = [];

    public bool IsClosed(ModelRecipient recipient, LaneId lane, long nowMs) => recipient.Parked is { } provider && Closed.GetValueOrDefault((lane, provider)) > nowMs;

    public bool IsSettled => !Recipients.Any(r => r.State is RecipientState.Waiting or RecipientState.Leased or RecipientState.PendingRetry);

    public bool IsTooLate(ModelRecipient recipient, long nowMs) => nowMs > recipient.FirstMs + (Retry.MaxAgeSeconds * 1000L);

    public Segment Segment(int seq) => Queued.Segments.Single(s => s.Range.First <= seq && seq <= s.Range.Last);

    public bool IsFor(int seq, LaneId lane) => Pool == lane.Pool && (Segment(seq).Lane is null || Segment(seq).Lane == lane.Lane);

    /// <summary>As SQL knows it when it is over.</summary>
    public TaskSnapshot Stored(long finishedAtMs) => new(
        Id, Pool, Queued.Lanes, Priority, Queued.Segments, Retry, Unknown, Phase, [.. Recipients.SelectMany(r => new[] { (int)r.State, 1 })], [], 0,
        Queued.AtMs, finishedAtMs, Queued.LaunchedAtMs, Cap);

    public int[] Counts() => [.. Enum.GetValues<RecipientState>().Select(state => Recipients.Count(r => r.State == state))];
}

internal sealed class ModelRecipient
{
    public RecipientState State { get; set; }

    /// <summary>Of the try that is under way, or of the next.</summary>
    public int Attempt { get; set; } = 1;
    public long DueMs { get; set; }

    /// <summary>When the first try of this run was leased.</summary>
    public long FirstMs { get; set; }

    /// <summary>It waits for its first try, and for this provider.</summary>
    public int? Parked { get; set; }
    public ServiceId[] RefusedBy { get; set; } = [];

    /// <summary>The open lease is not the first of this run.</summary>
    public bool WasPending { get; set; }
    public LeaseNr Lease { get; set; }
    public LaneId Lane { get; set; }

    public bool IsDue(long nowMs) => State == RecipientState.PendingRetry && DueMs <= nowMs;
}
