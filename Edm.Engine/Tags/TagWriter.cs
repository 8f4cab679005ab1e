using System.Text.Json;
using System.Text.Json.Nodes;
using Edm.Contracts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;

namespace Edm.Engine.Tags;

/// <summary>
/// Writes tags of one user inside of a write transaction under the lock of the user's book, which the caller opens before and closes after. Everything that is changed goes
/// into one recorded operation: <see cref="ResolveAsync"/> and then <see cref="ApplyAsync"/>, as often as wanted.
/// </summary>
internal sealed class TagWriter(EdmConnection connection, UserId user, ContactBook book, TimeProvider time)
{
    /// <summary>The list of all tags is answered at once, and a person can't oversee more.</summary>
    public const int MaxTags = 10_000;

    // Tags that were made and not yet recorded.
    private readonly List<TagDefinitionChange> _made = [];

    /// <summary>The tags of these names; those that there are not yet are made, as a part of the operation that is applied next.</summary>
    /// <returns>By <see cref="TagName.Key"/>.</returns>
    /// <exception cref="ConflictException">The user would have more than <see cref="MaxTags"/>.</exception>
    public async Task<IReadOnlyDictionary<string, TagId>> ResolveAsync(IEnumerable<TagName> names, CancellationToken cancellation)
    {
        var wanted = new Dictionary<string, TagName>();
        foreach (var name in names)
        {
            wanted.TryAdd(name.Key, name);
        }

        var found = new Dictionary<string, TagId>();
        var batch = new SqlBatch(connection);
        await batch.Read(
            $"SELECT name_key, id FROM tags WHERE user_id = @user AND deleted_at IS NULL AND name_key {batch.In("@keys")}",
            row => found.Add(row.GetString(0), new TagId(row.GetInt64(1))),
            ("@user", user.Value), ("@keys", wanted.Keys.ToArray())).ExecuteAsync(cancellation);
        var missing = wanted.Where(name => !found.ContainsKey(name.Key)).Select(name => new TagDefinition(name.Value.Text, null)).ToArray();
        if (missing.Length > 0)
        {
            foreach (var (tag, made) in (await MakeAsync(missing, cancellation)).Zip(missing))
            {
                found.Add(TagName.KeyOf(made.Name), tag);
            }
        }

        return found;
    }

    /// <summary>Makes tags whose names are free, as a part of the operation that is applied next.</summary>
    /// <exception cref="ConflictException">The user would have more than <see cref="MaxTags"/>.</exception>
    internal async Task<IReadOnlyList<TagId>> MakeAsync(IReadOnlyList<TagDefinition> tags, CancellationToken cancellation)
    {
        var (count, ids) = (0L, new List<long>());
        await new SqlBatch(connection)
            .Read("SELECT count(*) FROM tags WHERE user_id = @user AND deleted_at IS NULL", row => count = row.GetInt64(0), ("@user", user.Value))
            .ReadNextIds("tags", tags.Count, ids)
            .ExecuteAsync(cancellation);
        if (count + tags.Count > MaxTags)
        {
            throw new ConflictException($"You have {count} tags, and {tags.Count} more would be more than {MaxTags}. Merge or delete some first.");
        }

        await new SqlBatch(connection).InsertTags(user, ids, tags, time.GetUtcNow().ToUnixTimeMilliseconds()).ExecuteAsync(cancellation);
        _made.AddRange(ids.Zip(tags, (id, tag) => new TagDefinitionChange(new TagId(id), null, tag)));
        return [.. ids.Select(id => new TagId(id))];
    }

    /// <summary>
    /// Records one operation and does it: exactly what changes is counted and stored, contacts that are not live gain nothing, and no row of zeros stays. What an import does
    /// goes into its operation before, where nobody else has changed tags of the user in between.
    /// </summary>
    /// <param name="changes">Of tags that the caller knows to be the user's, and not deleted unless <paramref name="definitions"/> brings them back.</param>
    /// <param name="details">For people: the filter, what was named, how many were meant.</param>
    /// <returns>Null when an import changes nothing.</returns>
    public async Task<AppliedTags?> ApplyAsync(
        TagOperationKind kind, TagOrigin origin, TagChanges changes, CancellationToken cancellation,
        JsonObject? details = null, IReadOnlyList<TagDefinitionChange>? definitions = null, TagOperationId? undoes = null)
    {
        var members = changes.Tags.ToDictionary(change => change.Tag, _ => new ContactSet());
        var (chunks, live, ids) = (changes.Chunks.ToArray(), new ContactSet(), new List<long>());
        TagOperationId? before = null;
        var read = new SqlBatch(connection).ReadNextIds("tag_operations", 1, ids);
        if (chunks.Length > 0)
        {
            read.ReadMembers(members, chunks).ReadLive(user, live, chunks);
        }

        if (origin.Source == TagSource.Import && kind == TagOperationKind.Add)
        {
            read.ReadOpenImport(user, origin, found => before = found);
        }

        await read.ExecuteAsync(cancellation);
        book.Amend(live, chunks);
        var delta = Exactly(changes, members, live);
        TagDefinitionChange[] made = [.. _made, .. definitions ?? []];
        if (origin.Source == TagSource.Import && delta.IsEmpty && made.Length == 0)
        {
            return null;
        }

        var id = before ?? new TagOperationId(ids[0]);
        var result = new AppliedTags(id, delta.Tags.Sum(t => (long)t.Added.Count), delta.Tags.Sum(t => (long)t.Removed.Count), made, delta);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var write = new SqlBatch(connection);
        if (before is null)
        {
            write.InsertOperation(id, user, now, kind, origin, JsonSerializer.Serialize(details ?? []), result.Added, result.Removed, undoes);
            write.InsertDeltas(id, user, delta);
        }
        else
        {
            write.GrowOperation(id, result.Added, result.Removed);
            write.InsertDeltas(id, user, await WithEarlierAsync(id, delta, cancellation));
        }

        write.InsertChanges(id, made).ChangeTags(definitions ?? [], now).WriteMembers(members, delta).CountMembers(delta);
        await write.ExecuteAsync(cancellation);
        foreach (var change in definitions ?? [])
        {
            if (change is { Before.Name: var from, After.Name: var to } && from != to)
            {
                await FilterTexts.RenameAsync(connection, user, FilterNameKind.Tag, from, to, cancellation);
            }
        }

        _made.Clear();
        return result;
    }

