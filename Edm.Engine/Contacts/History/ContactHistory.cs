using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using Edm.Engine.Tags;
using LinqToDB.Data;

namespace Edm.Engine.Contacts.History;

/// <summary>Something that happened to a contact.</summary>
/// <param name="Kind">One of <see cref="ContactChangeKinds"/>.</param>
/// <param name="Source">person, import, mail, rule or ai.</param>
/// <param name="By">The name of the key, the rule or the model, or the number of the import or the task.</param>
/// <param name="Merged">The contact that became a part of this one.</param>
/// <param name="Operation">The change of tags.</param>
public sealed record HistoryEntry(
    DateTimeOffset At, string Kind, string Source, string By, IReadOnlyDictionary<string, FieldChange> Changes, IReadOnlyList<string> TagsAdded, IReadOnlyList<string> TagsRemoved,
    ContactId? Merged, TagOperationId? Operation);

/// <summary>All that is known of what happened to one contact: its fields, the imports that met it, merges, and its tags.</summary>
public sealed class ContactHistory(EdmDatabase database)
{
    private const int OfChanges = 0;
    private const int OfImports = 1;
    private const int OfTags = 2;

    private static readonly Dictionary<string, FieldChange> NoChanges = [];

    /// <summary>The newest first.</summary>
    /// <param name="after"><c>Next</c> of the page before; null for the first.</param>
    /// <returns>Null when the user has no such contact.</returns>
    /// <exception cref="FieldException">The mark is none.</exception>
    public Task<(IReadOnlyList<HistoryEntry> Entries, string? Next)?> PageAsync(UserId user, ContactId contact, string? after, int limit, CancellationToken cancellation)
    {
        var mark = HistoryMark.Parse(after);
        return database.RunAsync<(IReadOnlyList<HistoryEntry>, string?)?>(
            async connection =>
            {
                await using var snapshot = await connection.BeginReadAsync(cancellation);
                var ordinal = await connection.ExecuteAsync<int?>(
                    "SELECT ordinal FROM contacts WHERE id = @contact AND user_id = @user", cancellation,
                    new DataParameter("contact", contact.Value), new DataParameter("user", user.Value));
                if (ordinal is not { } place)
                {
                    return null;
                }

                var found = new SortedDictionary<HistoryMark, HistoryEntry>(Comparer<HistoryMark>.Create(static (a, b) => b.CompareTo(a)));
                var batch = new SqlBatch(connection);
                ReadChanges(batch, user, contact, mark, limit, found);
                ReadImports(batch, user, place, mark, limit, found);
                ReadTags(batch, user, place, mark, limit, found);
                await batch.ExecuteAsync(cancellation);
                var page = found.Take(limit).ToList();
                return ([.. page.Select(entry => entry.Value)], page.Count < limit ? null : page[^1].Key.ToString());
            },
            cancellation);
    }

    private static void ReadChanges(SqlBatch batch, UserId user, ContactId contact, HistoryMark mark, int limit, SortedDictionary<HistoryMark, HistoryEntry> found) => batch.Read(
        """
        SELECT id, at, kind, source, reference, merged, changes FROM contact_changes
        WHERE user_id = @user AND contact_id = @contact AND (at < @at OR (at = @at AND id < @below)) ORDER BY at DESC, id DESC LIMIT @limit
        """,
        row => found.Add(
            new HistoryMark(row.GetInt64(1), OfChanges, row.GetInt64(0)),
            new HistoryEntry(
                At(row.GetInt64(1)), row.GetString(2), row.GetString(3), row.IsDBNull(4) ? "" : row.GetString(4), ChangeLine.Read(row.GetString(6)), [], [],
                row.IsDBNull(5) ? null : new ContactId(row.GetInt64(5)), null)),
        ("@user", user.Value), ("@contact", contact.Value), ("@at", mark.At), ("@below", mark.Below(OfChanges)), ("@limit", limit));

    // What an import changed of the contact has a line among the changes.
    private static void ReadImports(SqlBatch batch, UserId user, int ordinal, HistoryMark mark, int limit, SortedDictionary<HistoryMark, HistoryEntry> found)
    {
        batch.Read(
            $"""
            SELECT i.id, i.created_at, coalesce({Has("m.created")}, 0) FROM imports i JOIN import_contacts m ON m.import_id = i.id
            WHERE i.user_id = @user AND m.chunk = @chunk AND {Has("m.seen")} = 1 AND coalesce({Has("m.changed")}, 0) = 0
              AND (i.created_at < @at OR (i.created_at = @at AND i.id < @below))
            ORDER BY i.created_at DESC, i.id DESC LIMIT @limit
            """,
            row => found.Add(
                new HistoryMark(row.GetInt64(1), OfImports, row.GetInt64(0)),
                new HistoryEntry(
                    At(row.GetInt64(1)), row.GetInt64(2) == 1 ? ContactChangeKinds.Created : ContactChangeKinds.Unchanged, ChangeLine.Import, new ImportId(row.GetInt64(0)).ToString(),
                    NoChanges, [], [], null, null)),
            ("@user", user.Value), ("@chunk", ContactChunk.Of(ordinal)), ("@bit", ordinal % ContactChunk.Size), ("@at", mark.At), ("@below", mark.Below(OfImports)), ("@limit", limit));

        string Has(string bits) => TagStatements.Bit(batch.IsPostgres, bits, "@bit");
    }

    private static void ReadTags(SqlBatch batch, UserId user, int ordinal, HistoryMark mark, int limit, SortedDictionary<HistoryMark, HistoryEntry> found)
    {
        batch.Read(
            $"""
            SELECT o.id, o.at, o.source, o.actor, t.name, coalesce({Has("d.added")}, 0)
            FROM tag_operations o JOIN tag_deltas d ON d.operation_id = o.id JOIN tags t ON t.id = d.tag_id
            WHERE d.user_id = @user AND d.chunk = @chunk AND {Touches()} AND o.id IN (
              SELECT o.id FROM tag_operations o
              WHERE o.id IN (SELECT d.operation_id FROM tag_deltas d WHERE d.user_id = @user AND d.chunk = @chunk AND {Touches()})
                AND (o.at < @at OR (o.at = @at AND o.id < @below))
              ORDER BY o.at DESC, o.id DESC LIMIT @limit)
            ORDER BY o.at DESC, o.id DESC, t.name_key
            """,
            row =>
            {
                var place = new HistoryMark(row.GetInt64(1), OfTags, row.GetInt64(0));
                if (!found.TryGetValue(place, out var entry))
                {
                    entry = new HistoryEntry(
                        At(row.GetInt64(1)), ContactChangeKinds.Tags, row.GetString(2), row.GetString(3), NoChanges, new List<string>(), new List<string>(), null,
                        new TagOperationId(row.GetInt64(0)));
                    found.Add(place, entry);
                }

                ((List<string>)(row.GetInt64(5) == 1 ? entry.TagsAdded : entry.TagsRemoved)).Add(row.GetString(4));
            },
            ("@user", user.Value), ("@chunk", ContactChunk.Of(ordinal)), ("@bit", ordinal % ContactChunk.Size), ("@at", mark.At), ("@below", mark.Below(OfTags)), ("@limit", limit));

        string Has(string bits) => TagStatements.Bit(batch.IsPostgres, bits, "@bit");

        string Touches() => $"({Has("d.added")} = 1 OR {Has("d.removed")} = 1)";
    }

    private static DateTimeOffset At(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
}
