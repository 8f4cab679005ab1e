using System.Text.Json.Serialization;

namespace Edm.Contracts;

// What UserQueues and lanes say to each other. Any of these can be lost, doubled or late: each has a re-send and is harmless twice.

/// <summary>The user has due work for this lane. Repeated every few seconds while that is so and the lane holds no lease of it.</summary>
public sealed record Ready(LaneId Lane, UserId User) : IForLane;

/// <summary>Asks for at most <paramref name="Max"/> recipients. Sent again with the same number until it is answered.</summary>
/// <param name="Epoch">The commit with which this incarnation of the lane began; a later one has a higher.</param>
/// <param name="Nr">Counts up in one incarnation; at most one pull a user is open.</param>
public sealed record Pull(UserId User, LaneId Lane, long Epoch, long Nr, int Max) : IForUserQueue;

/// <summary>The answer to a pull. A lane takes it only while that very pull is open, so a late copy can never be sent twice.</summary>
/// <param name="Lease">Null when there was nothing due.</param>
/// <param name="More">There is more due work for this lane.</param>
public sealed record Batch(
    UserId User, LaneId Lane, long Epoch, long Nr, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] LeaseNr? Lease,
    TaskId Task, SeqRange[] Fresh, RetryItem[] Retries, bool More) : IEdmMessage;

/// <summary>Outcomes of this user from the lane's commits up to <paramref name="UpToCommit"/> that were not acknowledged yet.</summary>
public sealed record Outcomes(UserId User, LaneId Lane, long UpToCommit, Outcome[] Items) : IForUserQueue;

/// <summary>Everything up to this commit is durable at the UserQueue.</summary>
public sealed record OutcomesAcked(LaneId Lane, UserId User, long UpToCommit) : IForLane;

/// <summary>The lane gives these back unsent. A loss is repaired by <see cref="QueryLeases"/>.</summary>
public sealed record Returned(UserId User, LaneId Lane, LeaseNr Lease, SeqRange[] Seqs) : IForUserQueue;

public sealed record LeaseQuestion(LeaseNr Lease, long Epoch, long PullNr);

/// <summary>Which of these leases does the lane not hold? Time alone never ends a lease; this answer does.</summary>
public sealed record QueryLeases(LaneId Lane, UserId User, LeaseQuestion[] Leases) : IForLane;

/// <summary>The lane neither has a recipient of these leases nor owes an outcome for one, and will never take a late copy of them.</summary>
public sealed record LeasesNotHeld(UserId User, LaneId Lane, LeaseNr[] Leases) : IForUserQueue;

/// <summary>Give back what is not started of this task's leases up to <paramref name="UpTo"/>: it was paused or cancelled.</summary>
public sealed record RecallTask(LaneId Lane, UserId User, TaskId Task, LeaseNr UpTo) : IForLane;

/// <summary>The services of this lane were changed in SQL; read them again now.</summary>
public sealed record ServicesChanged(LaneId Lane) : IForLane;

/// <summary>Asks what the lane is doing; answered with <see cref="LaneReport"/>.</summary>
/// <param name="Service">Null: all of its services are wanted.</param>
public sealed record GetLane(LaneId Lane, ServiceId? Service = null) : IForLane;

/// <summary>Why a service sends nothing now, or less than it could. Computed from its state: the same state gives the same words.</summary>
/// <param name="Code">
/// For programs: disabled, stopping, not-working, last-try-failed, throttled, slowed, ailing, window-closed, day-used-up, hour-used-up, minute-used-up, gap, pace,
/// provider-refuses, provider-throttled, provider-slowed, provider-used-up, busy, nothing-to-send; and where only what is stored is known, no-answer and last-error.
/// </param>
/// <param name="Text">For people, in one sentence.</param>
/// <param name="UntilMs">When it ends by itself; null when nobody can tell.</param>
/// <param name="Blocks">No mail starts because of it; else only some don't, or they start more slowly.</param>
public sealed record ServiceReason(string Code, string Text, long? UntilMs = null, bool Blocks = true);

/// <param name="Connections">Those that it may have open at a time.</param>
/// <param name="Sending">Mails on the wire.</param>
/// <param name="NextCreditMs">While it is blocked: when the next mail can go; null when now, or when nothing is known to wait for.</param>
/// <param name="BlockedBy">In plain words why it sends nothing now; null when it can send.</param>
/// <param name="Reasons">What has to end first stands first.</param>
/// <param name="Health">1, 0.7, 0.5 or 0: the part of its quota that it is trusted with.</param>
/// <param name="PerHour">Mails an hour at its present pace; null where nothing limits it.</param>
/// <param name="LeftToday">Mails that the day still allows; null without a limit.</param>
public sealed record ServiceReport(
    ServiceId Service, int Connections, int Sending, int Credits, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] long? NextCreditMs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? BlockedBy, double SuccessRate,
    ServiceReason[]? Reasons = null, double Health = 1, long? PerHour = null, long? LeftToday = null);

/// <param name="Held">Recipients in the lane's memory.</param>
/// <param name="Unacknowledged">Outcomes that UserQueues have not confirmed yet.</param>
public sealed record LaneReport(LaneId Lane, int ReadyUsers, int Held, int Open, int Unacknowledged, bool Draining, ServiceReport[] Services) : IEdmMessage;
