using Edm.Contracts;

namespace Edm.Engine.Storage.Projections;

/// <summary>What a run of events did to one recipient: where it ended, and how many tries were made.</summary>
internal sealed class DeliveryChange(UserId user, RecordedOutcome last)
{
    public UserId User { get; } = user;
    public RecordedOutcome Last { get; set; } = last;
    public int Attempts { get; set; }
    public long FirstAtMs { get; init; } = last.Outcome.AtMs;

    /// <summary>Of the last reply; null where there was none.</summary>
    public string? Class => (Last.Outcome.Class ?? (Last.Outcome.Kind == OutcomeKind.Sent ? ReplyClass.Accepted : (ReplyClass?)null))?.Name();
}

/// <summary>What a run of events did to one task. The counts are differences; they are exact because the offset is stored with them.</summary>
internal sealed class TaskChange
{
    /// <summary>Null: as before.</summary>
    public string? State { get; set; }

    /// <summary>Null: as before; 0: not finished (any more).</summary>
    public long? FinishedAtMs { get; set; }

    /// <summary>Null: as before.</summary>
    public int? Priority { get; set; }

    /// <summary>Null: as before.</summary>
    public TaskCap? Cap { get; set; }

    /// <summary>Null: as before.</summary>
    public UnknownPolicy? Policy { get; set; }

    /// <summary>Null: as before.</summary>
    public RetryRules? Retry { get; set; }

    /// <summary>Of the last <see cref="TaskWanted"/>; null: there was none.</summary>
    public long? WantedNr { get; set; }

    /// <summary>It was sent to those missed, so it is not cancelled any more, whatever it was before this run.</summary>
    public bool IsReopened { get; set; }

    /// <summary>What becomes of rows from before this run, in this order.</summary>
    public List<RowMove> Moves { get; } = [];
    public int Sent { get; set; }
    public int Failed { get; set; }
    public int Skipped { get; set; }
    public int Unknown { get; set; }
}

/// <summary>Folds events, in their order, into one change a row, so that a batch of thousands is a few statements. Pure.</summary>
internal sealed class DeliveryChanges
{
    private const string Expiry = "expired: too old for another try";

    /// <summary>No row follows from these. Leases alone are half of all events.</summary>
    private static readonly Type[] WithoutRows = [typeof(QueueOpened), typeof(BatchLeased), typeof(LeaseReturned), typeof(TaskArchived), typeof(TaskRestored), typeof(ArchiveForgotten)];

    /// <summary>Their manifests. All other events of UserQueues are to be added.</summary>
    public static IReadOnlyList<string> Unwanted { get; } = [.. EdmSerializer.Known.Where(known => WithoutRows.Contains(known.Type)).Select(known => known.Manifest)];

    public Dictionary<(TaskId Task, int Seq), DeliveryChange> Deliveries { get; } = [];

    public Dictionary<TaskId, TaskChange> Tasks { get; } = [];

    public void Add(UserId user, IUserQueueEvent happened)
    {
        switch (happened)
        {
            case TaskQueued e: Queued(e); break;
            case TaskPaused e: Task(e.Task).State = "paused"; break;
            case TaskResumed e: Task(e.Task).State = "running"; break;
            case TaskCancelled e: Cancelled(e); break;
            case TaskFinished e: Finished(e); break;
            case FailedRetried e: Retried(e); break;
            case RecipientsExpired e: Expired(e); break;
            case PriorityChanged e: Task(e.Task).Priority = e.Priority; break;
            case CapChanged e: Task(e.Task).Cap = new TaskCap(e.Cap); break;
            case UnknownPolicyChanged e: Task(e.Task).Policy = e.Unknown; break;
            case RetryRulesChanged e: Task(e.Task).Retry = e.Retry; break;
            case MissedReopened e: Reopened(e); break;
            case UnknownResolved e: Resolved(e); break;
            case OutcomesRecorded e: Recorded(user, e); break;
            case TaskWanted e: Task(e.Task).WantedNr = e.Nr; break;
            default: throw new ArgumentException($"The deliveries projection doesn't know the event {happened.GetType().Name}.", nameof(happened));
        }
    }

    private void Queued(TaskQueued e)
    {
        var task = Task(e.Task);
        (task.State, task.Policy, task.Retry) = ("running", e.Unknown, e.Retry);
    }

