using Edm.Contracts;
using LinqToDB.Mapping;

namespace Edm.Engine.Campaigns;

[Table("campaigns")]
internal sealed class CampaignRow
{
    // Plain numbers where pages compare them.
    [PrimaryKey, Identity] public long Id { get; init; }
    [Column] public long UserId { get; init; }
    [Column] public string Name { get; init; } = "";
    [Column] public long TemplateId { get; init; }
    [Column] public long PoolId { get; init; }
    [Column] public string Filter { get; init; } = "";
    [Column] public int Priority { get; init; }
    [Column] public string State { get; init; } = "";
    [Column] public long CreatedAt { get; init; }
    [Column] public int? Cap { get; init; }
    [Column] public string? UnknownPolicy { get; init; }
    [Column] public int? MaxAttempts { get; init; }
    [Column] public int? MaxAge { get; init; }
    [Column] public int? SendWithin { get; init; }

    public Campaign ToCampaign(long? task) => new(
        new CampaignId(Id), Name, new TemplateId(TemplateId), new PoolId(PoolId), Filter, Priority, StateOf(State),
        DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt), task is { } id ? new TaskId(id) : null, Cap,
        UnknownPolicies.Read(UnknownPolicy), new RetryLimits(MaxAttempts, MaxAge, SendWithin));

    public static string NameOf(CampaignState state) => state switch
    {
        CampaignState.Draft => "draft",
        CampaignState.Frozen => "frozen",
        CampaignState.Launched => "launched",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Unknown state."),
    };

    private CampaignState StateOf(string name) => name switch
    {
        "draft" => CampaignState.Draft,
        "frozen" => CampaignState.Frozen,
        "launched" => CampaignState.Launched,
        _ => throw new InvalidOperationException($"Campaign {Id} has the unknown state '{name}'."),
    };
}

[Table("tasks")]
internal sealed class TaskRow
{
    [PrimaryKey, Identity] public long Id { get; init; }
    [Column] public long UserId { get; init; }
    [Column] public long CampaignId { get; init; }
    [Column] public int Round { get; init; }
    [Column] public long TemplateId { get; init; }
    [Column] public int TemplateVersion { get; init; }
    [Column] public long PoolId { get; init; }
    [Column] public int Priority { get; init; }
    [Column] public int Planned { get; init; }
    [Column] public string State { get; init; } = "";
    [Column] public int Sent { get; init; }
    [Column] public int Failed { get; init; }
    [Column] public int Skipped { get; init; }
    [Column] public int Unknown { get; init; }
    [Column] public long CreatedAt { get; init; }
    [Column] public long? LaunchedAt { get; init; }
    [Column] public long? FinishedAt { get; init; }

    /// <summary>How often it was offered to its queue, and before when it is not offered again.</summary>
    [Column] public int LaunchTries { get; init; }
    [Column] public long LaunchAt { get; init; }

    /// <summary>Why its queue refused it.</summary>
    [Column] public string? Refusal { get; init; }

    // All of these as projected from its queue once that has it.
    [Column] public int? Cap { get; init; }
    [Column] public string? UnknownPolicy { get; init; }
    [Column] public int? MaxAttempts { get; init; }
    [Column] public int? MaxAge { get; init; }
    [Column] public int? SendWithin { get; init; }

    public TaskRecord ToRecord(string campaignName) => new(
        new TaskId(Id), new CampaignId(CampaignId), campaignName, Round, new PoolId(PoolId), Priority, Planned, State,
        Sent, Failed, Skipped, Unknown, DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt), At(LaunchedAt), At(FinishedAt), LaunchTries, At(LaunchAt), Refusal, Cap,
        UnknownPolicies.Read(UnknownPolicy), new RetryLimits(MaxAttempts, MaxAge, SendWithin));

    private static DateTimeOffset? At(long? milliseconds) => milliseconds is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;
}

/// <summary>The words in tasks.state. Up to launching (or refused) they are written here, from then on by the projection of the UserQueue's events.</summary>
public static class TaskStates
{
    public const string Frozen = "frozen";

    /// <summary>Its campaign is being deleted; nobody is shown it any more.</summary>
    public const string Deleting = "deleting";

    public const string Launching = "launching";

    /// <summary>Its queue will never take it.</summary>
    public const string Refused = "refused";
    public const string Running = "running";
    public const string Paused = "paused";
    public const string Cancelled = "cancelled";
    public const string Finished = "finished";
}
