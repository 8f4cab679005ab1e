using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.TagMigration;

/// <summary>
/// Brings what changed in EDM since the cut-over into the old column. Every change of tags is a recorded operation with the contacts it changed: that is the log. Only rows of such contacts
/// are written, and of their values only what changed: what stays keeps its place, its spelling and its oddities.
/// </summary>
internal sealed class WriteBack(MigrationSession session)
{
    /// <returns>How many rows of the old table were changed.</returns>
    public async Task<long> RunAsync(MigrationRow row, CancellationToken cancellation)
    {
        await using var turn = await session.Old.TakeTurnAsync(cancellation);
        var total = 0L;
        foreach (var user in await session.State.UsersAsync(row.Id, cancellation))
        {
            total += await UserAsync(row, user, cancellation);
        }

        return total;
    }

    // Under the user's book: what is written is what EDM has, and nobody changes it in between.
    private Task<long> UserAsync(MigrationRow row, UserId user, CancellationToken cancellation) => session.Database.WriteAsync(
        async connection =>
        {
            var book = await ContactBook.OpenAsync(connection, user, cancellation);
            DataParameter[] parameters = [new("id", row.Id), new("user", user.Value)];
            var mark = await connection.ExecuteAsync<long>("SELECT written_back FROM tag_migration_users WHERE migration_id = @id AND user_id = @user", cancellation, parameters);
            var newest = await connection.ExecuteAsync<long>("SELECT coalesce(max(id), 0) FROM tag_operations WHERE user_id = @user", cancellation, parameters);
            var names = await connection.QueryToListAsync<NameRow>("SELECT * FROM tag_migration_names WHERE migration_id = @id AND user_id = @user", cancellation, parameters);
            var tags = await MemberBits.NamesAsync(connection, user.Value, cancellation);
            var changed = await ChangedAsync(connection, user, mark, names, tags, cancellation);
            var rows = await RowsAsync(connection, row.Id, user.Value, changed, names, tags, cancellation);
            await connection.ExecuteAsync(
                "UPDATE tag_migration_users SET written_back = @newest WHERE migration_id = @id AND user_id = @user", cancellation, [.. parameters, new DataParameter("newest", newest)]);
            await book.CloseAsync(cancellation);
            return rows;
        },
        cancellation);

    /// <summary>From the newest operation on that was written back before, since an import may still add to it.</summary>
    private static async Task<ContactSet> ChangedAsync(
        EdmConnection connection, UserId user, long mark, List<NameRow> names, Dictionary<long, string> tags, CancellationToken cancellation)
    {
        ContactSet changed = new();
        DataParameter[] parameters = [new("user", user.Value), new("mark", mark)];
        if (await connection.ExecuteAsync<long>("SELECT count(*) FROM tag_operations WHERE user_id = @user AND id > @mark AND pruned_at IS NOT NULL", cancellation, parameters) > 0)
        {
            // Part of the log is gone by now: every contact may have changed.
            foreach (var chunk in await connection.QueryToListAsync<ContactChunkRow>("SELECT * FROM contact_chunks WHERE user_id = @user", cancellation, parameters))
            {
                changed.SetBits(chunk.Chunk, ContactChunk.FromBytes(chunk.Live));
            }

            return changed;
        }

        foreach (var delta in await connection.QueryToListAsync<DeltaRow>(
            "SELECT chunk, added, removed FROM tag_deltas WHERE user_id = @user AND operation_id >= @mark", cancellation, parameters))
        {
            foreach (var bits in (byte[]?[])[delta.Added, delta.Removed])
            {
                if (bits is not null)
                {
                    ContactSet one = new();
                    one.SetBits(delta.Chunk, ContactChunk.FromBytes(bits));
                    changed.UnionWith(one);
                }
            }
        }

        // A new name changes no membership, and yet every row that has it.
        var renamed = names.Where(n => tags.TryGetValue(n.TagId, out var name) && name != n.Name).Select(n => n.TagId).Distinct().ToArray();
        foreach (var members in (await MemberBits.OfTagsAsync(connection, renamed, cancellation)).Values)
        {
            changed.UnionWith(members);
        }

        return changed;
    }

    private async Task<long> RowsAsync(
        EdmConnection connection, long migration, long user, ContactSet changed, List<NameRow> names, Dictionary<long, string> tags, CancellationToken cancellation)
    {
        var written = 0L;
        var merge = new ColumnMerge(names, tags, session.Source.Policy);
        await using var old = await session.Old.ConnectAsync(cancellation);
        foreach (var chunk in changed.Chunks.ToArray())
        {
            var members = MemberBits.ByContact(await MemberBits.OfChunkAsync(connection, user, chunk, cancellation), changed);
            var keys = (await connection.QueryToListAsync<KeyRow>(
                "SELECT * FROM tag_migration_keys WHERE migration_id = @id AND user_id = @user AND ordinal >= @first AND ordinal < @end ORDER BY old_key",
                cancellation, new DataParameter("id", migration), new DataParameter("user", user),
                new DataParameter("first", ContactChunk.First(chunk)), new DataParameter("end", ContactChunk.First(chunk + 1))))
                .Where(k => changed.Contains(k.Ordinal!.Value)).ToDictionary(k => k.OldKey, StringComparer.Ordinal);

            // Tags that no row of the contact has yet go to its first row.
            Dictionary<int, HashSet<long>> given = [];
            List<(OldRow Row, KeyRow Key)> rows = [];
            await foreach (var some in session.Old.AllOfAsync(old, [.. keys.Keys], cancellation))
            {
                rows.AddRange(some.Where(r => r.Exists).Select(r => (r, keys[r.Key])));
            }

            foreach (var (row, key) in rows)
            {
                (given.TryGetValue(key.Ordinal!.Value, out var has) ? has : given[key.Ordinal.Value] = []).UnionWith(merge.TagsOf(row.Tags));
            }

            List<(string, string?)> values = [];
            List<object[]> next = [];
            HashSet<int> seen = [];
            foreach (var (row, key) in rows)
            {
                var ordinal = key.Ordinal!.Value;
                var now = (members.GetValueOrDefault(ordinal) ?? []).Where(tags.ContainsKey).ToHashSet();
                long[] more = seen.Add(ordinal) ? [.. now.Except(given[ordinal]).Order()] : [];
                var value = merge.Merge(row.Tags, now, more);
                if (value != row.Tags)
                {
                    values.Add((row.Key, value));
                }

                next.Add([row.Key, JsonSerializer.Serialize(merge.TagsOf(value).Order())]);
            }

            await merge.SaveAsync(connection, migration, user, cancellation);
            written += await OldColumn.WriteAsync(session.Old.Table, old, values, cancellation);
            await connection.ExecuteAsync(
                $"UPDATE tag_migration_keys SET tags = r.c1 FROM {MigrationSql.Rows(connection, "@rows", "text", "text")} WHERE migration_id = @id AND old_key = r.c0",
                cancellation, new DataParameter("id", migration), MigrationSql.List("rows", next));
            session.Progress?.Report(new MigrationProgress("writing back", written));
        }

        return written;
    }

    private sealed record DeltaRow
    {
        [Column] public int Chunk { get; init; }
        [Column] public byte[]? Added { get; init; }
        [Column] public byte[]? Removed { get; init; }
    }
}
