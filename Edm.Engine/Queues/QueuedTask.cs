using Edm.Contracts;

namespace Edm.Engine.Queues;

/// <summary>One task inside a UserQueue: where each recipient stands, and what may be leased next.</summary>
public sealed class QueuedTask
{
    /// <summary>The share that one recipient costs a task of priority 1; divisible by every priority up to 10, fine enough for those up to 100.</summary>
    private const long ServiceUnit = 2_520_000;

    /// <summary>By segment: no recipient before it is waiting and not parked. Only a hint that saves searching.</summary>
    private readonly int[] cursors;

    /// <summary>Null while there is nobody.</summary>
    private ParkedRecipients? parked;

    public QueuedTask(TaskQueued queued)
    {
        (Id, Pool, Lanes, Priority, Segments, Retry, Unknown) = (queued.Task, queued.Pool, queued.Lanes, queued.Priority, queued.Segments, queued.Retry, queued.Unknown);
        (QueuedAtMs, LaunchedAtMs, Cap) = (queued.AtMs, queued.LaunchedAtMs ?? queued.AtMs, queued.Cap);
        Recipients = new RecipientLedger(queued.Segments.Sum(s => s.Range.Count));
        cursors = [.. Segments.Select(s => s.Range.First)];
    }

    public QueuedTask(TaskSnapshot snapshot)
    {
        (Id, Pool, Lanes, Priority, Segments, Retry, Unknown) = (snapshot.Task, snapshot.Pool, snapshot.Lanes, snapshot.Priority, snapshot.Segments, snapshot.Retry, snapshot.Unknown);
        (Phase, QueuedAtMs, FinishedAtMs, VirtualTime) = (snapshot.Phase, snapshot.QueuedAtMs, snapshot.FinishedAtMs, snapshot.VirtualTime);
        (LaunchedAtMs, Cap, RestoredAtMs) = (snapshot.LaunchedAtMs ?? snapshot.QueuedAtMs, snapshot.Cap, snapshot.RestoredAtMs);
        Recipients = RecipientLedger.FromRuns(snapshot.States);
        cursors = [.. Segments.Select(s => s.Range.First)];
        parked = snapshot.Parked is { } some ? new ParkedRecipients(Recipients.Planned, some) : null;
        foreach (var pending in snapshot.Pending)
        {
            Pending.Add(pending);
        }
    }

    public TaskId Id { get; }
    public PoolId Pool { get; }
    public int Lanes { get; }
    public int Priority { get; set; }

    /// <summary>As <see cref="QueueTask.Cap"/>.</summary>
    public int? Cap { get; set; }
    public Segment[] Segments { get; }
    public RetryRules Retry { get; set; }
    public UnknownPolicy Unknown { get; set; }
    public long QueuedAtMs { get; }

    /// <summary>When it was launched, or, where that was not written down, a time after that: when it was queued.</summary>
    public long LaunchedAtMs { get; }
    public TaskPhase Phase { get; set; } = TaskPhase.Running;
    public long? FinishedAtMs { get; set; }

    /// <summary>When it was brought back from the archive; null when it was not.</summary>
    public long? RestoredAtMs { get; init; }

    /// <summary>Since when a finished task has been one; the longest goes into the archive first.</summary>
    public long? KeptSinceMs => FinishedAtMs > RestoredAtMs ? FinishedAtMs : RestoredAtMs ?? FinishedAtMs;

    public RecipientLedger Recipients { get; }
    public PendingQueue Pending { get; } = new();

    /// <summary>
    /// Work served divided by priority: weighted fair queueing among the tasks of one user. The least is served next. Lanes take turns over users by deficit round robin,
    /// because a queue may be asked and have nothing; here all is known at the moment of the pull, so that this is at least as fair: whatever their sizes and
    /// priorities, two tasks that always have work differ from their shares by no more than one batch each, at every moment and not only at the end of a round.
    /// </summary>
    public long VirtualTime { get; private set; }

    /// <summary>
    /// Start-time fair queueing (Goyal, Vin, Cheng 1996): a task that was new, paused or closed for a while is served at once, but does not catch up what it
    /// did not ask for while the others were served up to <paramref name="clock"/>.
    /// </summary>
    /// <returns>The virtual time at which it was served.</returns>
    public long Serve(int recipients, long clock)
    {
        var start = Math.Max(VirtualTime, clock);
        VirtualTime = start + (recipients * ServiceUnit / Priority);
        return start;
    }

    /// <summary>Recipients that were handed out and have not come back: all but those that wait or were cancelled.</summary>
    public int HandedOut => Recipients.Planned - Recipients.Count(RecipientState.Waiting) - Recipients.Count(RecipientState.Cancelled);

    /// <summary>How many more may be handed out for a first try.</summary>
    private int Room => Cap is { } cap ? Math.Max(0, cap - HandedOut) : int.MaxValue;

    public bool IsAtCap => Room == 0;

    public bool IsFor(LaneId lane) => Pool == lane.Pool;

