namespace Edm.Contracts.Http;

/// <summary>Who gets what through which services.</summary>
/// <param name="Filter">Which contacts, such as <c>country in (US, GB) and category = beauty</c>; empty means all.</param>
/// <param name="Priority">1 to 100: its share among your own tasks.</param>
/// <param name="State">draft, frozen or launched.</param>
/// <param name="TaskId">The task that was made by freezing; null for a draft.</param>
/// <param name="Cap">How many recipients its task begins with at most; null: all.</param>
/// <param name="Unknown">hold or resend: what becomes of mails of which nobody can know whether they went out; null: as the setting edm.sending.unknown says.</param>
public sealed record CampaignView(
    CampaignId Id, string Name, TemplateId TemplateId, PoolId PoolId, string Filter, int Priority, string State, TaskId? TaskId, DateTimeOffset CreatedAt, int? Cap,
    string? Unknown);

/// <param name="SegmentId">Instead of a filter: the contacts who belong to this segment when the campaign is frozen.</param>
/// <param name="Cap">How many recipients are handed out at most, until it is raised on the task; null: all.</param>
/// <param name="Unknown">hold, or resend: mails of which nobody can know whether they went out are sent again, some of them for the second time. Left out: as the setting says.</param>
public sealed record NewCampaign(
    string Name, TemplateId TemplateId, PoolId PoolId, string Filter = "", int Priority = 1, SegmentId? SegmentId = null, int? Cap = null,
    string? Unknown = null);

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
}

/// <param name="Planned">How many contacts are in the audience.</param>
public sealed record FrozenView(TaskId TaskId, int Planned);

public sealed record LaunchedView(TaskId TaskId);
