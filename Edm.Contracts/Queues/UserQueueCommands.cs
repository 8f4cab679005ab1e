using System.Text.Json.Serialization;

namespace Edm.Contracts;

/// <summary>What to do with a recipient of whom nobody can know whether the mail went out.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<UnknownPolicy>))]
public enum UnknownPolicy
{
    /// <summary>It stays unknown until evidence or an operator decides.</summary>
    Hold,

    /// <summary>It is tried again with the same Message-ID; the person may get the mail twice.</summary>
    Resend,
}

/// <summary>When a deferred recipient is tried again: <c>FirstDelay × 2^(attempt-1)</c>, at most <c>MaxDelay</c>, ± 20 % jitter.</summary>
/// <param name="MaxAttempts">The try with this number is the last; then the recipient has failed.</param>
/// <param name="MaxAgeSeconds">
/// From when the recipient was first handed to a lane; a recipient that is older has failed, whatever it waited for. Not from when the task was queued: a task may
/// run for weeks, begin late, or be retried after its end, and its last recipient has as many tries as its first. So who waits for the first try has no age, and
/// neither has who was given back before it: nothing was tried. Who was postponed keeps the age.
/// </param>
/// <param name="SendWithinSeconds">
/// From the launch: then the task is cancelled by itself, whoever waits for whatever try; null: never. A mail that has been started by then is not called back.
/// </param>
public sealed record RetryRules(int MaxAttempts, int FirstDelaySeconds, int MaxDelaySeconds, int MaxAgeSeconds, int? SendWithinSeconds = null)
{
    /// <summary>RFC 5321, 4.5.4.1 asks for retries over 4–5 days; outreach is stale sooner: 8 tries, 1 minute doubling to 4 hours, at most 3 days.</summary>
    public static readonly RetryRules Default = new(8, 60, 4 * 3600, 3 * 86400);
}

/// <summary>A contiguous part of a task's audience with its own conditions.</summary>
/// <param name="Lane">The only lane that may send it (sticky sender), or null for any lane of the pool.</param>
/// <param name="NotBeforeMs">Unix milliseconds before which it is not leased.</param>
public sealed record Segment(SeqRange Range, int? Lane = null, long? NotBeforeMs = null);

/// <summary>Puts a frozen audience to work. Answered with <see cref="Accepted"/> once durable, also when it had been queued before.</summary>
/// <param name="Priority">1..100; a task with priority 2 gets twice the share of one with 1 among the tasks of the same user.</param>
/// <param name="Lanes">How many lanes the pool has; fixed for the life of the pool.</param>
/// <param name="LaunchedAtMs">
/// When its user launched the task, the same each time that the message comes, and ascending with the launches of one user. By it a queue knows that a task is so
/// old that it may have forgotten it. 0 from a node of a version that did not say it.
/// </param>
/// <param name="Cap">
/// How many of its recipients may be anything else than waiting or cancelled; null: all. At the cap nobody is handed out for a first try, and those that were are still
/// retried. Who goes back to waiting or is cancelled gives the place back, so no more than so many ever get a mail.
/// </param>
public sealed record QueueTask(
    UserId User, TaskId Task, PoolId Pool, int Lanes, int Priority, Segment[] Segments, RetryRules Retry, UnknownPolicy Unknown, long LaunchedAtMs = 0,
    int? Cap = null) : IForUserQueue;

public sealed record PauseTask(UserId User, TaskId Task) : IForUserQueue;

public sealed record ResumeTask(UserId User, TaskId Task) : IForUserQueue;

/// <summary>Waiting and pending recipients become cancelled at once; leased ones as soon as their lane gives them back unsent.</summary>
public sealed record CancelTask(UserId User, TaskId Task) : IForUserQueue;

/// <summary>Puts the failed recipients, and no others, back to waiting.</summary>
public sealed record RetryFailed(UserId User, TaskId Task) : IForUserQueue;

/// <param name="Most">As <see cref="QueueTask.Cap"/>; null: no cap.</param>
public sealed record TaskCap(int? Most = null);

/// <summary>Changes what is given of a task, also while it runs. Below what is handed out already, a cap stops first tries only.</summary>
/// <param name="Unknown">For outcomes that are recorded from then on. Those that are unknown already stay so.</param>
/// <param name="Retry">All of them, from now on. Who waits for a later try than the last one of new rules has that one still.</param>
public sealed record ChangeTask(
    UserId User, TaskId Task, int? Priority = null, TaskCap? Cap = null, UnknownPolicy? Unknown = null, RetryRules? Retry = null) : IForUserQueue;

/// <summary>Puts recipients of a finished or cancelled task that got no mail back to waiting. Whether they may be mailed now is found out anew when their mail is prepared.</summary>
/// <param name="Cancelled">Those that were cancelled.</param>
/// <param name="Skipped">Those that were skipped.</param>
public sealed record SendToMissed(UserId User, TaskId Task, bool Cancelled, bool Skipped) : IForUserQueue;

