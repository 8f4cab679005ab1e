using System.Text.Json.Serialization;

namespace Edm.Contracts;

/// <summary>A task inside <see cref="UserQueueSnapshot"/>.</summary>
/// <param name="States">Run lengths from seq 1: state number, length, state number, length, …</param>
/// <param name="VirtualTime">Work served divided by priority; the task with the least is served next.</param>
/// <param name="LaunchedAtMs">As <see cref="QueueTask.LaunchedAtMs"/>; null in snapshots of versions that did not keep it.</param>
/// <param name="Cap">As <see cref="QueueTask.Cap"/>.</param>
/// <param name="RestoredAtMs">When it was brought back from the archive; null when it was not.</param>
/// <param name="Parked">Those among the waiting who wait for their provider; null when there are none.</param>
public sealed record TaskSnapshot(
    TaskId Task, PoolId Pool, int Lanes, int Priority, Segment[] Segments, RetryRules Retry, UnknownPolicy Unknown, TaskPhase Phase,
    int[] States, PendingSnapshot[] Pending, long VirtualTime, long QueuedAtMs, long? FinishedAtMs = null, long? LaunchedAtMs = null,
    int? Cap = null, long? RestoredAtMs = null, ParkedSnapshot[]? Parked = null);

/// <summary>Recipients of one provider to which a lane could not send.</summary>
/// <param name="Provider">By its stored number.</param>
/// <param name="Seqs">A bit a recipient, from seq 0, the lowest bit first.</param>
public sealed record ParkedSnapshot(int Provider, byte[] Seqs, ClosedLane[] Closed);

/// <summary>The lane can't send to the provider before then.</summary>
public sealed record ClosedLane(int Lane, long UntilMs);

/// <param name="Attempt">The number of the next try.</param>
/// <param name="FirstMs">When the first try was leased.</param>
/// <param name="RefusedBy">As <see cref="RetryItem.RefusedBy"/>.</param>
public sealed record PendingSnapshot(int Seq, int Attempt, long DueMs, long FirstMs, ServiceId[]? RefusedBy = null);

public sealed record LeaseSnapshot(LeaseNr Lease, LaneId Lane, long Epoch, long PullNr, TaskId Task, SeqRange[] Fresh, RetryItem[] Retries, long AtMs);

/// <summary>The last pull of a lane that was given something.</summary>
/// <param name="VirtualTime">That of the task whose first tries the lane got last, before it got them.</param>
public sealed record PullSnapshot(LaneId Lane, long Epoch, long Nr, LeaseNr Lease, long VirtualTime);

/// <summary>A task of which its queue knows nothing but this.</summary>
public sealed record ArchivedTask(TaskId Task, long LaunchedAtMs);

/// <summary>What a UserQueue remembers of tasks that only SQL knows by now.</summary>
/// <param name="Tasks">By launch.</param>
/// <param name="ForgottenUpToMs">Of tasks launched until then there may have been others; null: there were none.</param>
/// <param name="UndatedUpToMs">All of <see cref="UserQueueSnapshot.Archived"/> were launched before; null when there are none, or nobody knows yet.</param>
public sealed record ArchiveSnapshot(ArchivedTask[] Tasks, long? ForgottenUpToMs = null, long? UndatedUpToMs = null);

/// <summary>The whole state of a UserQueue.</summary>
/// <param name="Archived">Tasks that were archived by a version that did not keep when they were launched, ascending.</param>
/// <param name="Archive">Null in snapshots of such a version.</param>
public sealed record UserQueueSnapshot(
    long NextLease, TaskSnapshot[] Tasks, LeaseSnapshot[] Leases, PullSnapshot[] Pulls, TaskId[] Archived, ArchiveSnapshot? Archive = null) : IEdmMessage;

/// <param name="AtMs">When the start was journaled.</param>
public sealed record OpenMailSnapshot(StartedMail Mail, long Process, long AtMs);

public sealed record UnackedSnapshot(UserId User, long Commit, Outcome Outcome);

/// <summary>How many mails a service started in the hour and in the day that hold <paramref name="Hour"/> and <paramref name="Day"/> (whole hours and days since 1970, UTC).</summary>
/// <remarks>Only read any more, from the snapshots of earlier versions.</remarks>
public sealed record StartCounter(ServiceId Service, long Hour, int InHour, long Day, int InDay);

/// <summary>How many mails a service started, by minute and by quarter of an hour.</summary>
/// <param name="LastMinute">The latest minute counted, since 1970.</param>
/// <param name="Seconds">By second, of the last minute, to all providers; null in snapshots of versions that did not keep them.</param>
public sealed record StartLogSnapshot(ServiceId Service, long LastMinute, StartCount[] Minutes, StartCount[] Quarters, StartCount[]? Seconds = null);

/// <param name="Nr">Which second, minute, or quarter of an hour, since 1970.</param>
/// <param name="Provider">The recipients' provider, by its stored number; 0 where they are not told apart.</param>
public sealed record StartCount(
    [property: JsonPropertyName("i")] long Nr,
    [property: JsonPropertyName("p")] int Provider,
    [property: JsonPropertyName("n")] int Count);

/// <summary>How many mails a service started in one commit.</summary>
public sealed record ServiceStarts(ServiceId Service, int Count);

/// <summary>The whole state of a CentralQueue.</summary>
/// <param name="Starts">Empty since there are <paramref name="StartLogs"/>.</param>
/// <param name="Latest">Started by the last commit: they went onto the wire once it was durable, and only the next commit tells when that was.</param>
public sealed record LaneSnapshot(
    long CommitNr, OpenMailSnapshot[] Open, UnackedSnapshot[] Unacked, StartCounter[] Starts, StartLogSnapshot[]? StartLogs = null,
    ServiceStarts[]? Latest = null) : IEdmMessage;
