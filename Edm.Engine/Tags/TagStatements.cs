using System.Data.Common;
using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;

namespace Edm.Engine.Tags;

/// <summary>The statements of <see cref="TagWriter"/>, for one batch each time.</summary>
internal static class TagStatements
{
    /// <summary>Whether a bit of a bitmap is set, as SQL: 1 or 0. SQLite reads the byte as two hexadecimal digits.</summary>
    /// <param name="bit">A number, or a parameter.</param>
    public static string Bit(bool isPostgres, string bits, string bit)
    {
        if (isPostgres)
        {
            return $"get_bit({bits}, {bit})";
        }

        var digits = $"hex(substr({bits}, ({bit} >> 3) + 1, 1))";
        return $"(((instr('0123456789ABCDEF', substr({digits}, 1, 1)) - 1) * 16 + instr('0123456789ABCDEF', substr({digits}, 2, 1)) - 1) >> ({bit} & 7) & 1)";
    }

    /// <summary>Ids for rows that are inserted with them. Of one user in rising order, since they are taken under the lock of the user's book.</summary>
    public static SqlBatch ReadNextIds(this SqlBatch batch, string table, int count, List<long> ids) => batch.Read(
        batch.IsPostgres
            ? $"SELECT nextval(pg_get_serial_sequence('{table}', 'id')) FROM generate_series(1, @count)"
            : $"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @count) SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = '{table}'), 0) + i FROM n",
        row => ids.Add(row.GetInt64(0)),
        ("@count", count));

    public static SqlBatch InsertTags(this SqlBatch batch, UserId user, IReadOnlyCollection<long> ids, IReadOnlyList<TagDefinition> tags, long now) => batch.AddRows(
        """
        INSERT INTO tags (id, user_id, name, name_key, color, contacts, created_at, updated_at)
        SELECT id, user_id, name, name_key, color, 0, at, at FROM unnest(@id, @user, @name, @key, @color, @at) AS n (id, user_id, name, name_key, color, at)
        """,
        "INSERT INTO tags (id, user_id, name, name_key, color, contacts, created_at, updated_at) VALUES (@id, @user, @name, @key, @color, 0, @at, @at)",
        ("@id", ids.ToArray()), ("@user", Repeat(user.Value, tags.Count)), ("@name", tags.Select(t => t.Name).ToArray()),
        ("@key", tags.Select(t => TagName.KeyOf(t.Name)).ToArray()), ("@color", tags.Select(t => t.Color).ToArray()), ("@at", Repeat(now, tags.Count)));

    public static SqlBatch ReadLive(this SqlBatch batch, UserId user, ContactSet live, int[] chunks) => batch.Read(
        $"SELECT chunk, live FROM contact_chunks WHERE user_id = @user AND chunk {batch.In("@chunks")}",
        row => live.SetBits(row.GetInt32(0), ContactChunk.FromBytes((byte[])row.GetValue(1))),
        ("@user", user.Value), ("@chunks", chunks));

    /// <summary>The user's newest operation, when it is what the same import has added so far and can still grow.</summary>
    public static SqlBatch ReadOpenImport(this SqlBatch batch, UserId user, TagOrigin origin, Action<TagOperationId> found) => batch.Read(
        """
        SELECT id FROM tag_operations
        WHERE id = (SELECT max(id) FROM tag_operations WHERE user_id = @user) AND kind = 'add' AND source = 'import' AND actor = @actor AND undone_by IS NULL AND pruned_at IS NULL
        """,
        row => found(new TagOperationId(row.GetInt64(0))),
        ("@user", user.Value), ("@actor", origin.Actor));

    /// <summary>The members, in some chunks, of all tags of the user that have any of the contacts.</summary>
    public static SqlBatch ReadTagged(this SqlBatch batch, UserId user, ContactSet contacts, int[] chunks, Dictionary<TagId, ContactSet> members)
    {
        // One contact is the common case, and then the database need not send what does not have it.
        var single = contacts.Count == 1 ? contacts.Ordinals.First() % ContactChunk.Size : -1;
        return batch.Read(
            $"""
            SELECT m.tag_id, m.chunk, m.bits FROM tags t JOIN tag_members m ON m.tag_id = t.id
            WHERE t.user_id = @user AND m.chunk {batch.In("@chunks")} AND (@bit < 0 OR {Bit(batch.IsPostgres, "m.bits", batch.IsPostgres ? "greatest(@bit, 0)" : "@bit")} = 1)
            """,
            row =>
            {
                var tag = new TagId(row.GetInt64(0));
                if (!members.TryGetValue(tag, out var set))
                {
                    members.Add(tag, set = new ContactSet());
                }

                set.SetBits(row.GetInt32(1), ContactChunk.FromBytes((byte[])row.GetValue(2)));
            },
            ("@user", user.Value), ("@chunks", chunks), ("@bit", single));
    }

