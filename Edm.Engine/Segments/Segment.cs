using Edm.Contracts;
using LinqToDB;
using LinqToDB.Mapping;

namespace Edm.Engine.Segments;

/// <summary>A filter under a name. It holds no contacts: who belongs to it is found out at each question.</summary>
public sealed record Segment(SegmentId Id, string Name, string Filter, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>The table segments.</summary>
[Table("segments")]
internal sealed record SegmentRow
{
    [PrimaryKey, Identity] public SegmentId Id { get; init; }
    [Column] public UserId UserId { get; init; }
    [Column] public string Name { get; init; } = "";

    /// <summary>For comparing.</summary>
    [Column] public string NameKey { get; init; } = "";

    [Column] public string Filter { get; init; } = "";
    [Column] public long CreatedAt { get; init; }
    [Column] public long UpdatedAt { get; init; }

    public Segment ToSegment() => new(Id, Name, Filter, DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt), DateTimeOffset.FromUnixTimeMilliseconds(UpdatedAt));
}
