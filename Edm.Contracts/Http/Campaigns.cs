namespace Edm.Contracts.Http;

/// <summary>Who gets what through which services.</summary>
/// <param name="Filter">Which contacts, such as <c>followers &gt;= 10k and country in (US, GB)</c>; empty means all.</param>
/// <param name="Priority">1 to 100: its share among your own tasks.</param>
/// <param name="State">draft, frozen or launched.</param>
/// <param name="TaskId">The task that was made by freezing; null for a draft.</param>
public sealed record CampaignView(
    CampaignId Id, string Name, TemplateId TemplateId, PoolId PoolId, string Filter, int Priority, string State, TaskId? TaskId, DateTimeOffset CreatedAt);

public sealed record NewCampaign(string Name, TemplateId TemplateId, PoolId PoolId, string Filter = "", int Priority = 1);

/// <summary>What is left out stays as it is. Only a draft can be changed.</summary>
public sealed record CampaignChange(
    Optional<string> Name = default, Optional<TemplateId> TemplateId = default, Optional<PoolId> PoolId = default, Optional<string> Filter = default,
    Optional<int> Priority = default);

/// <param name="Planned">How many contacts are in the audience.</param>
public sealed record FrozenView(TaskId TaskId, int Planned);

public sealed record LaunchedView(TaskId TaskId);