    public static SqlBatch InsertOperation(
        this SqlBatch batch, TagOperationId id, UserId user, long now, TagOperationKind kind, TagOrigin origin, string details, long added, long removed, TagOperationId? undoes)
    {
        batch.AddRows(
            """
            INSERT INTO tag_operations (id, user_id, at, kind, source, actor, confidence, details, added, removed, undoes)
            SELECT id, user_id, at, kind, source, actor, confidence, details::jsonb, added, removed, undoes
            FROM unnest(@id, @user, @at, @kind, @source, @actor, @confidence, @details, @added, @removed, @undoes)
              AS n (id, user_id, at, kind, source, actor, confidence, details, added, removed, undoes)
            """,
            """
            INSERT INTO tag_operations (id, user_id, at, kind, source, actor, confidence, details, added, removed, undoes)
            VALUES (@id, @user, @at, @kind, @source, @actor, @confidence, @details, @added, @removed, @undoes)
            """,
            ("@id", Repeat(id.Value, 1)), ("@user", Repeat(user.Value, 1)), ("@at", Repeat(now, 1)), ("@kind", Repeat(kind.Name(), 1)), ("@source", Repeat(origin.Source.Name(), 1)),
            ("@actor", Repeat(origin.Actor, 1)), ("@confidence", Repeat(origin.Confidence, 1)), ("@details", Repeat(details, 1)), ("@added", Repeat(added, 1)),
            ("@removed", Repeat(removed, 1)), ("@undoes", Repeat(undoes?.Value, 1)));
        return batch;
    }

    public static SqlBatch GrowOperation(this SqlBatch batch, TagOperationId id, long added, long removed) => batch.Add(
        "UPDATE tag_operations SET added = added + @added, removed = removed + @removed WHERE id = @id", ("@id", id.Value), ("@added", added), ("@removed", removed));

    /// <summary>One row a tag and chunk; those that are there are replaced.</summary>
    public static SqlBatch InsertDeltas(this SqlBatch batch, TagOperationId operation, UserId user, TagChanges delta)
    {
        var rows = (
            from change in delta.Tags
            from chunk in change.Added.Chunks.Union(change.Removed.Chunks).Order()
            select (change.Tag, chunk, Added: BytesOrNull(change.Added, chunk), Removed: BytesOrNull(change.Removed, chunk))).ToArray();
        const string Insert = "INSERT INTO tag_deltas (operation_id, tag_id, chunk, user_id, added, removed)";
        const string Replace = "ON CONFLICT (operation_id, tag_id, chunk) DO UPDATE SET added = excluded.added, removed = excluded.removed";
        return batch.AddRows(
            $"{Insert} SELECT * FROM unnest(@operation, @tag, @chunk, @user, @added, @removed) {Replace}",
            $"{Insert} VALUES (@operation, @tag, @chunk, @user, @added, @removed) {Replace}",
            ("@operation", Repeat(operation.Value, rows.Length)), ("@tag", rows.Select(r => r.Tag.Value).ToArray()), ("@chunk", rows.Select(r => r.chunk).ToArray()),
            ("@user", Repeat(user.Value, rows.Length)), ("@added", rows.Select(r => r.Added).ToArray()), ("@removed", rows.Select(r => r.Removed).ToArray()));
    }