    private void Finished(TaskFinished e)
    {
        var task = Task(e.Task);
        task.FinishedAtMs = e.AtMs;

        // A task that was cancelled stays so; the statement sees to those that were cancelled before this run.
        task.State = task.State == "cancelled" ? "cancelled" : "finished";
    }

    private void Cancelled(TaskCancelled e)
    {
        var task = Task(e.Task);
        task.State = "cancelled";
        Move(e.Task, new RowMove(null, RecipientState.PendingRetry, RecipientState.Cancelled));
    }

    private void Expired(RecipientsExpired e)
    {
        Move(e.Task, new RowMove(e.Seqs, null, RecipientState.Failed, Expiry));
        Task(e.Task).Failed += e.Seqs.Sum(r => r.Count);
    }

    private void Reopened(MissedReopened e)
    {
        Move(e.Task, new RowMove(e.Cancelled, null, RecipientState.Waiting));
        Move(e.Task, new RowMove(e.Skipped, null, RecipientState.Waiting));
        var task = Task(e.Task);
        task.Skipped -= e.Skipped.Sum(r => r.Count);
        (task.State, task.IsReopened, task.FinishedAtMs) = ("running", true, 0);
    }

    private void Move(TaskId task, RowMove move)
    {
        Task(task).Moves.Add(move);
        foreach (var change in Deliveries.Where(d => d.Key.Task == task && move.Concerns(d.Key.Seq, d.Value.Last.State)).Select(d => d.Value))
        {
            var last = change.Last;
            change.Last = last with { State = move.To, DueMs = null, Outcome = last.Outcome with { Reason = move.Reason(last.Outcome.Reason) } };
        }
    }

    private void Resolved(UnknownResolved e)
    {
        var (to, what) = e.As switch
        {
            UnknownVerdict.Sent => (RecipientState.Sent, "taken for sent"),
            UnknownVerdict.Failed => (RecipientState.Failed, "taken for failed"),
            UnknownVerdict.Resend => (RecipientState.Waiting, "to be sent again"),
            _ => throw new ArgumentException($"{e.As} is not a verdict.", nameof(e)),
        };
        Move(e.Task, new RowMove(e.Seqs, null, to, $"unknown, {what} by {e.By}{(e.Why is null ? "" : $": {e.Why}")}"));
        var (task, count) = (Task(e.Task), e.Seqs.Sum(r => r.Count));
        task.Unknown -= count;
        task.Sent += to == RecipientState.Sent ? count : 0;
        task.Failed += to == RecipientState.Failed ? count : 0;
        if (to == RecipientState.Waiting)
        {
            RunsAgain(task);
        }
    }

    private void Retried(FailedRetried e)
    {
        // A retry is of all that have failed so far.
        Move(e.Task, new RowMove(null, RecipientState.Failed, RecipientState.Waiting));
        var task = Task(e.Task);
        task.Failed -= e.Seqs.Sum(r => r.Count);
        RunsAgain(task);
    }

    private static void RunsAgain(TaskChange task)
    {
        // Where this run doesn't say what the task was, the statement looks.
        task.State = task.State switch { "finished" => "running", null => "reopened", var other => other };
        task.FinishedAtMs = 0;
    }

    private void Recorded(UserId user, OutcomesRecorded e)
    {
        foreach (var item in e.Items)
        {
            var key = (item.Outcome.Task, item.Outcome.Seq);
            if (Deliveries.TryGetValue(key, out var change))
            {
                change.Last = item;
            }
            else
            {
                Deliveries.Add(key, change = new DeliveryChange(user, item));
            }

            change.Attempts += item.Outcome.Kind is OutcomeKind.Skipped or OutcomeKind.Postponed ? 0 : 1;
            var task = Task(item.Outcome.Task);
            switch (item.State)
            {
                case RecipientState.Sent: task.Sent++; break;
                case RecipientState.Failed: task.Failed++; break;
                case RecipientState.Skipped: task.Skipped++; break;
                case RecipientState.Unknown: task.Unknown++; break;
            }
        }

        foreach (var finished in e.Finished ?? [])
        {
            Finished(finished);
        }
    }

    private TaskChange Task(TaskId task)
    {
        if (!Tasks.TryGetValue(task, out var change))
        {
            Tasks.Add(task, change = new TaskChange());
        }

        return change;
    }
}
