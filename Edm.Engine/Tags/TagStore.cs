using System.Text.Json.Nodes;
using Edm.Contracts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;

namespace Edm.Engine.Tags;

/// <summary>A user's tags themselves. Another user's tag is answered like one that does not exist.</summary>
public sealed class TagStore(EdmDatabase database, TimeProvider time)
{
    /// <summary>Tags that one request may merge into another one.</summary>
    public const int MaxMerged = 100;

    /// <summary>All of them with their counts, by name: at most <see cref="TagWriter.MaxTags"/>.</summary>
    public Task<IReadOnlyList<Tag>> ListAsync(UserId user, CancellationToken cancellation) => database.RunAsync<IReadOnlyList<Tag>>(
        async connection =>
        {
            var tags = new List<Tag>();
            await new SqlBatch(connection)
                .Read($"SELECT {TagQueries.Columns} FROM tags WHERE user_id = @user AND deleted_at IS NULL", row => tags.Add(TagQueries.Read(row)), ("@user", user.Value))
                .ExecuteAsync(cancellation);

            // Here and not in SQL: both databases then have one order, whatever their collations.
            tags.Sort(static (a, b) => string.CompareOrdinal(TagName.KeyOf(a.Name), TagName.KeyOf(b.Name)));
            return tags;
        },
        cancellation);

    public Task<Tag?> GetAsync(UserId user, TagId tag, CancellationToken cancellation) =>
        database.RunAsync(connection => FindAsync(connection, user, tag, cancellation), cancellation);

    /// <exception cref="ConflictException">The name is taken, or there are too many tags.</exception>
    public Task<Tag> CreateAsync(UserId user, TagName name, string? color, TagOrigin origin, CancellationToken cancellation) => TagSession.RunAsync(
        database, user, time,
        async session =>
        {
            await RefuseTakenAsync(session, name, null, cancellation);
            var made = await session.Writer.MakeAsync([new TagDefinition(name.Text, color)], cancellation);
            await session.Writer.ApplyAsync(TagOperationKind.Create, origin, new TagChanges(), cancellation, new JsonObject { ["name"] = name.Text });
            return (await FindAsync(session.Connection, user, made[0], cancellation))!;
        },
        cancellation);

    /// <summary>Gives a tag another name and colour; a change that changes nothing is no operation.</summary>
    /// <param name="change">From what it is now to what it shall be.</param>
    /// <returns>Null when the user has no such tag.</returns>
    /// <exception cref="ConflictException">The name is taken.</exception>
    public Task<Tag?> ChangeAsync(UserId user, TagId tag, Func<TagDefinition, TagDefinition> change, TagOrigin origin, CancellationToken cancellation) => TagSession.RunAsync(
        database, user, time,
        async session =>
        {
            if (await FindAsync(session.Connection, user, tag, cancellation) is not { } found)
            {
                return null;
            }

            var wanted = change(found.Definition);
            if (wanted == found.Definition)
            {
                return found;
            }

            var renamed = wanted.Name != found.Name;
            if (renamed && TagName.KeyOf(wanted.Name) != TagName.KeyOf(found.Name))
            {
                await RefuseTakenAsync(session, TagName.Parse(wanted.Name, "name"), tag, cancellation);
            }

            await session.Writer.ApplyAsync(
                renamed ? TagOperationKind.Rename : TagOperationKind.Recolor, origin, new TagChanges(), cancellation,
                new JsonObject { ["name"] = wanted.Name }, [new TagDefinitionChange(tag, found.Definition, wanted)]);
            var now = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
            return found with { Name = wanted.Name, Color = wanted.Color, UpdatedAt = now };
        },
        cancellation);

    /// <summary>Who has one of the tags gets <paramref name="into"/> instead.</summary>
    /// <returns>Null when the user has no such tag to merge into.</returns>
    /// <exception cref="FieldException">One of the others is not there, or is the same one.</exception>
    public Task<Tag?> MergeAsync(UserId user, TagId into, IReadOnlyList<TagId> others, TagOrigin origin, CancellationToken cancellation)
    {
        if (others.Count is 0 or > MaxMerged)
        {
            throw new FieldException("tagIds", $"1 to {MaxMerged} tags can be merged at once; these are {others.Count}.");
        }

        if (others.Contains(into))
        {
            throw new FieldException("tagIds", $"Tag {into} can't be merged into itself.");
        }

        return TagSession.RunAsync(
            database, user, time,
            async session =>
            {
                var found = new Dictionary<TagId, Tag>();
                await new SqlBatch(session.Connection).ReadTags(user, others.Append(into), found).ExecuteAsync(cancellation);
                if (!found.TryGetValue(into, out var target))
                {
                    return null;
                }

                if (others.FirstOrDefault(other => !found.ContainsKey(other)) is { Value: not 0 } missing)
                {
                    throw new FieldException("tagIds", $"There is no tag {missing}.");
                }

                var members = await TagMembers.ReadEachAsync(session.Connection, others, cancellation);
                var changes = new TagChanges();
                foreach (var (other, contacts) in members)
                {
                    changes.Add(into, contacts).Remove(other, contacts);
                }

                await session.Writer.ApplyAsync(
                    TagOperationKind.Merge, origin, changes, cancellation,
                    new JsonObject { ["into"] = target.Name, ["merged"] = Names(members.Keys.Select(id => found[id].Name)) },
                    [.. members.Keys.Select(id => new TagDefinitionChange(id, found[id].Definition, null))]);

                // Undoing brings the tags back, and leaves filters with the one that they were merged into.
                foreach (var other in members.Keys)
                {
                    await FilterTexts.RenameAsync(session.Connection, user, FilterNameKind.Tag, found[other].Name, target.Name, cancellation);
                }

                return await FindAsync(session.Connection, user, into, cancellation);
            },
            cancellation);
    }

    /// <returns>False when the user has no such tag.</returns>
    public Task<bool> DeleteAsync(UserId user, TagId tag, TagOrigin origin, CancellationToken cancellation) => TagSession.RunAsync(
        database, user, time,
        async session =>
        {
            if (await FindAsync(session.Connection, user, tag, cancellation) is not { } found)
            {
                return false;
            }

            var members = await TagMembers.ReadAsync(session.Connection, [tag], cancellation);
            await session.Writer.ApplyAsync(
                TagOperationKind.Delete, origin, new TagChanges().Remove(tag, members), cancellation,
                new JsonObject { ["name"] = found.Name }, [new TagDefinitionChange(tag, found.Definition, null)]);
            return true;
        },
        cancellation);

    internal static JsonArray Names(IEnumerable<string> names) => [.. names.Select(name => JsonValue.Create(name))];

    private static async Task<Tag?> FindAsync(EdmConnection connection, UserId user, TagId tag, CancellationToken cancellation)
    {
        var found = new Dictionary<TagId, Tag>();
        await new SqlBatch(connection).ReadTags(user, [tag], found).ExecuteAsync(cancellation);
        return found.GetValueOrDefault(tag);
    }

    internal static async Task RefuseTakenAsync(TagSession session, TagName name, TagId? except, CancellationToken cancellation)
    {
        var taken = new Dictionary<string, Tag>();
        await new SqlBatch(session.Connection).ReadTagsNamed(session.User, [name.Key], taken).ExecuteAsync(cancellation);
        if (taken.TryGetValue(name.Key, out var other) && other.Id != except)
        {
            throw new ConflictException($"There is already a tag '{other.Name}' (number {other.Id}). To make one of the two, merge them.", "name");
        }
    }
}