    /// <summary>For erasing: rows of one chunk with other bits; those of which nothing is left go.</summary>
    public static SqlBatch ReplaceDeltas(
        this SqlBatch batch, int chunk, IReadOnlyCollection<long> operations, IReadOnlyCollection<long> tags, IReadOnlyCollection<byte[]?> added, IReadOnlyCollection<byte[]?> removed)
    {
        batch.AddRows(
            """
            UPDATE tag_deltas d SET added = n.added, removed = n.removed
            FROM unnest(@operation, @tag, @chunk, @added, @removed) AS n (operation_id, tag_id, chunk, added, removed)
            WHERE d.operation_id = n.operation_id AND d.tag_id = n.tag_id AND d.chunk = n.chunk
            """,
            "UPDATE tag_deltas SET added = @added, removed = @removed WHERE operation_id = @operation AND tag_id = @tag AND chunk = @chunk",
            ("@operation", operations.ToArray()), ("@tag", tags.ToArray()), ("@chunk", Repeat(chunk, tags.Count)), ("@added", added.ToArray()), ("@removed", removed.ToArray()));
        if (operations.Count > 0)
        {
            batch.Add(
                $"DELETE FROM tag_deltas WHERE operation_id {batch.In("@operations")} AND added IS NULL AND removed IS NULL", ("@operations", operations.Distinct().ToArray()));
        }

        return batch;
    }

    public static SqlBatch InsertChanges(this SqlBatch batch, TagOperationId operation, IReadOnlyList<TagDefinitionChange> changes) => batch.AddRows(
        "INSERT INTO tag_changes (operation_id, tag_id, old_name, old_color, new_name, new_color) SELECT * FROM unnest(@operation, @tag, @old_name, @old_color, @new_name, @new_color)",
        "INSERT INTO tag_changes (operation_id, tag_id, old_name, old_color, new_name, new_color) VALUES (@operation, @tag, @old_name, @old_color, @new_name, @new_color)",
        ("@operation", Repeat(operation.Value, changes.Count)), ("@tag", changes.Select(c => c.Tag.Value).ToArray()),
        ("@old_name", changes.Select(c => c.Before?.Name).ToArray()), ("@old_color", changes.Select(c => c.Before?.Color).ToArray()),
        ("@new_name", changes.Select(c => c.After?.Name).ToArray()), ("@new_color", changes.Select(c => c.After?.Color).ToArray()));

    public static SqlBatch ReadChanges(this SqlBatch batch, TagOperationId operation, Action<TagDefinitionChange> found) => batch.Read(
        "SELECT tag_id, old_name, old_color, new_name, new_color FROM tag_changes WHERE operation_id = @operation", row => found(Change(row, 0)), ("@operation", operation.Value));

    /// <summary>Reads <c>tag_id, old_name, old_color, new_name, new_color</c>.</summary>
    public static TagDefinitionChange Change(DbDataReader row, int from)
    {
        return new TagDefinitionChange(new TagId(row.GetInt64(from)), Definition(from + 1), Definition(from + 3));

        TagDefinition? Definition(int column) =>
            row.IsDBNull(column) ? null : new TagDefinition(row.GetString(column), row.IsDBNull(column + 1) ? null : row.GetString(column + 1));
    }

    /// <summary>Tags that are there get other names and colours, go, or come back.</summary>
    public static SqlBatch ChangeTags(this SqlBatch batch, IReadOnlyList<TagDefinitionChange> changes, long now) => batch.AddRows(
        """
        UPDATE tags t SET name = coalesce(n.name, t.name), name_key = coalesce(n.key, t.name_key), color = CASE WHEN n.name IS NULL THEN t.color ELSE n.color END,
          deleted_at = CASE WHEN n.name IS NULL THEN n.at END, updated_at = n.at
        FROM unnest(@tag, @name, @key, @color, @at) AS n (id, name, key, color, at) WHERE t.id = n.id
        """,
        """
        UPDATE tags SET name = coalesce(@name, name), name_key = coalesce(@key, name_key), color = CASE WHEN @name IS NULL THEN color ELSE @color END,
          deleted_at = CASE WHEN @name IS NULL THEN @at END, updated_at = @at WHERE id = @tag
        """,
        ("@tag", changes.Select(c => c.Tag.Value).ToArray()), ("@name", changes.Select(c => c.After?.Name).ToArray()),
        ("@key", changes.Select(c => c.After is { } after ? TagName.KeyOf(after.Name) : null).ToArray()), ("@color", changes.Select(c => c.After?.Color).ToArray()),
        ("@at", Repeat(now, changes.Count)));

