using System.Text.Json.Serialization;

namespace Edm.Contracts;

/// <summary>What one attempt came to. The numbers are stored: never change one.</summary>
public enum OutcomeKind
{
    /// <summary>The service took responsibility for the mail.</summary>
    Sent = 0,

    /// <summary>May be tried again.</summary>
    Deferred = 1,

    /// <summary>Will never be taken.</summary>
    Failed = 2,

    /// <summary>There was nobody to send to: no mail was tried.</summary>
    Skipped = 3,

    /// <summary>Nobody can know whether the mail went out.</summary>
    Unknown = 4,

    /// <summary>No mail was tried: no service may send to the recipient's provider before <see cref="Outcome.NotBeforeMs"/>. It counts as no attempt.</summary>
    Postponed = 5,
}

/// <summary>One attempt and what became of it. Short names: there are millions of these in the journal. Never holds an address.</summary>
/// <param name="NotBeforeMs">Another try is of no use before this moment: a limit says so, or the server did.</param>
/// <param name="Class">What the reply means; null for a mail that was taken, and where nothing was replied.</param>
/// <param name="RetryAfterSeconds">How long the server asked to wait.</param>
/// <param name="Suppress">There is no such mailbox: the contact is not to be mailed any more.</param>
/// <param name="Provider">For one that was postponed: the recipient's provider, by its stored number.</param>
/// <param name="Unwanted">It was the service that was refused, for who it is, and not this mail.</param>
/// <param name="ElsewhereMs">Then, or already now, another service that has not been refused may take the mail; null where none is known.</param>
public sealed record Outcome(
    [property: JsonPropertyName("t")] TaskId Task,
    [property: JsonPropertyName("l")] LeaseNr Lease,
    [property: JsonPropertyName("q")] int Seq,
    [property: JsonPropertyName("n")] int Attempt,
    [property: JsonPropertyName("k")] OutcomeKind Kind,
    [property: JsonPropertyName("at")] long AtMs,
    [property: JsonPropertyName("s")] ServiceId? Service = null,
    [property: JsonPropertyName("c")] int? ReplyCode = null,
    [property: JsonPropertyName("e")] string? Enhanced = null,
    [property: JsonPropertyName("r")] string? Reply = null,
    [property: JsonPropertyName("w")] string? Reason = null,
    [property: JsonPropertyName("x")] Choice? Choice = null,
    [property: JsonPropertyName("d")] long? NotBeforeMs = null,
    [property: JsonPropertyName("m")] ReplyClass? Class = null,
    [property: JsonPropertyName("ra")] int? RetryAfterSeconds = null,
    [property: JsonPropertyName("sp")] bool? Suppress = null,
    [property: JsonPropertyName("p")] int? Provider = null,
    [property: JsonPropertyName("u")] bool? Unwanted = null,
    [property: JsonPropertyName("el")] long? ElsewhereMs = null);

/// <summary>Why a service was taken for an attempt: its score, and who came next.</summary>
/// <param name="Score">0 to 1, in thousandths.</param>
/// <param name="RunnerUp">Null when no other service could have taken the mail.</param>
public sealed record Choice(
    [property: JsonPropertyName("c")] int Score,
    [property: JsonPropertyName("s")] ServiceId? RunnerUp = null,
    [property: JsonPropertyName("r")] int? RunnerUpScore = null);

/// <summary>A mail that a connection may now send; until its outcome is journaled it is in doubt.</summary>
/// <param name="Provider">The recipient's provider, by its stored number.</param>
public sealed record StartedMail(
    [property: JsonPropertyName("u")] UserId User,
    [property: JsonPropertyName("t")] TaskId Task,
    [property: JsonPropertyName("l")] LeaseNr Lease,
    [property: JsonPropertyName("q")] int Seq,
    [property: JsonPropertyName("n")] int Attempt,
    [property: JsonPropertyName("s")] ServiceId Service,
    [property: JsonPropertyName("p")] int Provider = 0);

public sealed record EndedMail(
    [property: JsonPropertyName("u")] UserId User,
    [property: JsonPropertyName("o")] Outcome Outcome);

/// <summary>A journaled start that was never acted upon, because the same process lost its journal before it could say go.</summary>
public sealed record WithdrawnMail(
    [property: JsonPropertyName("u")] UserId User,
    [property: JsonPropertyName("l")] LeaseNr Lease,
    [property: JsonPropertyName("q")] int Seq);

/// <summary>Every outcome for this user up to this commit is recorded by its UserQueue.</summary>
public sealed record AckedOutcomes(
    [property: JsonPropertyName("u")] UserId User,
    [property: JsonPropertyName("c")] long UpToCommit);

/// <summary>The one event of a CentralQueue: everything that began and ended since the last one.</summary>
/// <param name="Process">Names the running process that wrote it, so that the same process can tell after a lost journal what it never sent.</param>
public sealed record LaneCommitted(
    long Nr, long AtMs, long Process, StartedMail[] Started, EndedMail[] Ended, WithdrawnMail[] Withdrawn, AckedOutcomes[] Acked) : IEdmMessage;
