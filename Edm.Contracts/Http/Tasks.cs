using System.Text.Json.Serialization;

namespace Edm.Contracts.Http;

/// <summary>How many recipients are in which state; every recipient is in exactly one.</summary>
/// <param name="Waiting">For their first try.</param>
/// <param name="Leased">Handed to a lane, being sent.</param>
/// <param name="PendingRetry">Deferred by a server; tried again when due.</param>
/// <param name="Sent">Accepted by a server.</param>
/// <param name="Failed">Refused for good, or deferred too often.</param>
/// <param name="Skipped">Not sent on purpose: the contact is gone, unsubscribed or suppressed.</param>
/// <param name="Cancelled">Not sent because the task was cancelled, or refused by its queue.</param>
/// <param name="Unknown">Started, and nobody can know whether it went out.</param>
public sealed record RecipientCounts(
    int Waiting, int Leased, [property: JsonPropertyName("pending-retry")] int PendingRetry, int Sent, int Failed, int Skipped, int Cancelled, int Unknown);

/// <summary>A task in a list; its counts are a moment behind the ledger.</summary>
public sealed record TaskSummaryView(
    TaskId Id, CampaignId CampaignId, string Campaign, string State, int Planned, int Sent, int Failed, int Skipped, int Unknown,
    DateTimeOffset CreatedAt, DateTimeOffset? LaunchedAt, DateTimeOffset? FinishedAt);

/// <summary>The exact ledger of a task.</summary>
/// <param name="State">frozen, launching, refused (by its queue, for the reason in <paramref name="Why"/>; it is not tried again), running, paused, cancelled or finished.</param>
/// <param name="Planned">Always the sum of the counts.</param>
/// <param name="Balances">That it is.</param>
/// <param name="RatePerSecond">Mails sent a second, over the last minute.</param>
/// <param name="Eta">When it is finished if it goes on like that; null when nobody can tell.</param>
/// <param name="Why">Why nothing goes out: the first of the reasons at /why, in one sentence; null when it is at work or done.</param>
/// <param name="NextRetryAt">When the next deferred recipient is due.</param>
/// <param name="Cap">How many recipients may be handed out; null: all. Those that wait or were cancelled don't count.</param>
/// <param name="Unknown">hold or resend: what becomes of mails of which nobody can know whether they went out; null: as the setting edm.sending.unknown says at the launch.</param>
/// <param name="Retry">How often and how long its recipients are tried.</param>
/// <param name="EndsAt">When its time is over and it is cancelled by itself; null: never, or it is not launched.</param>
public sealed record TaskView(
    TaskId Id, CampaignId CampaignId, string Campaign, PoolId PoolId, int Priority, string State, int Planned, RecipientCounts Counts, bool Balances,
    double RatePerSecond, DateTimeOffset? Eta, string? Why, DateTimeOffset? NextRetryAt, DateTimeOffset CreatedAt, DateTimeOffset? LaunchedAt,
    DateTimeOffset? FinishedAt, int? Cap = null, string? Unknown = null, RetryLimitsView? Retry = null, DateTimeOffset? EndsAt = null);

/// <summary>Why nothing of a task goes out now.</summary>
/// <param name="Code">
/// not-launched, launching, refused, finished, cancelled-settling, cancelled, paused, expiring, ending, cap-reached, no-services, no-enabled-services, no-working-service,
/// retries-full, not-before, waiting-for-retry, or services- and what holds up all services of the pool (see the reasons of a service).
/// </param>
/// <param name="Text">The same in one sentence.</param>
/// <param name="Until">When it ends by itself; null when that is not known, or somebody has to end it.</param>
public sealed record ReasonView(string Code, string Text, DateTimeOffset? Until);

/// <summary>Computed from the state of the task at this moment: as long as that is the same, so is this.</summary>
/// <param name="Reasons">What has to end first stands first; empty when it is at work.</param>
/// <param name="NextAt">The next moment at which something can go; null when it can now, or nothing will by time alone.</param>
/// <param name="Eta">When it is finished if it goes on as in the last minute; null when nobody can tell.</param>
/// <param name="Capacity">When the rest can be done by the quotas, provider caps, windows, warm-up and health of the pool's services, beside the other tasks on the pool, and when with twice as many of them.</param>
public sealed record WhyView(string State, IReadOnlyList<ReasonView> Reasons, DateTimeOffset? NextAt, DateTimeOffset? Eta, string Capacity);

/// <summary>What is left out stays as it is.</summary>
public sealed record TaskChange
{
    /// <summary>1 to 100: its share among your own tasks.</summary>
    public Optional<int> Priority { get; init; }

    /// <summary>How many recipients may be handed out; null: all. Below what is out already it stops first tries only.</summary>
    public Optional<int?> Cap { get; init; }

    /// <summary>hold or resend: what becomes of mails of which nobody can know whether they went out, from now on. Those that are unknown already stay so until they are decided.</summary>
    public Optional<string> Unknown { get; init; }

    /// <summary>
    /// All of it: what is left out in it is as the settings say. Who waits for a later try than the new last one has that one still. A task whose time is over by it is
    /// cancelled at once.
    /// </summary>
    public Optional<RetryLimitsView?> Retry { get; init; }
}

/// <summary>Who of a finished or cancelled task is sent to after all.</summary>
/// <param name="State">cancelled or skipped; both when it is left out.</param>
public sealed record Missed(string? State = null);

/// <summary>What became of one recipient.</summary>
/// <param name="Seq">Its number in the task, from 1.</param>
/// <param name="Email">Null when the contact was deleted.</param>
/// <param name="ServiceId">The service of the last try.</param>
/// <param name="ReplyCode">The server's reply code (RFC 5321).</param>
/// <param name="Enhanced">Its enhanced status code (RFC 3463).</param>
/// <param name="Reply">The server's words, without addresses.</param>
/// <param name="Reason">Why it is in this state, in one sentence.</param>
/// <param name="Class">
/// What the reply means: accepted, mailbox-full, no-such-user, no-such-domain, greylisted, throttled, content-rejected, policy-or-reputation-block, authentication-failed,
/// relay-denied, service-fault or unknown; null where nothing was replied.
/// </param>
/// <param name="DueAt">When it is tried again.</param>
/// <param name="Selection">Why the service of the last try was chosen; null where none was.</param>
public sealed record RecipientView(
    int Seq, string State, ContactId? ContactId, string? Email, int Attempts, ServiceId? ServiceId, int? ReplyCode, string? Enhanced, string? Reply,
    string? Reason, string? Class, DateTimeOffset? FirstAt, DateTimeOffset? LastAt, DateTimeOffset? DueAt, SelectionView? Selection = null);

/// <summary>Why a service was chosen: it had the highest score of those that could take the mail.</summary>
/// <param name="Score">0 to 1.</param>
/// <param name="RunnerUpId">The service that came next; null when no other could take the mail.</param>
public sealed record SelectionView(double Score, ServiceId? RunnerUpId, double? RunnerUpScore);

/// <param name="Changed">How many recipients or tasks were changed; 0 when there was nothing left to do.</param>
public sealed record ChangedView(int Changed);
