namespace Edm.Contracts.Http;

/// <summary>A mail of which nobody can know whether it went out: EDM or a connection ended between its start and the server's answer.</summary>
/// <param name="Seq">The recipient's number in the task.</param>
/// <param name="Email">Null when the contact was deleted.</param>
/// <param name="ServiceId">Through which it may have gone.</param>
/// <param name="At">When it became unknown.</param>
/// <param name="MessageId">As a relay's log has it, as long as the service's sender is as it was; null where that can't be told.</param>
public sealed record UnknownOutcomeView(
    TaskId TaskId, string Campaign, int Seq, ContactId? ContactId, string? Email, ServiceId? ServiceId, string? Service, DateTimeOffset At, string? Reason, string? MessageId);

/// <param name="Count">How many there are in all.</param>
/// <param name="Items">By task and number; a moment behind the ledgers.</param>
/// <param name="Next">Give this as <c>after</c> to get what follows; null at the end.</param>
public sealed record UnknownPage(int Count, IReadOnlyList<UnknownOutcomeView> Items, string? Next);

/// <summary>What unknown outcomes of a task are taken for. Give <paramref name="Seqs"/>, <paramref name="ServiceId"/> or <paramref name="All"/>.</summary>
/// <param name="As">sent, failed, or resend: the recipient waits again and gets the mail with the same Message-ID, maybe for the second time.</param>
/// <param name="Seqs">The numbers of the recipients, 10,000 at most.</param>
/// <param name="All">All of the task.</param>
/// <param name="ServiceId">All of the task that may have gone through this service.</param>
/// <param name="Why">For the recipients' pages, at most 200 characters; addresses are cut out.</param>
public sealed record UnknownDecision(string As, IReadOnlyList<int>? Seqs = null, bool All = false, ServiceId? ServiceId = null, string? Why = null);

/// <param name="MessageIds">Of mails that a relay's log says were delivered, 10,000 at most.</param>
/// <param name="Source">Where that stands, for the recipients' pages, at most 200 characters; addresses are cut out.</param>
public sealed record DeliveryEvidence(IReadOnlyList<string> MessageIds, string? Source = null);

/// <param name="Resolved">Recipients that were unknown and are sent now.</param>
/// <param name="Settled">Mails whose outcome was known already.</param>
/// <param name="NotMine">Ids that are of no mail of yours.</param>
public sealed record EvidenceView(int Resolved, int Settled, IReadOnlyList<string> NotMine);
