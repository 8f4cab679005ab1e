using System.Globalization;
using System.Text.Json.Nodes;
using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;

namespace Edm.Engine.Tags;

/// <summary>
/// Takes an operation back, as an operation of its own, which can be taken back in turn. Only while nothing newer contradicts it: no later operation that is in effect has
/// changed the same tag of the same contact, or made of the tag itself something that does not go with it.
/// </summary>
public sealed class TagUndo(EdmDatabase database, TimeProvider time)
{
    /// <summary>Operations that a conflict names; who takes back these comes to the others.</summary>
    private const int MaxNamed = 5;

    // In effect, and not a pair of an operation and its undoing that are both later: such a pair leaves things as they were.
    private const string InEffect = "o.user_id = @user AND o.id > @id AND o.undone_by IS NULL AND coalesce(o.undoes, 0) <= @id";

    /// <returns>The new operation; null when the user has no such operation.</returns>
    /// <exception cref="ConflictException">It was taken back before, can't be any more, or something newer contradicts it: those operations are named.</exception>
    public Task<TagOperation?> UndoAsync(UserId user, TagOperationId id, TagOrigin origin, CancellationToken cancellation) => TagSession.RunAsync(
        database, user, time,
        async session =>
        {
            if (await TagHistory.FindAsync(session.Connection, user, id, cancellation) is not { } operation)
            {
                return null;
            }

            if (operation.UndoneBy is { } by)
            {
                throw new ConflictException($"Operation {id} was undone by operation {by}. To have it back, undo that one.");
            }

            if (!operation.Kept)
            {
                throw new ConflictException($"Operation {id} can't be undone any more: which contacts it changed is not kept for ever.");
            }

            var (delta, changes) = await ReadAsync(session, id, cancellation);
            var tags = delta.Tags.Select(change => change.Tag).Concat(changes.Select(change => change.Tag)).Distinct().ToArray();
            await RefuseContradictedAsync(session, id, delta, changes, tags, cancellation);
            var definitions = await DefinitionsAsync(session, changes, cancellation);
            var reversed = new TagChanges();
            foreach (var (tag, added, removed) in delta.Tags)
            {
                reversed.Add(tag, removed).Remove(tag, added);
            }

            var applied = await session.Writer.ApplyAsync(
                TagOperationKind.Undo, origin, reversed, cancellation, new JsonObject { ["operation"] = id.Value, ["kind"] = operation.Kind.Name() }, definitions, id);
            await new SqlBatch(session.Connection)
                .Add("UPDATE tag_operations SET undone_by = @by WHERE id = @id", ("@by", applied!.Operation.Value), ("@id", id.Value))
                .Add("UPDATE tag_operations SET undone_by = NULL WHERE id = @undoes", ("@undoes", operation.Undoes?.Value ?? 0L))
                .ExecuteAsync(cancellation);
            return await TagHistory.FindAsync(session.Connection, user, applied.Operation, cancellation);
        },
        cancellation);

    /// <summary>What it changed, without contacts that have been deleted since.</summary>
    private static async Task<(TagChanges Delta, List<TagDefinitionChange> Changes)> ReadAsync(TagSession session, TagOperationId id, CancellationToken cancellation)
    {
        var (delta, changes, live) = (new TagChanges(), new List<TagDefinitionChange>(), new ContactSet());
        await new SqlBatch(session.Connection)
            .Read("SELECT tag_id, chunk, added, removed FROM tag_deltas WHERE operation_id = @id", row => TagStatements.Put(delta, row), ("@id", id.Value))
            .ReadChanges(id, changes.Add)
            .Read(
                "SELECT chunk, live FROM contact_chunks WHERE user_id = @user",
                row => live.SetBits(row.GetInt32(0), ContactChunk.FromBytes((byte[])row.GetValue(1))),
                ("@user", session.User.Value))
            .ExecuteAsync(cancellation);
        foreach (var (_, added, removed) in delta.Tags)
        {
            added.IntersectWith(live);
            removed.IntersectWith(live);
        }

        return (delta, changes);
    }

