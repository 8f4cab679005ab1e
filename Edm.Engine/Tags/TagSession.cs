using System.Data.Common;
using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;

namespace Edm.Engine.Tags;

/// <summary>A write transaction over the tags of one user, under the lock of the user's book.</summary>
internal sealed record TagSession(EdmConnection Connection, UserId User, ContactBook Book, TagWriter Writer)
{
    public static Task<T> RunAsync<T>(EdmDatabase database, UserId user, TimeProvider time, Func<TagSession, Task<T>> work, CancellationToken cancellation) =>
        database.WriteAsync(
            async connection =>
            {
                var book = await ContactBook.OpenAsync(connection, user, cancellation);
                var result = await work(new TagSession(connection, user, book, new TagWriter(connection, user, book, time)));
                await book.CloseAsync(cancellation);
                return result;
            },
            cancellation);
}

/// <summary>Reads tags themselves.</summary>
internal static class TagQueries
{
    public const string Columns = "id, name, color, contacts, created_at, updated_at";

    public static Tag Read(DbDataReader row) => new(
        new TagId(row.GetInt64(0)), row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2), row.GetInt32(3),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(4)), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(5)));

    /// <summary>Of those ids the tags that the user has.</summary>
    public static SqlBatch ReadTags(this SqlBatch batch, UserId user, IEnumerable<TagId> ids, Dictionary<TagId, Tag> found) => batch.Read(
        $"SELECT {Columns} FROM tags WHERE user_id = @user AND deleted_at IS NULL AND id {batch.In("@ids")}",
        row => found.Add(new TagId(row.GetInt64(0)), Read(row)),
        ("@user", user.Value), ("@ids", ids.Select(id => id.Value).Distinct().ToArray()));

    /// <summary>Of those names the tags that the user has.</summary>
    public static SqlBatch ReadTagsNamed(this SqlBatch batch, UserId user, IEnumerable<string> keys, Dictionary<string, Tag> found) => batch.Read(
        $"SELECT {Columns} FROM tags WHERE user_id = @user AND deleted_at IS NULL AND name_key {batch.In("@keys")}",
        row =>
        {
            var tag = Read(row);
            found.Add(TagName.KeyOf(tag.Name), tag);
        },
        ("@user", user.Value), ("@keys", keys.ToArray()));
}
