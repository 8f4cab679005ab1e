using Edm.Contracts;
using LinqToDB.Mapping;

namespace Edm.Engine.Erasure;

/// <summary>That a person was erased; who it was is not kept.</summary>
/// <param name="Contact">The number that the contact had, by which audiences still skip it; null when the person was no contact any more.</param>
/// <param name="By">The name of the key that asked for it.</param>
/// <param name="FinishedAt">Since then no import that was under way can hold the person, and no file of the database a remnant; null until then.</param>
public sealed record Erasure(ErasureId Id, ContactId? Contact, string By, DateTimeOffset At, DateTimeOffset? FinishedAt);

/// <summary>The table erasures.</summary>
[Table("erasures")]
internal sealed record ErasureRow
{
    [PrimaryKey, Identity] public ErasureId Id { get; init; }
    [Column] public UserId UserId { get; init; }
    [Column] public ContactId? ContactId { get; init; }
    [Column] public byte[] Hash { get; init; } = [];
    [Column] public string RequestedBy { get; init; } = "";
    [Column] public long At { get; init; }
    [Column] public long? FinishedAt { get; init; }

    public Erasure ToErasure() => new(
        Id, ContactId, RequestedBy, DateTimeOffset.FromUnixTimeMilliseconds(At), FinishedAt is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null);
}
