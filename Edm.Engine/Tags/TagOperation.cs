using System.Data.Common;
using Edm.Contracts;

namespace Edm.Engine.Tags;

/// <summary>A change of tags, as it was recorded.</summary>
/// <param name="Details">A JSON object: the filter, names, how many contacts were meant.</param>
/// <param name="Added">Pairs of tag and contact.</param>
/// <param name="Undoes">The operation that this one took back.</param>
/// <param name="UndoneBy">The operation that took this one back; null while it is in effect.</param>
/// <param name="Kept">Its exact contacts are still known, so that it can be undone.</param>
public sealed record TagOperation(
    TagOperationId Id, DateTimeOffset At, TagOperationKind Kind, TagOrigin Origin, string Details, long Added, long Removed, TagOperationId? Undoes, TagOperationId? UndoneBy, bool Kept)
{
    internal const string Columns = "o.id, o.at, o.kind, o.source, o.actor, o.confidence, o.details, o.added, o.removed, o.undoes, o.undone_by, o.pruned_at";

    internal const int ColumnCount = 12;

    internal static TagOperation Read(DbDataReader row, int from = 0) => new(
        new TagOperationId(row.GetInt64(from)), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(from + 1)), TagWords.Kind(row.GetString(from + 2)),
        new TagOrigin(TagWords.Source(row.GetString(from + 3)), row.GetString(from + 4), row.IsDBNull(from + 5) ? null : row.GetDouble(from + 5)),
        row.GetString(from + 6), row.GetInt64(from + 7), row.GetInt64(from + 8), Other(row, from + 9), Other(row, from + 10), row.IsDBNull(from + 11));

    private static TagOperationId? Other(DbDataReader row, int column) => row.IsDBNull(column) ? null : new TagOperationId(row.GetInt64(column));
}

/// <summary>What an operation changed of one tag.</summary>
/// <param name="Name">As the tag is named now, or was when it went.</param>
/// <param name="Before">The tag itself before, where the operation changed it; null also where it came into being.</param>
public sealed record TagEffect(TagId Tag, string Name, long Added, long Removed, TagDefinition? Before, TagDefinition? After);

/// <summary>A tag of a contact.</summary>
/// <param name="By">The operation that gave it to the contact; null when that is not kept any more.</param>
public sealed record ContactTag(Tag Tag, TagOperation? By);
