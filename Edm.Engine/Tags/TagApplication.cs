using Edm.Contracts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Settings;
using Edm.Engine.Storage;

namespace Edm.Engine.Tags;

/// <summary>Adds tags to, takes tags from, or sets the tags of many contacts at once.</summary>
/// <param name="Kind">Add, remove or replace; what is replaced are all tags of the contacts.</param>
/// <param name="Tags">Names; those that are added and there are not yet are made.</param>
public sealed record TagRequest(TagOperationKind Kind, IReadOnlyList<TagName> Tags, TagTarget Target, TagOrigin Origin);

/// <summary>What one tag gained and lost.</summary>
public sealed record TagCount(TagId? Tag, string Name, long Added, long Removed);

/// <param name="Operation">Null for a dry run.</param>
/// <param name="Contacts">How many were meant.</param>
/// <param name="Missing">How many of a list are not there.</param>
/// <param name="Tags">Those of which something changes.</param>
public sealed record TagResult(TagOperationId? Operation, int Contacts, int Missing, long Added, long Removed, IReadOnlyList<TagCount> Tags);

/// <summary>How many of some contacts have a tag.</summary>
public sealed record CommonTag(Tag Tag, int Contacts);

/// <summary>Tags of many contacts: one atomic step each, or the counts of what it would do.</summary>
public sealed class TagApplication(EdmDatabase database, ContactSelection selection, TimeProvider time)
{
    /// <summary>Tags of one request. A person names a handful, and each costs a row a chunk of contacts.</summary>
    public const int MaxTags = 100;

    /// <exception cref="FieldException">A tag to be removed is not there, or the import is not.</exception>
    public Task<TagResult> ApplyAsync(TagRequest request, UserId user, CancellationToken cancellation) => TagSession.RunAsync(
        database, user, time,
        async session =>
        {
            var (contacts, missing) = await new TagTargets(session.Connection, user, filter => selection.EvaluateAsync(session.Book, filter, cancellation)).SelectAsync(request.Target, cancellation);
            var known = await FindAsync(session.Connection, user, request, cancellation);
            var tags = known.Values.ToList();
            if (known.Count < request.Tags.Count && request.Kind != TagOperationKind.Remove)
            {
                var made = await session.Writer.ResolveAsync(request.Tags.Where(name => !known.ContainsKey(name.Key)), cancellation);
                tags.AddRange(request.Tags.Where(name => !known.ContainsKey(name.Key)).DistinctBy(name => name.Key).Select(name => new Named(made[name.Key], name.Text)));
            }

            var changes = await WantedAsync(session.Connection, user, request.Kind, [.. tags.Select(tag => tag.Tag)], contacts, cancellation);
            var details = request.Target.Describe();
            details["tags"] = TagStore.Names(tags.Select(tag => tag.Name));
            details["contacts"] = contacts.Count;
            var applied = await session.Writer.ApplyAsync(request.Kind, request.Origin, changes, cancellation, details);
            return applied is null
                ? new TagResult(null, contacts.Count, missing, 0, 0, [])
                : new TagResult(applied.Operation, contacts.Count, missing, applied.Added, applied.Removed, await CountsAsync(session.Connection, user, applied.Delta, tags, cancellation));
        },
        cancellation);

    /// <summary>What <see cref="ApplyAsync"/> would do. Nothing is changed, and nobody waits.</summary>
    public Task<TagResult> TryAsync(TagRequest request, UserId user, CancellationToken cancellation) => database.RunAsync(
        async connection =>
        {
            await using var snapshot = await connection.BeginReadAsync(cancellation);
            var (contacts, missing) = await InSnapshot(connection, user, cancellation).SelectAsync(request.Target, cancellation);
            var known = await FindAsync(connection, user, request, cancellation);
            var changes = await WantedAsync(connection, user, request.Kind, [.. known.Values.Select(tag => tag.Tag)], contacts, cancellation);
            var members = await TagMembers.ReadEachAsync(connection, changes.Tags.Select(change => change.Tag), cancellation);
            var delta = new TagChanges();
            foreach (var (tag, added, removed) in changes.Tags)
            {
                var (gains, losses) = delta.Of(tag);
                gains.UnionWith(added);
                gains.ExceptWith(members[tag]);
                losses.UnionWith(removed);
                losses.IntersectWith(members[tag]);
            }

            var counts = new List<TagCount>(await CountsAsync(connection, user, delta, known.Values, cancellation));
            counts.AddRange(request.Tags.Where(name => !known.ContainsKey(name.Key)).DistinctBy(name => name.Key).Select(name => new TagCount(null, name.Text, contacts.Count, 0)));
            return new TagResult(null, contacts.Count, missing, counts.Sum(count => count.Added), counts.Sum(count => count.Removed), counts);
        },
        cancellation);

