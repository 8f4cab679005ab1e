namespace Edm.Contracts.Http;

/// <summary>Somebody who is not mailed.</summary>
/// <param name="Email">Null when there is no contact (any more): only a hash is kept.</param>
/// <param name="Hash">Of an address without contact.</param>
/// <param name="Reason">unsubscribed; suppressed (by a person, or because there is no such mailbox); or erased.</param>
/// <param name="TaskId">The task whose mail was refused, where a mail server said that there is no such mailbox.</param>
/// <param name="ReplyCode">What it said: the reply code (RFC 5321),</param>
/// <param name="Enhanced">the enhanced status code (RFC 3463),</param>
/// <param name="Reply">and its words, without addresses.</param>
public sealed record SuppressionView(
    string? Email, string? Hash, string Reason, ContactId? ContactId, DateTimeOffset At, TaskId? TaskId, int? ReplyCode, string? Enhanced, string? Reply);

/// <param name="Next">Give this as <c>after</c> to get what follows; null at the end.</param>
public sealed record SuppressionPage(IReadOnlyList<SuppressionView> Items, string? Next);

/// <param name="Email">In any spelling.</param>
public sealed record NewSuppression(string Email);
