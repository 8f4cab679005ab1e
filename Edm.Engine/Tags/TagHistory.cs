using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using LinqToDB.Data;

namespace Edm.Engine.Tags;

/// <summary>Who changed which tags of whom, and when.</summary>
public sealed class TagHistory(EdmDatabase database)
{
    /// <summary>The newest first.</summary>
    /// <param name="before">The last id of the page before; null for the first page.</param>
    public Task<IReadOnlyList<TagOperation>> ListAsync(UserId user, TagOperationId? before, int limit, CancellationToken cancellation) => database.RunAsync<IReadOnlyList<TagOperation>>(
        async connection =>
        {
            var page = new List<TagOperation>();
            await new SqlBatch(connection).Read(
                $"SELECT {TagOperation.Columns} FROM tag_operations o WHERE o.user_id = @user AND o.id < @before ORDER BY o.id DESC LIMIT @limit",
                row => page.Add(TagOperation.Read(row)),
                ("@user", user.Value), ("@before", before?.Value ?? long.MaxValue), ("@limit", limit)).ExecuteAsync(cancellation);
            return page;
        },
        cancellation);

    /// <summary>Those that changed a tag of one contact, the newest first.</summary>
    /// <returns>Null when the user has no such contact.</returns>
    public Task<IReadOnlyList<TagOperation>?> ListAsync(UserId user, ContactId contact, TagOperationId? before, int limit, CancellationToken cancellation) =>
        database.RunAsync<IReadOnlyList<TagOperation>?>(
            async connection =>
            {
                if (await OrdinalAsync(connection, user, contact, cancellation) is not { } ordinal)
                {
                    return null;
                }

                var page = new List<TagOperation>();
                await new SqlBatch(connection).Read(
                    $"""
                    SELECT {TagOperation.Columns} FROM tag_operations o WHERE o.id IN (
                      SELECT DISTINCT d.operation_id FROM tag_deltas d
                      WHERE d.user_id = @user AND d.chunk = @chunk AND d.operation_id < @before AND ({Has(connection, "d.added")} OR {Has(connection, "d.removed")})
                      ORDER BY d.operation_id DESC LIMIT @limit)
                    ORDER BY o.id DESC
                    """,
                    row => page.Add(TagOperation.Read(row)),
                    ("@user", user.Value), ("@chunk", ContactChunk.Of(ordinal)), ("@bit", ordinal % ContactChunk.Size), ("@before", before?.Value ?? long.MaxValue), ("@limit", limit))
                    .ExecuteAsync(cancellation);
                return page;
            },
            cancellation);

    /// <returns>The operation and what it changed of which tags; null when the user has no such operation.</returns>
    public Task<(TagOperation Operation, IReadOnlyList<TagEffect> Effects)?> GetAsync(UserId user, TagOperationId id, CancellationToken cancellation) =>
        database.RunAsync<(TagOperation, IReadOnlyList<TagEffect>)?>(
            async connection =>
            {
                if (await FindAsync(connection, user, id, cancellation) is not { } operation)
                {
                    return null;
                }

                var effects = new SortedDictionary<long, (long Added, long Removed, TagDefinition? Before, TagDefinition? After)>();
                var names = new Dictionary<long, string>();
                await new SqlBatch(connection)
                    .Read(
                        "SELECT tag_id, added, removed FROM tag_deltas WHERE operation_id = @id",
                        row =>
                        {
                            var one = effects.GetValueOrDefault(row.GetInt64(0));
                            effects[row.GetInt64(0)] = one with { Added = one.Added + Bits(row.GetValue(1)), Removed = one.Removed + Bits(row.GetValue(2)) };
                        },
                        ("@id", id.Value))
                    .ReadChanges(id, change => effects[change.Tag.Value] = effects.GetValueOrDefault(change.Tag.Value) with { Before = change.Before, After = change.After })
                    .ExecuteAsync(cancellation);
                var batch = new SqlBatch(connection);
                await batch.Read(
                    $"SELECT id, name FROM tags WHERE user_id = @user AND id {batch.In("@ids")}", row => names.Add(row.GetInt64(0), row.GetString(1)),
                    ("@user", user.Value), ("@ids", effects.Keys.ToArray())).ExecuteAsync(cancellation);
                return (operation, [.. effects.Select(e =>
                    new TagEffect(new TagId(e.Key), names.GetValueOrDefault(e.Key, ""), e.Value.Added, e.Value.Removed, e.Value.Before, e.Value.After))]);
            },
            cancellation);

