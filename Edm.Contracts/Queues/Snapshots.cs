namespace Edm.Contracts;

/// <summary>A task inside <see cref="UserQueueSnapshot"/>.</summary>
/// <param name="States">Run lengths from seq 1: state number, length, state number, length, …</param>
/// <param name="VirtualTime">Work served divided by priority; the task with the least is served next.</param>
public sealed record TaskSnapshot(
    TaskId Task, PoolId Pool, int Lanes, int Priority, Segment[] Segments, RetryRules Retry, UnknownPolicy Unknown, TaskPhase Phase,
    int[] States, PendingSnapshot[] Pending, long VirtualTime, long QueuedAtMs, long? FinishedAtMs = null);

/// <param name="Attempt">The number of the next try.</param>
/// <param name="FirstMs">When the first try was leased.</param>
public sealed record PendingSnapshot(int Seq, int Attempt, long DueMs, long FirstMs);

public sealed record LeaseSnapshot(LeaseNr Lease, LaneId Lane, long Epoch, long PullNr, TaskId Task, SeqRange[] Fresh, RetryItem[] Retries, long AtMs);

/// <summary>The last pull of a lane that was given something.</summary>
/// <param name="VirtualTime">That of the task whose first tries the lane got last, before it got them.</param>
public sealed record PullSnapshot(LaneId Lane, long Epoch, long Nr, LeaseNr Lease, long VirtualTime);

/// <summary>The whole state of a UserQueue.</summary>
/// <param name="Archived">Tasks that only SQL knows by now, ascending.</param>
public sealed record UserQueueSnapshot(long NextLease, TaskSnapshot[] Tasks, LeaseSnapshot[] Leases, PullSnapshot[] Pulls, TaskId[] Archived) : IEdmMessage;

/// <param name="AtMs">When the start was journaled.</param>
public sealed record OpenMailSnapshot(StartedMail Mail, long Process, long AtMs);

public sealed record UnackedSnapshot(UserId User, long Commit, Outcome Outcome);

/// <summary>How many mails a service started in the hour and in the day that hold <paramref name="Hour"/> and <paramref name="Day"/> (whole hours and days since 1970, UTC).</summary>
public sealed record StartCounter(ServiceId Service, long Hour, int InHour, long Day, int InDay);

/// <summary>The whole state of a CentralQueue.</summary>
public sealed record LaneSnapshot(long CommitNr, OpenMailSnapshot[] Open, UnackedSnapshot[] Unacked, StartCounter[] Starts) : IEdmMessage;
