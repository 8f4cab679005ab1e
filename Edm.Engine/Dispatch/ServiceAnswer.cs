using System.Globalization;
using Edm.Contracts;
using Edm.Engine.Services.Replies;

namespace Edm.Engine.Dispatch;

/// <summary>What the end of one mail says of the service that sent it.</summary>
/// <param name="Class">Null for a mail that was taken, and where nothing was replied.</param>
/// <param name="Action">What follows; null where nothing was replied.</param>
/// <param name="Code">RFC 5321; null where nothing was replied.</param>
/// <param name="Enhanced">RFC 3463.</param>
/// <param name="RetryAfter">How long it asks to wait.</param>
/// <param name="Stage">What the server was asked.</param>
/// <param name="Reply">The server's words, without addresses.</param>
internal readonly record struct ServiceAnswer(
    OutcomeKind Kind, ReplyClass? Class = null, ReplyAction? Action = null, int? Code = null, string? Enhanced = null, TimeSpan? RetryAfter = null,
    ReplyStage Stage = ReplyStage.None, string? Reply = null)
{
    /// <summary>RFC 5321, 4.2.2: "service not available, closing transmission channel".</summary>
    private const int ServiceClosing = 421;

    /// <summary>The mail was taken.</summary>
    public static ServiceAnswer Taken => new(OutcomeKind.Sent, Action: ReplyAction.Done, Code: 250);

    public static ServiceAnswer Of(Outcome outcome, ReplyAction? action, ReplyStage stage = ReplyStage.None) => new(
        outcome.Kind, outcome.Class, action, outcome.ReplyCode, outcome.Enhanced, outcome.RetryAfterSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        stage, outcome.Reply);

    /// <summary>As the owner reads them.</summary>
    public string Words => Code is { } code ? string.Create(CultureInfo.InvariantCulture, $"{code} {Reply}") : Reply ?? "";

    public bool IsSent => Kind == OutcomeKind.Sent;

    /// <summary>It does its work, whatever it said of this mail.</summary>
    public bool IsAtWork => Code is { } code && code != ServiceClosing;

    /// <summary>It was told to slow down, or is held off for its standing for now. Not where one mailbox (RFC 3463, x.2.x) gets too much, and not where it is not wanted at all.</summary>
    public bool IsTooFast => !IsUnwanted && this is { Class: ReplyClass.Throttled or ReplyClass.PolicyOrReputationBlock, Kind: OutcomeKind.Deferred, Enhanced: not ['4' or '5', '.', '2', '.', ..] };

    /// <summary>It is the sender who is not wanted, and the next mail may fare no better.</summary>
    public bool IsUnwanted => Action == ReplyAction.Alert;

    /// <summary>Said before the recipient was: it is about the service, whoever the recipient. Else about the recipient's provider.</summary>
    public bool IsOfService => Stage is ReplyStage.None or ReplyStage.Mail;

    /// <summary>The mail failed for reasons of the service: it is not wanted, can't log in or pass on mail, or lost the connection.</summary>
    public bool IsIll =>
        Action is ReplyAction.Alert or ReplyAction.Pause || Class == ReplyClass.PolicyOrReputationBlock || (Code is null && Kind is OutcomeKind.Deferred or OutcomeKind.Unknown);

    /// <summary>A mailbox that is full or not there says nothing of the service that wanted to send to it.</summary>
    public bool IsRecipients => Class is ReplyClass.NoSuchUser or ReplyClass.NoSuchDomain or ReplyClass.MailboxFull;
}