    /// <summary>The tags of one contact and where each came from, by name.</summary>
    /// <returns>Null when the user has no such contact.</returns>
    public Task<IReadOnlyList<ContactTag>?> OfContactAsync(UserId user, ContactId contact, CancellationToken cancellation) => database.RunAsync<IReadOnlyList<ContactTag>?>(
        async connection =>
        {
            if (await OrdinalAsync(connection, user, contact, cancellation) is not { } ordinal)
            {
                return null;
            }

            var tags = new List<ContactTag>();
            await new SqlBatch(connection).Read(
                $"""
                SELECT {TagOperation.Columns}, t.id, t.name, t.color, t.contacts, t.created_at, t.updated_at
                FROM tags t JOIN tag_members m ON m.tag_id = t.id
                LEFT JOIN tag_operations o ON o.id = (
                  SELECT max(d.operation_id) FROM tag_deltas d WHERE d.user_id = @user AND d.tag_id = t.id AND d.chunk = @chunk AND {Has(connection, "d.added")})
                WHERE t.user_id = @user AND t.deleted_at IS NULL AND m.chunk = @chunk AND {Has(connection, "m.bits")}
                """,
                row => tags.Add(new ContactTag(
                    new Tag(
                        new TagId(row.GetInt64(TagOperation.ColumnCount)), row.GetString(TagOperation.ColumnCount + 1),
                        row.IsDBNull(TagOperation.ColumnCount + 2) ? null : row.GetString(TagOperation.ColumnCount + 2), row.GetInt32(TagOperation.ColumnCount + 3),
                        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(TagOperation.ColumnCount + 4)), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(TagOperation.ColumnCount + 5))),
                    row.IsDBNull(0) ? null : TagOperation.Read(row))),
                ("@user", user.Value), ("@chunk", ContactChunk.Of(ordinal)), ("@bit", ordinal % ContactChunk.Size)).ExecuteAsync(cancellation);
            tags.Sort(static (a, b) => string.CompareOrdinal(TagName.KeyOf(a.Tag.Name), TagName.KeyOf(b.Tag.Name)));
            return tags;
        },
        cancellation);

    internal static async Task<TagOperation?> FindAsync(EdmConnection connection, UserId user, TagOperationId id, CancellationToken cancellation)
    {
        TagOperation? found = null;
        await new SqlBatch(connection).Read(
            $"SELECT {TagOperation.Columns} FROM tag_operations o WHERE o.user_id = @user AND o.id = @id", row => found = TagOperation.Read(row), ("@user", user.Value), ("@id", id.Value))
            .ExecuteAsync(cancellation);
        return found;
    }

    private static Task<int?> OrdinalAsync(EdmConnection connection, UserId user, ContactId contact, CancellationToken cancellation) => connection.ExecuteAsync<int?>(
        "SELECT ordinal FROM contacts WHERE id = @contact AND user_id = @user", cancellation, new DataParameter("contact", contact.Value), new DataParameter("user", user.Value));

    private static string Has(EdmConnection connection, string bits) => $"{TagStatements.Bit(connection.IsPostgres, bits, "@bit")} = 1";

    private static int Bits(object value) => value is byte[] bytes ? ContactChunk.Count(ContactChunk.FromBytes(bytes)) : 0;
}
