using System.Text.Json;
using LinqToDB.Mapping;

namespace Edm.Engine.TagMigration;

/// <summary>The table tag_migration_keys: what a row of the old table became.</summary>
[Table("tag_migration_keys")]
internal sealed record KeyRow
{
    [Column] public string OldKey { get; init; } = "";
    [Column] public long? UserId { get; init; }
    [Column] public int? Ordinal { get; init; }
    [Column] public string Tags { get; init; } = "[]";
    [Column] public string? Reason { get; init; }
    [Column] public string? Value { get; init; }

    public long[] TagIds => JsonSerializer.Deserialize<long[]>(Tags) ?? [];

    public (long User, int Ordinal)? Contact => UserId is { } user && Ordinal is { } ordinal ? (user, ordinal) : null;
}
