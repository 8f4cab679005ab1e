using Edm.Contracts;

namespace Edm.Engine.Queues;

/// <summary>What a UserQueue decides: <c>(state, message, now) → events and an answer</c>. Pure; nothing here changes the state.</summary>
public static class UserQueueDecisions
{
    /// <summary>A lane that can't tell when it may send says so again and again; each time costs two journal writes.</summary>
    private const long PostponeAtLeastMs = 1_000;

    /// <summary>Recipients that expire in one event; at most some kB of it.</summary>
    private const int MaxExpired = 500;

    public static Decision Decide(this UserQueueState state, IForUserQueue message, long nowMs) => message switch
    {
        QueueTask m => state.Queue(m, nowMs),
        PauseTask m => state.Pause(m, nowMs),
        ResumeTask m => state.Resume(m, nowMs),
        CancelTask m => state.Cancel(m, nowMs),
        RetryFailed m => state.Retry(m, nowMs),
        ChangeTask m => state.Change(m, nowMs),
        SendToMissed m => state.Reopen(m, nowMs),
        ResolveUnknown m => state.Resolve(m, nowMs),
        ListRecipients m => state.List(m),
        Pull m => state.Lease(m, nowMs),
        Outcomes m => state.Record(m, nowMs),
        Returned m => state.Return(m, nowMs),
        LeasesNotHeld m => state.Return(m, nowMs),
        _ => throw new ArgumentException($"A UserQueue doesn't know the message {message.GetType().Name}.", nameof(message)),
    };

    private static Decision Queue(this UserQueueState state, QueueTask m, long nowMs)
    {
        if (state.Task(m.Task) is not null || state.Archive.Contains(m.Task))
        {
            return Decision.Answer(new Accepted(0));
        }

        if (state.Archive.MayHaveForgotten(m.LaunchedAtMs))
        {
            return Decision.Refuse(
                RefusalCode.Forgotten,
                "Its user has launched and finished so many tasks since then that the queue can't tell any more whether this one was done; it is not begun again.");
        }

        var next = 1;
        foreach (var segment in m.Segments)
        {
            if (segment.Range.First != next || segment.Range.Last < segment.Range.First)
            {
                return Decision.Refuse(RefusalCode.Invalid, "The segments of a task follow each other from recipient 1 without holes.");
            }

            next = segment.Range.Last + 1;
        }

        var strayed = Array.Find(m.Segments, s => s.Lane < 0 || s.Lane >= m.Lanes);
        return TaskControls.Unfit(m.Priority, m.Cap) is { } unfit ? unfit
            : m.Lanes < 1 ? Decision.Refuse(RefusalCode.Invalid, "A pool has at least one lane.")
            : strayed is not null ? Decision.Refuse(RefusalCode.Invalid, $"A segment is for lane {strayed.Lane}; the pool has lanes 0 to {m.Lanes - 1}.")
            : TaskControls.Unfit(m.Retry) is { } rules ? rules
            : Decision.Of(new TaskQueued(m.Task, m.Pool, m.Lanes, m.Priority, m.Segments, m.Retry, m.Unknown, nowMs, m.LaunchedAtMs == 0 ? null : m.LaunchedAtMs, m.Cap), new Accepted(next - 1));
    }

    private static Decision Pause(this UserQueueState state, PauseTask m, long nowMs) => state.Task(m.Task) switch
    {
        null => NoSuchTask(m.Task),
        { Phase: TaskPhase.Paused } => Decision.Answer(new Accepted(0)),
        { Phase: TaskPhase.Running } => Decision.Of(new TaskPaused(m.Task, nowMs), new Accepted(1)),
        var task => WrongState(task, "be paused"),
    };

    private static Decision Resume(this UserQueueState state, ResumeTask m, long nowMs) => state.Task(m.Task) switch
    {
        null => NoSuchTask(m.Task),
        { Phase: TaskPhase.Running } => Decision.Answer(new Accepted(0)),
        { Phase: TaskPhase.Paused } => Decision.Of(new TaskResumed(m.Task, nowMs), new Accepted(1)),
        var task => WrongState(task, "be resumed"),
    };

