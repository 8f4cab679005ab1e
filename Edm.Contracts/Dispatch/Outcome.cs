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
}

/// <summary>One attempt and what became of it. Short names: there are millions of these in the journal. Never holds an address.</summary>
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
    [property: JsonPropertyName("w")] string? Reason = null);

/// <summary>A mail that a connection may now send; until its outcome is journaled it is in doubt.</summary>
public sealed record StartedMail(
    [property: JsonPropertyName("u")] UserId User,
    [property: JsonPropertyName("t")] TaskId Task,
    [property: JsonPropertyName("l")] LeaseNr Lease,
    [property: JsonPropertyName("q")] int Seq,
    [property: JsonPropertyName("n")] int Attempt,
    [property: JsonPropertyName("s")] ServiceId Service);

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