    /// <summary>The tags that any of the contacts has, the most frequent first.</summary>
    public Task<(int Contacts, int Missing, IReadOnlyList<CommonTag> Tags)> CommonAsync(TagTarget target, UserId user, CancellationToken cancellation) =>
        database.RunAsync<(int, int, IReadOnlyList<CommonTag>)>(
            async connection =>
            {
                await using var snapshot = await connection.BeginReadAsync(cancellation);
                var (contacts, missing) = await InSnapshot(connection, user, cancellation).SelectAsync(target, cancellation);
                var members = await TaggedAsync(connection, user, contacts, cancellation);
                var tags = new Dictionary<TagId, Tag>();
                await new SqlBatch(connection).ReadTags(user, members.Keys, tags).ExecuteAsync(cancellation);
                var common = new List<CommonTag>();
                foreach (var (tag, set) in members)
                {
                    set.IntersectWith(contacts);
                    if (set.Count is var count and > 0)
                    {
                        common.Add(new CommonTag(tags[tag], count));
                    }
                }

                return (contacts.Count, missing, [.. common.OrderByDescending(tag => tag.Contacts).ThenBy(tag => tag.Tag.Name, StringComparer.Ordinal)]);
            },
            cancellation);

    private TagTargets InSnapshot(EdmConnection connection, UserId user, CancellationToken cancellation) =>
        new(connection, user, filter => selection.EvaluateAsync(connection, user, filter, cancellation));

    private static async Task<TagChanges> WantedAsync(
        EdmConnection connection, UserId user, TagOperationKind kind, TagId[] tags, ContactSet contacts, CancellationToken cancellation)
    {
        var changes = new TagChanges();
        foreach (var tag in tags)
        {
            _ = kind == TagOperationKind.Remove ? changes.Remove(tag, contacts) : changes.Add(tag, contacts);
        }

        if (kind == TagOperationKind.Replace)
        {
            foreach (var (other, _) in (await TaggedAsync(connection, user, contacts, cancellation)).Where(one => !tags.Contains(one.Key)))
            {
                changes.Remove(other, contacts);
            }
        }

        return changes;
    }

    private static async Task<Dictionary<TagId, ContactSet>> TaggedAsync(EdmConnection connection, UserId user, ContactSet contacts, CancellationToken cancellation)
    {
        var members = new Dictionary<TagId, ContactSet>();
        if (!contacts.IsEmpty)
        {
            await new SqlBatch(connection).ReadTagged(user, contacts, [.. contacts.Chunks], members).ExecuteAsync(cancellation);
        }

        return members;
    }

    /// <summary>The tags that are there already; all of them have to be when they are to be removed.</summary>
    private static async Task<Dictionary<string, Named>> FindAsync(EdmConnection connection, UserId user, TagRequest request, CancellationToken cancellation)
    {
        var found = new Dictionary<string, Tag>();
        await new SqlBatch(connection).ReadTagsNamed(user, request.Tags.Select(name => name.Key), found).ExecuteAsync(cancellation);
        if (request.Kind == TagOperationKind.Remove && request.Tags.FirstOrDefault(name => !found.ContainsKey(name.Key)) is { Text: { } missing })
        {
            var all = new List<string>();
            await new SqlBatch(connection)
                .Read("SELECT name FROM tags WHERE user_id = @user AND deleted_at IS NULL LIMIT 1000", row => all.Add(row.GetString(0)), ("@user", user.Value)).ExecuteAsync(cancellation);
            throw new FieldException("tags", all.Count == 0 ? $"There is no tag '{missing}'." : $"There is no tag '{missing}'; the nearest is '{NearestName.Of(missing, all)}'.");
        }

        return found.ToDictionary(one => one.Key, one => new Named(one.Value.Id, one.Value.Name));
    }

    private static async Task<IReadOnlyList<TagCount>> CountsAsync(
        EdmConnection connection, UserId user, TagChanges delta, IEnumerable<Named> known, CancellationToken cancellation)
    {
        var names = known.ToDictionary(tag => tag.Tag, tag => tag.Name);
        var changed = delta.Tags.Where(change => !change.Added.IsEmpty || !change.Removed.IsEmpty).ToArray();
        if (changed.Where(change => !names.ContainsKey(change.Tag)).Select(change => change.Tag).ToArray() is { Length: > 0 } others)
        {
            var found = new Dictionary<TagId, Tag>();
            await new SqlBatch(connection).ReadTags(user, others, found).ExecuteAsync(cancellation);
            foreach (var (tag, one) in found)
            {
                names.Add(tag, one.Name);
            }
        }

        return [.. changed.Select(change => new TagCount(change.Tag, names[change.Tag], change.Added.Count, change.Removed.Count))];
    }

    private sealed record Named(TagId Tag, string Name);
}