    private static Decision Cancel(this UserQueueState state, CancelTask m, long nowMs) => state.Task(m.Task) switch
    {
        null => NoSuchTask(m.Task),
        { Phase: TaskPhase.Cancelled } => Decision.Answer(new Accepted(0)),
        { Phase: TaskPhase.Finished } task => WrongState(task, "be cancelled"),
        var task => Decision.Of(
            new TaskCancelled(m.Task, nowMs),
            new Accepted(task.Recipients.Count(RecipientState.Waiting) + task.Recipients.Count(RecipientState.PendingRetry))),
    };

    private static Decision Retry(this UserQueueState state, RetryFailed m, long nowMs) => state.Task(m.Task) switch
    {
        null => NoSuchTask(m.Task),
        { Phase: TaskPhase.Cancelled } task => WrongState(task, "be retried"),
        var task when task.Recipients.Count(RecipientState.Failed) is var failed && failed == 0 => Decision.Answer(new Accepted(0)),
        var task => TaskControls.InTime(
            task, new FailedRetried(m.Task, SeqRange.Of(task.Recipients.All(RecipientState.Failed)), nowMs), task.Recipients.Count(RecipientState.Failed), nowMs),
    };

    private static Decision List(this UserQueueState state, ListRecipients m)
    {
        if (state.Task(m.Task) is not { } task)
        {
            return NoSuchTask(m.Task);
        }

        var limit = Math.Clamp(m.Limit, 1, 1000);
        var page = new List<RecipientEntry>(limit);
        var seq = Math.Clamp(m.After, 0, task.Recipients.Planned);
        while (page.Count <= limit)
        {
            var next = m.State is { } wanted ? task.Recipients.First(wanted, seq + 1, task.Recipients.Planned) : seq < task.Recipients.Planned ? seq + 1 : null;
            if (next is not { } found)
            {
                break;
            }

            seq = found;
            var pending = task.Pending.Find(seq);
            page.Add(new RecipientEntry(seq, task.Recipients[seq], pending is null ? 0 : pending.Attempt - 1, pending?.DueMs));
        }

        var more = page.Count > limit;
        return Decision.Answer(new RecipientList(m.Task, [.. page.Take(limit)], more ? page[limit - 1].Seq : null));
    }

    /// <summary>Due retries first, then the task that was served least for its priority. One task a batch.</summary>
    private static Decision Lease(this UserQueueState state, Pull m, long nowMs)
    {
        var last = state.LastPull(m.Lane);
        if (last is not null && last.Epoch == m.Epoch && m.Nr <= last.Nr)
        {
            // The same pull again: its answer was lost. The same lease again, as far as it is still open. An older pull is an echo.
            return m.Nr == last.Nr ? Decision.Answer(state.BatchOf(m, last.Lease, nowMs)) : Decision.Answer(null);
        }

        var max = Math.Clamp(m.Max, 1, state.Limits.MaxBatch);
        var candidates = state.Unfinished.Where(t => t.Phase == TaskPhase.Running && t.IsFor(m.Lane) && !t.IsOver(nowMs)).OrderBy(t => t.VirtualTime).ThenBy(t => t.Id.Value).ToArray();
        foreach (var task in candidates)
        {
            var due = task.DueRetries(m.Lane, nowMs).Take(max).Select(p => new RetryItem(p.Seq, p.Attempt, p.FirstMs, p.RefusedBy)).ToArray();
            if (due.Length > 0)
            {
                return state.LeaseOf(m, task, [], due, nowMs);
            }
        }

        if (state.PendingCount < state.Limits.MaxPending)
        {
            foreach (var task in candidates)
            {
                var fresh = task.NextWaiting(m.Lane, nowMs, max);
                if (fresh.Length > 0)
                {
                    return state.LeaseOf(m, task, fresh, [], nowMs);
                }
            }
        }

        return Decision.Answer(new Batch(m.User, m.Lane, m.Epoch, m.Nr, null, default, [], [], false));
    }