    /// <summary>Writes the chunks that a delta changes.</summary>
    /// <param name="before">The members of each tag in those chunks.</param>
    public static SqlBatch WriteMembers(this SqlBatch batch, Dictionary<TagId, ContactSet> before, TagChanges delta)
    {
        var (full, empty) = (new List<(long Tag, int Chunk, byte[] Bits)>(), new List<(long Tag, int Chunk)>());
        foreach (var (tag, added, removed) in delta.Tags)
        {
            foreach (var chunk in added.Chunks.Union(removed.Chunks).Order())
            {
                var words = new ulong[ContactChunk.Words];
                before[tag].Bits(chunk).CopyTo(words);
                var plus = added.Bits(chunk);
                var minus = removed.Bits(chunk);
                for (var i = 0; i < words.Length; i++)
                {
                    words[i] = (words[i] | (plus.IsEmpty ? 0 : plus[i])) & ~(minus.IsEmpty ? 0 : minus[i]);
                }

                if (words.AsSpan().ContainsAnyExcept(0UL))
                {
                    full.Add((tag.Value, chunk, ContactChunk.ToBytes(words)));
                }
                else
                {
                    empty.Add((tag.Value, chunk));
                }
            }
        }

        return batch
            .AddRows(
                "INSERT INTO tag_members (tag_id, chunk, bits) SELECT * FROM unnest(@tag, @chunk, @bits) ON CONFLICT (tag_id, chunk) DO UPDATE SET bits = excluded.bits",
                "INSERT INTO tag_members (tag_id, chunk, bits) VALUES (@tag, @chunk, @bits) ON CONFLICT (tag_id, chunk) DO UPDATE SET bits = excluded.bits",
                ("@tag", full.Select(r => r.Tag).ToArray()), ("@chunk", full.Select(r => r.Chunk).ToArray()), ("@bits", full.Select(r => r.Bits).ToArray()))
            .AddRows(
                "DELETE FROM tag_members m USING unnest(@tag, @chunk) AS n (tag_id, chunk) WHERE m.tag_id = n.tag_id AND m.chunk = n.chunk",
                "DELETE FROM tag_members WHERE tag_id = @tag AND chunk = @chunk",
                ("@tag", empty.Select(r => r.Tag).ToArray()), ("@chunk", empty.Select(r => r.Chunk).ToArray()));
    }

    public static SqlBatch CountMembers(this SqlBatch batch, TagChanges delta)
    {
        var counts = delta.Tags.Select(t => (Tag: t.Tag.Value, More: t.Added.Count - t.Removed.Count)).Where(t => t.More != 0).ToArray();
        return batch.AddRows(
            "UPDATE tags t SET contacts = t.contacts + n.more FROM unnest(@tag, @more) AS n (id, more) WHERE t.id = n.id",
            "UPDATE tags SET contacts = contacts + @more WHERE id = @tag",
            ("@tag", counts.Select(c => c.Tag).ToArray()), ("@more", counts.Select(c => c.More).ToArray()));
    }

    /// <summary>Takes a row of <c>tag_id, chunk, added, removed</c> into a set of changes.</summary>
    public static void Put(TagChanges changes, DbDataReader row)
    {
        var (added, removed) = changes.Of(new TagId(row.GetInt64(0)));
        var chunk = row.GetInt32(1);
        if (!row.IsDBNull(2))
        {
            added.SetBits(chunk, ContactChunk.FromBytes((byte[])row.GetValue(2)));
        }

        if (!row.IsDBNull(3))
        {
            removed.SetBits(chunk, ContactChunk.FromBytes((byte[])row.GetValue(3)));
        }
    }

    /// <summary>A stored bitmap without some bits; null where none is left.</summary>
    public static (byte[]? Bits, bool Changed) Without(DbDataReader row, int column, ReadOnlySpan<ulong> bits)
    {
        if (row.IsDBNull(column))
        {
            return (null, false);
        }

        var stored = (byte[])row.GetValue(column);
        var words = ContactChunk.FromBytes(stored);
        var changed = false;
        for (var i = 0; i < words.Length; i++)
        {
            changed |= (words[i] & bits[i]) != 0;
            words[i] &= ~bits[i];
        }

        return (!changed ? stored : words.AsSpan().ContainsAnyExcept(0UL) ? ContactChunk.ToBytes(words) : null, changed);
    }

    private static byte[]? BytesOrNull(ContactSet set, int chunk) =>
        set.Bits(chunk) is { IsEmpty: false } words && words.ContainsAnyExcept(0UL) ? ContactChunk.ToBytes(words) : null;

    private static T[] Repeat<T>(T value, int count)
    {
        var values = new T[count];
        Array.Fill(values, value);
        return values;
    }
}