    private static async Task RefuseContradictedAsync(
        TagSession session, TagOperationId id, TagChanges delta, List<TagDefinitionChange> changes, TagId[] tags, CancellationToken cancellation)
    {
        var (later, contacts) = (new SortedDictionary<long, string>(), new ContactSet());
        var own = changes.ToDictionary(change => change.Tag);
        var (ids, chunks) = (tags.Select(tag => tag.Value).ToArray(), delta.Chunks.ToArray());
        var made = changes.Where(change => change.Before is null).Select(change => change.Tag.Value).ToArray();
        var batch = new SqlBatch(session.Connection);
        await batch
            .Read(
                $"""
                SELECT o.id, o.kind, o.actor, d.tag_id, d.chunk, d.added, d.removed FROM tag_deltas d JOIN tag_operations o ON o.id = d.operation_id
                WHERE d.user_id = @user AND d.chunk {batch.In("@chunks")} AND d.tag_id {batch.In("@tags")} AND d.operation_id > @id AND {InEffect}
                """,
                row =>
                {
                    var (added, removed) = delta.Of(new TagId(row.GetInt64(3)));
                    var chunk = row.GetInt32(4);
                    if (Meet(row.GetValue(5), added, removed, chunk, contacts) | Meet(row.GetValue(6), added, removed, chunk, contacts))
                    {
                        later[row.GetInt64(0)] = $"{row.GetInt64(0)} ({row.GetString(1)}, {row.GetString(2)})";
                    }
                },
                ("@user", session.User.Value), ("@chunks", chunks), ("@tags", ids), ("@id", id.Value))
            .Read(
                $"""
                SELECT o.id, o.kind, o.actor, c.tag_id, c.old_name, c.old_color, c.new_name, c.new_color FROM tag_changes c JOIN tag_operations o ON o.id = c.operation_id
                WHERE c.tag_id {batch.In("@tags")} AND c.operation_id > @id AND {InEffect}
                """,
                row =>
                {
                    var change = TagStatements.Change(row, 3);
                    if (Contradict(own.GetValueOrDefault(change.Tag), change))
                    {
                        later[row.GetInt64(0)] = $"{row.GetInt64(0)} ({row.GetString(1)}, {row.GetString(2)})";
                    }
                },
                ("@user", session.User.Value), ("@tags", ids), ("@id", id.Value))
            // A tag that came into being goes again: whoever uses it meanwhile would lose it.
            .Read(
                $"""
                SELECT o.id, o.kind, o.actor FROM tag_operations o
                WHERE {InEffect} AND o.id IN (SELECT d.operation_id FROM tag_deltas d WHERE d.tag_id {batch.In("@made")} AND d.operation_id > @id)
                """,
                row => later[row.GetInt64(0)] = $"{row.GetInt64(0)} ({row.GetString(1)}, {row.GetString(2)})",
                ("@user", session.User.Value), ("@made", made), ("@id", id.Value))
            .ExecuteAsync(cancellation);
        if (later.Count > 0)
        {
            var named = string.Join(", ", later.Values.Take(MaxNamed));
            var more = later.Count > MaxNamed ? $" and {later.Count - MaxNamed} more" : "";
            var touched = contacts.Count;
            throw new ConflictException(string.Create(
                CultureInfo.InvariantCulture,
                $"Operation {id} can't be undone: newer operations changed the same {(touched > 0 ? $"tags of {touched} of its contacts" : "tags")}. Undo these first: {named}{more}."));
        }
    }

    // A tag that went or came in between is another one to whoever changed it before. Names and colours contradict only other names and colours.
    private static bool Contradict(TagDefinitionChange? own, TagDefinitionChange later) =>
        later.Before is null || later.After is null
        || (own is not null && (own.Before is null || own.After is null || (own.Before.Name != own.After.Name && later.Before.Name != later.After.Name)
            || (own.Before.Color != own.After.Color && later.Before.Color != later.After.Color)));

    private static bool Meet(object bits, ContactSet added, ContactSet removed, int chunk, ContactSet contacts)
    {
        if (bits is not byte[] bytes)
        {
            return false;
        }

        var theirs = new ContactSet();
        theirs.SetBits(chunk, ContactChunk.FromBytes(bytes));
        var ours = new ContactSet();
        foreach (var one in (ReadOnlySpan<ContactSet>)[added, removed])
        {
            if (one.Bits(chunk) is { IsEmpty: false } words)
            {
                var copy = new ContactSet();
                copy.SetBits(chunk, words.ToArray());
                ours.UnionWith(copy);
            }
        }

        theirs.IntersectWith(ours);
        contacts.UnionWith(theirs);
        return !theirs.IsEmpty;
    }

    /// <summary>The tags as they were, except for what later operations changed of them that this one had not.</summary>
    private static async Task<List<TagDefinitionChange>> DefinitionsAsync(TagSession session, List<TagDefinitionChange> changes, CancellationToken cancellation)
    {
        var (now, definitions) = (new Dictionary<TagId, Tag>(), new List<TagDefinitionChange>());
        if (changes.Count == 0)
        {
            return definitions;
        }

        await new SqlBatch(session.Connection).ReadTags(session.User, changes.Select(change => change.Tag), now).ExecuteAsync(cancellation);
        foreach (var change in changes)
        {
            var current = now.GetValueOrDefault(change.Tag)?.Definition;
            var after = change.Before;
            if (current is not null && change is { Before: { } before, After: { } made })
            {
                after = new TagDefinition(before.Name == made.Name ? current.Name : before.Name, before.Color == made.Color ? current.Color : before.Color);
            }

            if (after is not null)
            {
                await TagStore.RefuseTakenAsync(session, TagName.Parse(after.Name, "name"), change.Tag, cancellation);
            }

            definitions.Add(new TagDefinitionChange(change.Tag, current, after));
        }

        return definitions;
    }
}