    private static Decision LeaseOf(this UserQueueState state, Pull m, QueuedTask task, SeqRange[] fresh, RetryItem[] retries, long nowMs)
    {
        var leased = new BatchLeased(state.NextLease, m.Lane, m.Epoch, m.Nr, task.Id, fresh, retries, nowMs);
        return new Decision([leased], () => state.BatchOf(m, leased.Lease, nowMs));
    }

    private static Batch BatchOf(this UserQueueState state, Pull m, LeaseNr nr, long nowMs)
    {
        // A task that was paused or cancelled since then is not handed out again: the lane never gets to hold this lease, says so when asked, and it ends.
        var lease = state.Lease(nr) is { } open && state.Task(open.Task)?.Phase == TaskPhase.Running ? open : null;
        var (fresh, retries) = lease?.Open() ?? ([], []);
        return new Batch(m.User, m.Lane, m.Epoch, m.Nr, lease?.Nr, lease?.Task ?? default, fresh, retries, state.HasDueWork(m.Lane, nowMs));
    }

    /// <summary>Is there anything that this lane could have right now?</summary>
    public static bool HasDueWork(this UserQueueState state, LaneId lane, long nowMs) =>
        state.Unfinished.Any(t => t.Phase == TaskPhase.Running && t.IsFor(lane) && !t.IsOver(nowMs)
            && (t.DueRetries(lane, nowMs).Any() || (state.PendingCount < state.Limits.MaxPending && t.HasWaiting(lane, nowMs))));

    /// <summary>The lanes that could have something right now.</summary>
    public static IEnumerable<LaneId> LanesWithDueWork(this UserQueueState state, long nowMs) =>
        state.Unfinished.Where(t => t.Phase == TaskPhase.Running)
            .SelectMany(t => Enumerable.Range(0, t.Lanes).Select(lane => new LaneId(t.Pool, lane)))
            .Distinct()
            .Where(lane => state.HasDueWork(lane, nowMs));

    public static TaskOutlook OutlookOf(this UserQueueState state, QueuedTask task, long nowMs)
    {
        var (isFull, due) = (state.PendingCount >= state.Limits.MaxPending, false);
        for (var lane = 0; lane < task.Lanes && !due; lane++)
        {
            due = task.DueRetries(new LaneId(task.Pool, lane), nowMs).Any() || (!isFull && task.HasWaiting(new LaneId(task.Pool, lane), nowMs));
        }

        return new TaskOutlook(due, isFull, task.NextOpeningMs(nowMs), task.NextExpiryMs);
    }

    /// <summary>When something that can't be leased now becomes due, or expires, or a task's time is over, whatever its task is; null when nothing ever will by time alone.</summary>
    public static long? NextDueMs(this UserQueueState state, long nowMs) =>
        state.Unfinished.Where(t => t.Phase == TaskPhase.Running)
            .SelectMany(t => new[] { t.Pending.NextDueMs, t.NextOpeningMs(nowMs) })
            .Concat(state.Unfinished.Select(t => t.NextExpiryMs))
            .Concat(state.Unfinished.Where(t => t.Phase != TaskPhase.Cancelled).Select(t => t.EndsAtMs))
            .Where(due => due > nowMs)
            .Min();

    /// <summary>Outcomes of recipients that are not in an open lease of that lane are ignored: recording twice changes nothing.</summary>
    private static Decision Record(this UserQueueState state, Outcomes m, long nowMs)
    {
        if (Array.Exists(m.Items, outcome => outcome.Lease.Value >= state.NextLease.Value))
        {
            // A lease that this queue has not given yet: a newer incarnation has, and only that one may say that the outcome is recorded.
            return Decision.Answer(null);
        }

        var seen = new HashSet<(LeaseNr, int)>();
        var items = new List<RecordedOutcome>(m.Items.Length);
        foreach (var outcome in m.Items)
        {
            if (state.Lease(outcome.Lease) is { } lease && lease.Lane == m.Lane && lease.Task == outcome.Task
                && lease.TryGet(outcome.Seq, out var leased) && seen.Add((outcome.Lease, outcome.Seq)))
            {
                items.Add(state.Judge(outcome with { Attempt = leased.Attempt }, leased.FirstMs, lease.IsFresh(leased), nowMs));
            }
        }

        var ack = new OutcomesAcked(m.Lane, m.User, m.UpToCommit);
        return items.Count == 0
            ? Decision.Answer(ack)
            : new Decision([new OutcomesRecorded(m.Lane, m.UpToCommit, [.. items], nowMs, state.FinishedBy(items, nowMs))], () => ack);
    }

