using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using Edm.Engine.Tags;
using LinqToDB.Data;

namespace Edm.Engine.TagMigration;

/// <summary>Writes a round's tags of one user as one recorded operation, in the transaction that holds the user's book.</summary>
internal sealed class TagStep(EdmConnection connection, UserId user, ContactBook book, TimeProvider time)
{
    private static readonly TagOrigin Origin = new(TagSource.Import, "migrate-tags");

    private readonly TagWriter _writer = new(connection, user, book, time);

    /// <returns>The tag with this name in any case, made when there is none.</returns>
    /// <exception cref="MigrationException">The user would have too many tags.</exception>
    public async Task<(long Id, string Name)> ResolveAsync(string name, CancellationToken cancellation)
    {
        if (await FindAsync(name, cancellation) is { } tag)
        {
            return tag;
        }

        try
        {
            return ((await _writer.ResolveAsync([TagName.Parse(name, "tags")], cancellation)).Values.Single().Value, name);
        }
        catch (ConflictException exception)
        {
            throw new MigrationException($"EDM has at most {TagWriter.MaxTags} tags for a user, and the old table has more: {exception.Message}", exception);
        }
    }

    public async Task<(long Id, string Name)?> FindAsync(string name, CancellationToken cancellation) =>
        (await connection.QueryToListAsync<TagRef>(
            "SELECT id, name FROM tags WHERE user_id = @user AND name_key = @key AND deleted_at IS NULL",
            cancellation, new DataParameter("user", user.Value), new DataParameter("key", TagName.KeyOf(name)))).FirstOrDefault() is { } tag ? (tag.Id, tag.Name) : null;

    /// <returns>How many memberships were added and taken.</returns>
    public async Task<(long Added, long Removed)> ApplyAsync(
        IReadOnlyDictionary<long, ContactSet> add, IReadOnlyDictionary<long, ContactSet> remove, CancellationToken cancellation)
    {
        var changes = new TagChanges();
        foreach (var (tag, contacts) in add)
        {
            changes.Add(new TagId(tag), contacts);
        }

        foreach (var (tag, contacts) in remove)
        {
            changes.Remove(new TagId(tag), contacts);
        }

        var applied = await _writer.ApplyAsync(remove.Count == 0 ? TagOperationKind.Add : TagOperationKind.Replace, Origin, changes, cancellation);
        return (applied?.Added ?? 0, applied?.Removed ?? 0);
    }
}