    /// <summary>At most <paramref name="max"/> waiting recipients that this lane may have now, as runs: in each segment first those who were parked and need not wait any more.</summary>
    public SeqRange[] NextWaiting(LaneId lane, long nowMs, int max)
    {
        var runs = new List<SeqRange>();
        max = Math.Min(max, Room);
        for (var i = 0; i < Segments.Length && max > 0; i++)
        {
            var segment = Segments[i];
            if ((segment.Lane is { } own && own != lane.Lane) || segment.NotBeforeMs > nowMs)
            {
                continue;
            }

            var from = segment.Range.First;
            while (max > 0 && parked?.Open(lane.Lane, nowMs, from, segment.Range.Last, max) is { } opened)
            {
                runs.Add(opened);
                max -= opened.Count;
                from = opened.Last + 1;
            }

            if (max > 0 && parked is not null)
            {
                cursors[i] = NextUnparked(cursors[i], segment.Range.Last) ?? segment.Range.Last + 1;
            }

            from = cursors[i];
            while (max > 0 && NextUnparked(from, segment.Range.Last) is { } first)
            {
                var last = Math.Min(segment.Range.Last, first + max - 1);
                var run = Recipients.Run(RecipientState.Waiting, first, parked?.First(first, last) - 1 ?? last, max);
                runs.Add(run);
                max -= run.Count;
                from = run.Last + 1;
            }
        }

        return [.. runs];
    }

    private int? NextUnparked(int from, int last)
    {
        var found = Recipients.First(RecipientState.Waiting, from, last);
        while (parked is not null && found is { } seq && parked.Contains(seq))
        {
            found = Recipients.First(RecipientState.Waiting, seq + 1, last);
        }

        return found;
    }

    /// <summary>It goes back to those who wait for their first try, but the lane gets nobody of this provider before then.</summary>
    public void Park(int seq, int provider, LaneId lane, long untilMs)
    {
        Recipients[seq] = RecipientState.Waiting;
        (parked ??= new ParkedRecipients(Recipients.Planned)).Add(seq, provider, lane.Lane, untilMs);
    }

    /// <summary>Nobody waits any more.</summary>
    public void Cancel()
    {
        foreach (var seq in Recipients.All(RecipientState.Waiting))
        {
            Recipients[seq] = RecipientState.Cancelled;
        }

        parked = null;
    }

    public bool HasWaiting(LaneId lane, long nowMs) => NextWaiting(lane, nowMs, 1).Length > 0;

    /// <summary>When the next segment, or provider of those who are parked, opens that is still closed; null when none is closed, nothing waits, or nobody may be handed out.</summary>
    public long? NextOpeningMs(long nowMs) =>
        Recipients.Count(RecipientState.Waiting) == 0 || IsAtCap ? null
        : Segments.Where(s => s.NotBeforeMs > nowMs).Select(s => s.NotBeforeMs).Append(parked?.NextOpeningMs(nowMs)).Min();

    public void Lease(SeqRange fresh)
    {
        Recipients.Set(fresh, RecipientState.Leased);
        if (Unpark(fresh))
        {
            return;
        }

        for (var i = 0; i < Segments.Length; i++)
        {
            // What is leased and was not parked is always the first such that waits in its segment, so nobody waits before its end who is not parked.
            if (Segments[i].Range.Contains(fresh.First))
            {
                cursors[i] = Math.Max(cursors[i], fresh.Last + 1);
            }
        }
    }

    /// <returns>True when they were parked: all of a run were, or none.</returns>
    private bool Unpark(SeqRange fresh)
    {
        var was = false;
        for (var seq = fresh.First; parked is not null && seq <= fresh.Last; seq++)
        {
            was |= parked.Remove(seq);
        }

        parked = parked is { Count: > 0 } ? parked : null;
        return was;
    }

    /// <summary>The retries that are due and that this lane may have, the longest overdue first. Who has expired is none of them any more.</summary>
    public IEnumerable<PendingSnapshot> DueRetries(LaneId lane, long nowMs) =>
        Pending.Due(nowMs).Where(p => !IsTooLate(nowMs, p.FirstMs) && (Array.Find(Segments, s => s.Range.Contains(p.Seq))?.Lane is not { } own || own == lane.Lane));

    /// <summary>At this moment a recipient is older than it may become whose first try was leased at <paramref name="firstMs"/>.</summary>
    public bool IsTooLate(long atMs, long firstMs) => atMs > firstMs + MaxAgeMs;

    /// <summary>Pending recipients that have expired, the oldest first.</summary>
    public IEnumerable<int> Expired(long nowMs) => Pending.OlderThan(nowMs - MaxAgeMs);

    /// <summary>When the next pending recipient expires if nothing becomes of it before; null when nobody is pending.</summary>
    public long? NextExpiryMs => Pending.OldestFirstMs + MaxAgeMs + 1;

    /// <summary>When its time is over; null: never.</summary>
    public long? EndsAtMs => LaunchedAtMs + (Retry.SendWithinSeconds * 1000L);

    public bool IsOver(long nowMs) => EndsAtMs <= nowMs;

    private long MaxAgeMs => Retry.MaxAgeSeconds * 1000L;

    public void Reopen(int seq)
    {
        Recipients[seq] = RecipientState.Waiting;
        for (var i = 0; i < Segments.Length; i++)
        {
            if (Segments[i].Range.Contains(seq))
            {
                cursors[i] = Math.Min(cursors[i], seq);
            }
        }
    }

    public TaskSnapshot ToSnapshot() =>
        new(Id, Pool, Lanes, Priority, Segments, Retry, Unknown, Phase, Recipients.ToRuns(), Pending.ToSnapshot(), VirtualTime, QueuedAtMs, FinishedAtMs, LaunchedAtMs, Cap,
            RestoredAtMs, parked?.ToSnapshot());
}