    /// <summary>Takes contacts that are deleted out of all tags, without an operation: there is nobody left to whom it could be undone.</summary>
    /// <param name="erase">Also out of the history, so that nothing at all is left of who had which tag.</param>
    public async Task ForgetAsync(ContactSet contacts, bool erase, CancellationToken cancellation)
    {
        var chunks = contacts.Chunks.ToArray();
        if (chunks.Length == 0)
        {
            return;
        }

        var members = new Dictionary<TagId, ContactSet>();
        var read = new SqlBatch(connection).ReadTagged(user, contacts, chunks, members);
        await read.ExecuteAsync(cancellation);
        var changes = new TagChanges();
        foreach (var (tag, before) in members)
        {
            var gone = before.Clone();
            gone.IntersectWith(contacts);
            changes.Remove(tag, gone);
        }

        await new SqlBatch(connection).WriteMembers(members, changes).CountMembers(changes).ExecuteAsync(cancellation);
        if (erase)
        {
            await EraseAsync(contacts, chunks, cancellation);
        }
    }

    // Row by row of what a chunk's history holds: it is bounded by the operations that are kept.
    private async Task EraseAsync(ContactSet contacts, int[] chunks, CancellationToken cancellation)
    {
        foreach (var chunk in chunks)
        {
            var (operations, tags, added, removed) = (new List<long>(), new List<long>(), new List<byte[]?>(), new List<byte[]?>());
            await new SqlBatch(connection).Read(
                "SELECT operation_id, tag_id, added, removed FROM tag_deltas WHERE user_id = @user AND chunk = @chunk",
                row =>
                {
                    var (plus, minus) = (TagStatements.Without(row, 2, contacts.Bits(chunk)), TagStatements.Without(row, 3, contacts.Bits(chunk)));
                    if (plus.Changed || minus.Changed)
                    {
                        operations.Add(row.GetInt64(0));
                        tags.Add(row.GetInt64(1));
                        added.Add(plus.Bits);
                        removed.Add(minus.Bits);
                    }
                },
                ("@user", user.Value), ("@chunk", chunk)).ExecuteAsync(cancellation);
            await new SqlBatch(connection).ReplaceDeltas(chunk, operations, tags, added, removed).ExecuteAsync(cancellation);
        }
    }

    /// <summary>What really changes: those that are live and have it not yet, and those that have it.</summary>
    private static TagChanges Exactly(TagChanges changes, Dictionary<TagId, ContactSet> members, ContactSet live)
    {
        var delta = new TagChanges();
        foreach (var (tag, added, removed) in changes.Tags)
        {
            if (added.Overlaps(removed))
            {
                throw new InvalidOperationException($"Tag {tag} is to be given to and taken from the same contact.");
            }

            var (gains, losses) = delta.Of(tag);
            gains.UnionWith(added);
            gains.IntersectWith(live);
            gains.ExceptWith(members[tag]);
            losses.UnionWith(removed);
            losses.IntersectWith(members[tag]);
        }

        return delta;
    }

    /// <summary>What an import's earlier part and this one add together, in the rows that this one touches.</summary>
    private async Task<TagChanges> WithEarlierAsync(TagOperationId operation, TagChanges delta, CancellationToken cancellation)
    {
        var earlier = new TagChanges();
        var batch = new SqlBatch(connection);
        await batch.Read(
            $"SELECT tag_id, chunk, added, removed FROM tag_deltas WHERE operation_id = @operation AND tag_id {batch.In("@tags")} AND chunk {batch.In("@chunks")}",
            row => TagStatements.Put(earlier, row),
            ("@operation", operation.Value), ("@tags", delta.Tags.Select(t => t.Tag.Value).ToArray()), ("@chunks", delta.Chunks.ToArray())).ExecuteAsync(cancellation);
        foreach (var (tag, added, _) in delta.Tags)
        {
            earlier.Add(tag, added);
        }

        return earlier;
    }
}

/// <summary>What an operation really changed.</summary>
/// <param name="Added">Pairs of tag and contact, in this call.</param>
internal sealed record AppliedTags(TagOperationId Operation, long Added, long Removed, IReadOnlyList<TagDefinitionChange> Definitions, TagChanges Delta);