    /// <summary>The last outcome ends its task: both in one event, as with many small tasks an event is dearer than a mail. <see cref="Consequences"/> would find out a write later.</summary>
    private static TaskFinished[]? FinishedBy(this UserQueueState state, IEnumerable<RecordedOutcome> items, long nowMs)
    {
        List<TaskFinished>? finished = null;
        foreach (var ended in items.GroupBy(item => item.Outcome.Task))
        {
            var counts = state.Task(ended.Key)!.Recipients.Counts();
            foreach (var item in ended)
            {
                counts[(int)RecipientState.Leased]--;
                counts[(int)item.State]++;
            }

            if (RecipientLedger.AreSettled(counts))
            {
                (finished ??= []).Add(new TaskFinished(ended.Key, counts, nowMs));
            }
        }

        return finished?.ToArray();
    }

    private static RecordedOutcome Judge(this UserQueueState state, Outcome outcome, long firstMs, bool isFresh, long nowMs)
    {
        var task = state.Task(outcome.Task) ?? throw new InvalidOperationException($"Lease {outcome.Lease} is open, but its task {outcome.Task} is gone.");
        return outcome.Kind switch
        {
            OutcomeKind.Sent => new RecordedOutcome(outcome, RecipientState.Sent, null),
            OutcomeKind.Failed => new RecordedOutcome(outcome, RecipientState.Failed, null),
            OutcomeKind.Skipped => new RecordedOutcome(outcome, RecipientState.Skipped, null),
            OutcomeKind.Unknown when task.Unknown == UnknownPolicy.Resend && task.Phase != TaskPhase.Cancelled && outcome.Attempt < task.Retry.MaxAttempts && !task.IsTooLate(nowMs, firstMs)
                && !task.IsOver(nowMs) =>
                new RecordedOutcome(outcome, RecipientState.PendingRetry, nowMs),
            OutcomeKind.Unknown => new RecordedOutcome(outcome, RecipientState.Unknown, null),
            OutcomeKind.Deferred => Defer(task, outcome, firstMs, nowMs),
            OutcomeKind.Postponed => Postpone(task, outcome, firstMs, isFresh, nowMs),
            _ => throw new ArgumentException($"{outcome.Kind} is not an outcome.", nameof(outcome)),
        };
    }

    private static RecordedOutcome Defer(QueuedTask task, Outcome outcome, long firstMs, long nowMs)
    {
        if (task.Phase == TaskPhase.Cancelled)
        {
            return new RecordedOutcome(outcome, RecipientState.Cancelled, null);
        }

        if (outcome.Attempt >= task.Retry.MaxAttempts)
        {
            return new RecordedOutcome(outcome with { Reason = $"gave up after {outcome.Attempt} tries; the last: {outcome.Reason}" }, RecipientState.Failed, null);
        }

        var asked = outcome.RetryAfterSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : (TimeSpan?)null;
        var delay = RetryDelay.After(task.Retry, task.Id, outcome.Seq, outcome.Attempt, outcome.Class, asked);
        var due = Math.Max(nowMs + (long)delay.TotalMilliseconds, outcome.NotBeforeMs ?? 0);
        if (outcome.ElsewhereMs is { } elsewhere && asked is null && outcome.Attempt + 1 < task.Retry.MaxAttempts)
        {
            // Another service needs no patience. The last try has some all the same: what so many were refused with may be about the mail.
            due = Math.Min(due, Math.Max(nowMs, elsewhere));
        }

        return task.IsTooLate(due, firstMs)
            ? new RecordedOutcome(outcome with { Reason = $"too old for another try; the last: {outcome.Reason}" }, RecipientState.Failed, null)
            : new RecordedOutcome(outcome, RecipientState.PendingRetry, due);
    }

