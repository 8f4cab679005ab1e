namespace Edm.Contracts;

/// <summary>
/// A new incarnation of the queue begins. Written before it answers anything: two writers can't both have the next place in the journal,
/// so from here on an older incarnation (a node cut off from the others) can't record anything any more.
/// </summary>
public sealed record QueueOpened(long Process, long AtMs) : IUserQueueEvent;

/// <param name="LaunchedAtMs">As <see cref="QueueTask.LaunchedAtMs"/>; null in events of versions that did not keep it.</param>
/// <param name="Cap">As <see cref="QueueTask.Cap"/>.</param>
public sealed record TaskQueued(
    TaskId Task, PoolId Pool, int Lanes, int Priority, Segment[] Segments, RetryRules Retry, UnknownPolicy Unknown, long AtMs, long? LaunchedAtMs = null,
    int? Cap = null) : IUserQueueEvent;

public sealed record TaskPaused(TaskId Task, long AtMs) : IUserQueueEvent;

public sealed record TaskResumed(TaskId Task, long AtMs) : IUserQueueEvent;

/// <summary>By its user, or because its time was over.</summary>
public sealed record TaskCancelled(TaskId Task, long AtMs) : IUserQueueEvent;

public sealed record FailedRetried(TaskId Task, SeqRange[] Seqs, long AtMs) : IUserQueueEvent;

/// <summary>The task has another share among the tasks of its user from now on.</summary>
public sealed record PriorityChanged(TaskId Task, int Priority, long AtMs) : IUserQueueEvent;

/// <param name="Cap">As <see cref="QueueTask.Cap"/>; null: there is none any more.</param>
public sealed record CapChanged(TaskId Task, long AtMs, int? Cap = null) : IUserQueueEvent;

/// <summary>What becomes of mails of which nobody can know whether they went out, from now on.</summary>
public sealed record UnknownPolicyChanged(TaskId Task, UnknownPolicy Unknown, long AtMs) : IUserQueueEvent;

/// <summary>How often and how long its recipients are tried, from now on.</summary>
public sealed record RetryRulesChanged(TaskId Task, RetryRules Retry, long AtMs) : IUserQueueEvent;

/// <summary>Recipients of a finished or cancelled task that got no mail wait again, and the task runs.</summary>
/// <param name="Cancelled">Those that were cancelled.</param>
/// <param name="Skipped">Those that were skipped.</param>
public sealed record MissedReopened(TaskId Task, SeqRange[] Cancelled, SeqRange[] Skipped, long AtMs) : IUserQueueEvent;

/// <summary>Nothing of the task is waiting, leased or pending any more.</summary>
/// <param name="Counts">By <see cref="RecipientState"/>; their sum is what was planned.</param>
public sealed record TaskFinished(TaskId Task, int[] Counts, long AtMs) : IUserQueueEvent;

/// <summary>A finished task leaves the queue's memory, but for its number and when it was launched; SQL goes on knowing it.</summary>
public sealed record TaskArchived(TaskId Task, long AtMs) : IUserQueueEvent;

/// <summary>A command is for a task that is archived. What SQL knows of the task is complete once this has been projected.</summary>
/// <param name="Nr">Which event of its queue this is.</param>
public sealed record TaskWanted(TaskId Task, long Nr, long AtMs) : IUserQueueEvent;

/// <summary>An archived task is in its queue's memory again, as SQL knew it.</summary>
public sealed record TaskRestored(TaskSnapshot Task, long AtMs) : IUserQueueEvent;

/// <summary>
/// Of archived tasks launched at or before <paramref name="UpToMs"/> nothing is kept any more. From here on no task launched until then is begun: it may be one of them.
/// </summary>
public sealed record ArchiveForgotten(long UpToMs, long AtMs) : IUserQueueEvent;

/// <param name="Attempt">The number of the try that this lease is for; 1 for a first try that was postponed.</param>
/// <param name="FirstMs">When the first try was leased.</param>
/// <param name="RefusedBy">Services that were refused for who they are when they tried it; null: none. No more than tries.</param>
public sealed record RetryItem(int Seq, int Attempt, long FirstMs, ServiceId[]? RefusedBy = null);

/// <summary>Recipients were handed to one lane, in answer to pull <paramref name="PullNr"/> of the lane's incarnation <paramref name="Epoch"/>.</summary>
/// <param name="Fresh">First tries.</param>
public sealed record BatchLeased(LeaseNr Lease, LaneId Lane, long Epoch, long PullNr, TaskId Task, SeqRange[] Fresh, RetryItem[] Retries, long AtMs) : IUserQueueEvent;

/// <summary>What became of mails of which nobody could know whether they went out is known, or decided, now.</summary>
/// <param name="By">Who says so: a key of the user, or evidence.</param>
/// <param name="Why">In the operator's words, without addresses.</param>
public sealed record UnknownResolved(TaskId Task, UnknownVerdict As, SeqRange[] Seqs, string By, long AtMs, string? Why = null) : IUserQueueEvent;

/// <summary>These recipients, all pending, have grown older than the task's retry rules allow: they have failed and are not tried again.</summary>
public sealed record RecipientsExpired(TaskId Task, SeqRange[] Seqs, long AtMs) : IUserQueueEvent;

/// <summary>These recipients of the lease were never started and are open again.</summary>
public sealed record LeaseReturned(LeaseNr Lease, SeqRange[] Seqs, long AtMs) : IUserQueueEvent;

/// <param name="State">Where the outcome put the recipient.</param>
/// <param name="DueMs">When the next try is due, for pending-retry; for one that waits for its first try again, when the lane may have it.</param>
public sealed record RecordedOutcome(Outcome Outcome, RecipientState State, long? DueMs = null);

/// <summary>One event for everything that a lane reported at once.</summary>
/// <param name="Finished">Tasks that ended with these outcomes; null: none.</param>
public sealed record OutcomesRecorded(LaneId Lane, long UpToCommit, RecordedOutcome[] Items, long AtMs, TaskFinished[]? Finished = null) : IUserQueueEvent;
