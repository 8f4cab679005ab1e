using Edm.Contracts;
using LinqToDB.Mapping;

namespace Edm.Engine.Contacts.Ordinals;

/// <summary>The table contact_chunks.</summary>
[Table("contact_chunks")]
internal sealed record ContactChunkRow
{
    [PrimaryKey(1)] public UserId UserId { get; init; }
    [PrimaryKey(2)] public int Chunk { get; init; }

    /// <summary>Which ordinals have a contact.</summary>
    [Column] public byte[] Live { get; init; } = [];

    /// <summary>Grows with every change of a contact in the chunk.</summary>
    [Column] public long Version { get; init; }

    /// <summary>Grows with every change of contact_activity in the chunk.</summary>
    [Column] public long Activity { get; init; }
}
