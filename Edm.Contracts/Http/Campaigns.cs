namespace Edm.Contracts.Http;

/// <summary>Who gets what through which services.</summary>
/// <param name="Filter">Which contacts, such as <c>country in (US, GB) and category = beauty</c>; empty means all.</param>
/// <param name="Priority">1 to 100: its share among your own tasks.</param>
/// <param name="State">draft, frozen or launched.</param>
/// <param name="TaskId">The task that was made by freezing; null for a draft.</param>
/// <param name="Cap">How many recipients its task begins with at most; null: all.</param>
/// <param name="Unknown">hold or resend: what becomes of mails of which nobody can know whether they went out; null: as the setting edm.sending.unknown says.</param>
/// <param name="Retry">How often and how long its recipients are tried.</param>
public sealed record CampaignView(
    CampaignId Id, string Name, TemplateId TemplateId, PoolId PoolId, string Filter, int Priority, string State, TaskId? TaskId, DateTimeOffset CreatedAt, int? Cap,
    string? Unknown, RetryLimitsView Retry);

/// <param name="SegmentId">Instead of a filter: the contacts who belong to this segment when the campaign is frozen.</param>
/// <param name="Cap">How many recipients are handed out at most, until it is raised on the task; null: all.</param>
/// <param name="Unknown">hold, or resend: mails of which nobody can know whether they went out are sent again, some of them for the second time. Left out: as the setting says.</param>
/// <param name="Retry">How often and how long recipients are tried. Left out: as the settings say.</param>
public sealed record NewCampaign(
    string Name, TemplateId TemplateId, PoolId PoolId, string Filter = "", int Priority = 1, SegmentId? SegmentId = null, int? Cap = null,
    string? Unknown = null, RetryLimitsView? Retry = null);

/// <summary>What is left out stays as it is. Only a draft can be changed.</summary>
public sealed record CampaignChange
{
    public Optional<string> Name { get; init; }
    public Optional<TemplateId> TemplateId { get; init; }
    public Optional<PoolId> PoolId { get; init; }
    public Optional<string> Filter { get; init; }
    public Optional<int> Priority { get; init; }
    public Optional<int?> Cap { get; init; }
    public Optional<string?> Unknown { get; init; }

    /// <summary>All of it: what is left out in it is as the settings say.</summary>
    public Optional<RetryLimitsView?> Retry { get; init; }
}

/// <summary>How often and how long the recipients of a task are tried.</summary>
/// <param name="MaxAttempts">1 to 1,000: the try with this number is the last; then a recipient that servers defer has failed. Null: as the setting edm.sending.max-attempts says at the launch.</param>
/// <param name="MaxAgeSeconds">
/// 1 to 2,592,000 (30 days), from a recipient's first try: who is older and still deferred has failed. Null: as the setting edm.sending.max-age says at the launch.
/// </param>
/// <param name="SendWithinSeconds">
/// 1 to 316,224,000 (3,660 days), from the launch: then the task is cancelled by itself, and who has not been sent a mail, tried or not, gets none. Null: never.
/// </param>
public sealed record RetryLimitsView(int? MaxAttempts = null, int? MaxAgeSeconds = null, int? SendWithinSeconds = null);

/// <param name="Planned">How many contacts are in the audience.</param>
public sealed record FrozenView(TaskId TaskId, int Planned);

public sealed record LaunchedView(TaskId TaskId);