    /// <summary>A retry stays one, with its age. Who was never tried goes back to those who never were: they are no burden on the retries, and grow no older.</summary>
    private static RecordedOutcome Postpone(QueuedTask task, Outcome outcome, long firstMs, bool isFresh, long nowMs)
    {
        if (task.Phase == TaskPhase.Cancelled)
        {
            return new RecordedOutcome(outcome, RecipientState.Cancelled, null);
        }

        var due = Math.Max(outcome.NotBeforeMs ?? 0, nowMs + PostponeAtLeastMs);
        if (isFresh && outcome.Provider is not null)
        {
            return new RecordedOutcome(outcome, RecipientState.Waiting, due);
        }

        return task.IsTooLate(due, firstMs)
            ? new RecordedOutcome(outcome with { Reason = $"too old to be sent; it waited: {outcome.Reason}" }, RecipientState.Failed, null)
            : new RecordedOutcome(outcome, RecipientState.PendingRetry, due);
    }

    private static Decision Return(this UserQueueState state, Returned m, long nowMs)
    {
        if (state.Lease(m.Lease) is not { } lease || lease.Lane != m.Lane)
        {
            return Decision.Answer(null);
        }

        var open = lease.Seqs.Where(seq => Array.Exists(m.Seqs, r => r.Contains(seq))).ToArray();
        return open.Length == 0 ? Decision.Answer(null) : new Decision([new LeaseReturned(m.Lease, SeqRange.Of(open), nowMs)], () => null);
    }

    private static Decision Return(this UserQueueState state, LeasesNotHeld m, long nowMs)
    {
        var returned = m.Leases.Distinct().Select(state.Lease).Where(l => l is not null && l.Lane == m.Lane)
            .Select(l => (IUserQueueEvent)new LeaseReturned(l!.Nr, SeqRange.Of(l.Seqs), nowMs));
        return new Decision([.. returned], () => null);
    }

    /// <summary>
    /// What follows by itself from what was just applied, and from the time: recipients that have expired (some hundred of a task at once; who asks until nothing
    /// follows gets all), tasks whose time is over or that are finished now, and old ones to forget.
    /// </summary>
    public static IReadOnlyList<IUserQueueEvent> Consequences(this UserQueueState state, long nowMs)
    {
        List<IUserQueueEvent>? events = null;
        foreach (var task in state.Unfinished.Where(t => t.NextExpiryMs <= nowMs))
        {
            (events ??= []).Add(new RecipientsExpired(task.Id, SeqRange.Of(task.Expired(nowMs).Take(MaxExpired)), nowMs));
        }

        foreach (var task in state.Unfinished.Where(t => t.Phase != TaskPhase.Cancelled && t.IsOver(nowMs) && !t.Recipients.IsSettled))
        {
            (events ??= []).Add(new TaskCancelled(task.Id, nowMs));
        }

        foreach (var task in state.Unfinished.Where(t => t.Recipients.IsSettled))
        {
            (events ??= []).Add(new TaskFinished(task.Id, task.Recipients.Counts(), nowMs));
        }

        var finished = state.Tasks.Count(t => t.FinishedAtMs is not null);
        if (finished > state.Limits.MaxFinishedTasks)
        {
            (events ??= []).AddRange(state.Tasks.Where(t => t.FinishedAtMs is not null).OrderBy(t => (t.KeptSinceMs, t.Id.Value))
                .Take(finished - state.Limits.MaxFinishedTasks).Select(t => new TaskArchived(t.Id, nowMs)));
        }

        if (state.Archive.Surplus(state.Limits.MaxArchivedTasks) is { } upToMs)
        {
            (events ??= []).Add(new ArchiveForgotten(upToMs, nowMs));
        }

        return events ?? [];
    }

    internal static Decision NoSuchTask(TaskId task) => Decision.Refuse(RefusalCode.NoSuchTask, $"This queue has no task {task}.");

    internal static Decision WrongState(QueuedTask task, string what) =>
        Decision.Refuse(RefusalCode.WrongState, $"Task {task.Id} is {task.Phase.ToString().ToLowerInvariant()} and can't {what}.");
}
