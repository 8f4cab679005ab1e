using LinqToDB.Mapping;

namespace Edm.Engine.TagMigration;

/// <summary>A tag by its number and name.</summary>
internal sealed record TagRef
{
    [Column] public long Id { get; init; }
    [Column] public string Name { get; init; } = "";
}
