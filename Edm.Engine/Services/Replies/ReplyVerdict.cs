using Edm.Contracts;

namespace Edm.Engine.Services.Replies;

/// <summary>What a reply means and what follows from it.</summary>
/// <param name="RetryAfter">How long the server asks to wait; null when it doesn't say.</param>
public sealed record ReplyVerdict(ReplyClass Class, ReplyAction Action, TimeSpan? RetryAfter);
