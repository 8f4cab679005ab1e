using Edm.Contracts;
using Edm.Engine.Content;

namespace Edm.Engine.Campaigns;

/// <summary>What the sending path must know of a task; never changes once the task is frozen.</summary>
public sealed record TaskContext(TaskId Task, UserId User, CampaignId Campaign, int Round, TemplateId Template, int TemplateVersion, PoolId Pool);

/// <summary>A recipient with the person behind it; <paramref name="Contact"/> is null, and <paramref name="SkipReason"/> says why, when nothing may be sent.</summary>
public sealed record LoadedRecipient(int Seq, ContactCard? Contact, string? SkipReason);

/// <summary>Recipients of one task, and the task.</summary>
public sealed record LoadedRecipients(TaskContext Task, IReadOnlyList<LoadedRecipient> Recipients);

/// <summary>How the sending path reads SQL: once a batch.</summary>
public interface IRecipientSource
{
    /// <summary>A contact that is deleted, unsubscribed or suppressed comes back with a reason to skip.</summary>
    /// <returns>One entry for each seq asked, in that order; null when there is no such task.</returns>
    Task<LoadedRecipients?> LoadAsync(TaskId task, IReadOnlyList<int> seqs, CancellationToken cancellation);
}
