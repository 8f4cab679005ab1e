namespace Edm.Contracts;

/// <summary>A task inside <see cref="UserQueueSnapshot"/>.</summary>
/// <param name="States">Run lengths from seq 1: state number, length, state number, length, …</param>
/// <param name="VirtualTime">Work served divided by priority; the task with the least is served next.</param>
public sealed record TaskSnapshot(
    TaskId Task, PoolId Pool, int Lanes, int Priority, Segment[] Segments, RetryRules Retry, UnknownPolicy Unknown, TaskPhase Phase,
    int[] States, PendingSnapshot[] Pending, long VirtualTime, long QueuedAtMs, long? FinishedAtMs = null);

public sealed record PendingSnapshot(int Seq, int Attempt, long DueMs);

public sealed record LeaseSnapshot(LeaseNr Lease, LaneId Lane, long Epoch, long PullNr, TaskId Task, SeqRange[] Fresh, RetryItem[] Retries, long AtMs);

public sealed record PullSnapshot(LaneId Lane, long Epoch, long Nr, LeaseNr Lease);

/// <summary>The whole state of a UserQueue.</summary>
public sealed record UserQueueSnapshot(long NextLease, TaskSnapshot[] Tasks, LeaseSnapshot[] Leases, PullSnapshot[] Pulls) : IEdmMessage;

public sealed record OpenMailSnapshot(StartedMail Mail, long Process);

public sealed record UnackedSnapshot(UserId User, long Commit, Outcome Outcome);

/// <summary>How many mails a service started in the hour and in the day that hold <paramref name="Hour"/> and <paramref name="Day"/> (whole hours and days since 1970, UTC).</summary>
public sealed record StartCounter(ServiceId Service, long Hour, int InHour, long Day, int InDay);

/// <summary>The whole state of a CentralQueue.</summary>
public sealed record LaneSnapshot(long CommitNr, OpenMailSnapshot[] Open, UnackedSnapshot[] Unacked, StartCounter[] Starts) : IEdmMessage;