/// <summary>What an unknown outcome turns out to be, or is taken for.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<UnknownVerdict>))]
public enum UnknownVerdict
{
    /// <summary>The mail went out.</summary>
    [JsonStringEnumMemberName("sent")] Sent,

    /// <summary>It did not, and is not tried again.</summary>
    [JsonStringEnumMemberName("failed")] Failed,

    /// <summary>The recipient waits again, and gets it with the same Message-ID; for the second time, if it had gone out.</summary>
    [JsonStringEnumMemberName("resend")] Resend,
}

/// <summary>Decides unknown outcomes. Whoever is not unknown (any more) stays as it is.</summary>
/// <param name="By">As <see cref="UnknownResolved.By"/>.</param>
/// <param name="Seqs">Null: all of the task that are unknown.</param>
public sealed record ResolveUnknown(UserId User, TaskId Task, UnknownVerdict As, string By, SeqRange[]? Seqs = null, string? Why = null) : IForUserQueue;

/// <summary>Asks for the exact ledger; answered with <see cref="TaskLedger"/> or <see cref="Refused"/>.</summary>
public sealed record GetTask(UserId User, TaskId Task) : IForUserQueue;

/// <summary>Asks for the recipients with seq above <paramref name="After"/>, ascending; answered with <see cref="RecipientList"/> or <see cref="Refused"/>.</summary>
/// <param name="State">Null for all states.</param>
/// <param name="Limit">1..1,000.</param>
public sealed record ListRecipients(
    UserId User, TaskId Task, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] RecipientState? State, int After, int Limit) : IForUserQueue;

/// <summary>The command is durable. <paramref name="Changed"/> counts the recipients or tasks that it changed; 0 when there was nothing left to do.</summary>
public sealed record Accepted(int Changed) : IEdmMessage;

[JsonConverter(typeof(JsonStringEnumConverter<RefusalCode>))]
public enum RefusalCode
{
    /// <summary>This queue has no such task (never queued; or archived long after it finished, and nothing that brings it back).</summary>
    NoSuchTask,

    /// <summary>The task is not in a state that allows the command.</summary>
    WrongState,

    /// <summary>The command itself makes no sense; a defect of the caller.</summary>
    Invalid,

    /// <summary>The task was launched so long ago that the queue can't know any more whether it was done; it is not begun again.</summary>
    Forgotten,
}

/// <summary>The command changed nothing.</summary>
public sealed record Refused(RefusalCode Code, string Message) : IEdmMessage;

[JsonConverter(typeof(JsonStringEnumConverter<TaskPhase>))]
public enum TaskPhase
{
    [JsonStringEnumMemberName("running")] Running,
    [JsonStringEnumMemberName("paused")] Paused,
    [JsonStringEnumMemberName("cancelled")] Cancelled,
    [JsonStringEnumMemberName("finished")] Finished,
}

/// <summary>The exact ledger of one task at one moment.</summary>
/// <param name="Counts">By <see cref="RecipientState"/>, in the order of its numbers; their sum is <paramref name="Planned"/>.</param>
/// <param name="SentPerSecond">Mean over the last 60 s.</param>
/// <param name="NextRetryMs">Unix milliseconds when the next retry is due, null when none is pending.</param>
/// <param name="Priority">0 from a node of a version that did not say it.</param>
/// <param name="Cap">As <see cref="QueueTask.Cap"/>.</param>
/// <param name="Outlook">Null from a node of a version that did not say it.</param>
/// <param name="Unknown">As <paramref name="Outlook"/>.</param>
/// <param name="Retry">As <paramref name="Outlook"/>.</param>
public sealed record TaskLedger(
    TaskId Task, PoolId Pool, TaskPhase Phase, int Planned, int[] Counts, double SentPerSecond,
    long QueuedAtMs, long? FinishedAtMs = null, long? NextRetryMs = null, int Priority = 0, int? Cap = null, TaskOutlook? Outlook = null,
    UnknownPolicy? Unknown = null, RetryRules? Retry = null) : IEdmMessage;

/// <summary>What the queue knows of the next mails of a task.</summary>
/// <param name="DueNow">Some lane could have a recipient of it now.</param>
/// <param name="IsFull">So many retries of its user wait that nobody is handed out for a first try.</param>
/// <param name="NextOpeningMs">When the next part of it opens that is closed now; null when none is.</param>
/// <param name="NextExpiryMs">When the next recipient that waits for a retry gets too old for one; null when none does.</param>
public sealed record TaskOutlook(bool DueNow, bool IsFull, long? NextOpeningMs = null, long? NextExpiryMs = null);

/// <param name="Attempts">Tries so far in the present run, 0 when it waits for its first.</param>
/// <param name="DueMs">When a pending retry is due.</param>
public sealed record RecipientEntry(int Seq, RecipientState State, int Attempts, long? DueMs = null);

/// <param name="Next">The seq to go on after, null at the end.</param>
public sealed record RecipientList(TaskId Task, RecipientEntry[] Recipients, int? Next = null) : IEdmMessage;
