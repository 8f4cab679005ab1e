using Edm.Contracts;
using Edm.Engine.Services.Replies;

namespace Edm.Engine.Dispatch;

/// <summary>What the end of one mail says of the service that sent it.</summary>
/// <param name="Class">Null for a mail that was taken, and where nothing was replied.</param>
/// <param name="Action">What follows; null where nothing was replied.</param>
/// <param name="Code">RFC 5321; null where nothing was replied.</param>
/// <param name="Enhanced">RFC 3463.</param>
/// <param name="RetryAfter">How long it asks to wait.</param>
internal readonly record struct ServiceAnswer(
    OutcomeKind Kind, ReplyClass? Class = null, ReplyAction? Action = null, int? Code = null, string? Enhanced = null, TimeSpan? RetryAfter = null)
{
    /// <summary>RFC 5321, 4.2.2: "service not available, closing transmission channel".</summary>
    private const int ServiceClosing = 421;

    /// <summary>The mail was taken.</summary>
    public static ServiceAnswer Taken => new(OutcomeKind.Sent, Action: ReplyAction.Done, Code: 250);

    public static ServiceAnswer Of(Outcome outcome, ReplyAction? action) => new(
        outcome.Kind, outcome.Class, action, outcome.ReplyCode, outcome.Enhanced, outcome.RetryAfterSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null);

    public bool IsSent => Kind == OutcomeKind.Sent;

    /// <summary>It does its work, whatever it said of this mail.</summary>
    public bool IsAtWork => Code is { } code && code != ServiceClosing;

    /// <summary>The service is to slow down: it was told so, or is held off for its standing for now. Not where one mailbox (RFC 3463, x.2.x) gets too much.</summary>
    public bool IsTooFast => this is { Class: ReplyClass.Throttled or ReplyClass.PolicyOrReputationBlock, Kind: OutcomeKind.Deferred, Enhanced: not ['4' or '5', '.', '2', '.', ..] };

    /// <summary>A mailbox that is full or not there says nothing of the service that wanted to send to it.</summary>
    public bool IsRecipients => Class is ReplyClass.NoSuchUser or ReplyClass.NoSuchDomain or ReplyClass.MailboxFull;
}
