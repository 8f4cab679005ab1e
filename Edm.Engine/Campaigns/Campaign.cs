using Edm.Contracts;

namespace Edm.Engine.Campaigns;

public enum CampaignState
{
    /// <summary>Everything can still be changed.</summary>
    Draft,

    /// <summary>The audience is fixed; nothing is sent yet.</summary>
    Frozen,

    /// <summary>Its task is, or was, at work.</summary>
    Launched,
}

/// <summary>Who gets what through which services.</summary>
/// <param name="Filter">As the user wrote it; empty means all contacts.</param>
/// <param name="Task">The task of its round, null until it is frozen.</param>
/// <param name="Cap">The cap that its task begins with, see <see cref="QueueTask.Cap"/>; null: none.</param>
/// <param name="Unknown">Null: as the setting says when it is launched.</param>
/// <param name="Retry">Null: as the settings say when it is launched.</param>
public sealed record Campaign(
    CampaignId Id, string Name, TemplateId Template, PoolId Pool, string Filter, int Priority, CampaignState State, DateTimeOffset CreatedAt, TaskId? Task,
    int? Cap = null, UnknownPolicy? Unknown = null, RetryLimits? Retry = null);

/// <summary>What the user decides about a campaign.</summary>
/// <param name="Priority">1 to 100: the share of its task among the tasks of the same user.</param>
/// <param name="Cap">How many of its task's recipients may be handed out; null: all.</param>
/// <param name="Unknown">What to do with mails of which nobody can know whether they went out; null: as the setting says.</param>
/// <param name="Retry">How often and how long its recipients are tried; null: as the settings say.</param>
public sealed record CampaignPlan(
    string Name, TemplateId Template, PoolId Pool, string Filter, int Priority, int? Cap = null, UnknownPolicy? Unknown = null, RetryLimits? Retry = null);

/// <summary>A frozen audience.</summary>
public sealed record Frozen(TaskId Task, int Planned);

/// <summary>A task as SQL knows it. The counts are projected and may lag behind the UserQueue, which is the truth while it knows the task.</summary>
/// <param name="State">frozen | launching | refused | running | paused | cancelled | finished.</param>
/// <param name="LaunchTries">How often it was offered to its queue.</param>
/// <param name="NextLaunchAt">While it is launching: when it is offered again.</param>
/// <param name="Refusal">Why its queue refused it; null when it did not.</param>
/// <param name="Policy">What becomes of unknown mails; null: as the setting says when it is launched.</param>
/// <param name="Retry">How often and how long its recipients are tried; what is null in it: as the settings say when it is launched.</param>
public sealed record TaskRecord(
    TaskId Id, CampaignId Campaign, string CampaignName, int Round, PoolId Pool, int Priority, int Planned, string State,
    int Sent, int Failed, int Skipped, int Unknown, DateTimeOffset CreatedAt, DateTimeOffset? LaunchedAt, DateTimeOffset? FinishedAt,
    int LaunchTries = 0, DateTimeOffset? NextLaunchAt = null, string? Refusal = null, int? Cap = null, UnknownPolicy? Policy = null,
    RetryLimits? Retry = null)
{
    /// <summary>When its time is over; null: never, or not launched yet.</summary>
    public DateTimeOffset? EndsAt => Retry?.SendWithinSeconds is { } seconds ? LaunchedAt?.AddSeconds(seconds) : null;
}

/// <summary>What SQL knows of one recipient: the person, and what became of the last try.</summary>
/// <param name="Email">Null when the contact was deleted.</param>
/// <param name="State">As projected; null when there has been no outcome yet.</param>
/// <param name="Class">What the last reply means, by its name; null where nothing was replied.</param>
/// <param name="Choice">Why the service of the last try was chosen; null where none was.</param>
public sealed record RecipientRecord(
    int Seq, ContactId Contact, string? Email, RecipientState? State, int Attempts, ServiceId? Service, int? ReplyCode, string? Enhanced, string? Reply,
    string? Reason, string? Class, DateTimeOffset? FirstAt, DateTimeOffset? LastAt, DateTimeOffset? DueAt, Choice? Choice = null);
