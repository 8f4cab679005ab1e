using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;

namespace Edm.Engine.Contacts.Search;

/// <summary>
/// A page of the contacts with one tag, in the order in which they came, by one statement, where the tag is common enough that one chunk holds the whole page. The bits are looked at
/// one by one in the database, at most <see cref="ContactChunk.Size"/> of them; reading them all and then the contacts is a round trip more.
/// </summary>
internal static class DensePage
{
    // The series is made while it is read, so only as much of the chunk is looked at as the page needs. 8192 is ContactChunk.Size, which a constant text can't name.
    private const string Sql =
        $"""
        SELECT {ContactRow.Columns} FROM contacts WHERE user_id = @user AND ordinal = ANY(ARRAY(
          SELECT bit.chunk * 8192 + bit.nr FROM (
            SELECT first.chunk, first.bits, generate_series(CASE WHEN first.chunk = @chunk THEN @bit ELSE 0 END, 8191) AS nr FROM (
              SELECT m.chunk, m.bits FROM tags t JOIN tag_members m ON m.tag_id = t.id
              WHERE t.user_id = @user AND t.name_key = @tag AND t.deleted_at IS NULL AND m.chunk >= @chunk
              ORDER BY m.chunk LIMIT 1) first
            WHERE bit_count(first.bits) >= @limit) bit
          WHERE get_bit(bit.bits, bit.nr) = 1 LIMIT @limit))
        """;

    /// <param name="connection">To PostgreSQL.</param>
    /// <param name="after">An ordinal.</param>
    /// <returns>Exactly <paramref name="limit"/> contacts; null when they have to be found otherwise.</returns>
    public static async Task<IReadOnlyList<ContactRow>?> ReadAsync(EdmConnection connection, UserId user, string tagKey, int after, int limit, CancellationToken cancellation)
    {
        var (page, chunk) = (new List<ContactRow>(limit), ContactChunk.Of(after + 1));
        await new SqlBatch(connection).Read(
            Sql,
            row => page.Add(ContactRow.Read(row)),
            ("@user", user.Value), ("@tag", tagKey), ("@chunk", chunk), ("@bit", after + 1 - ContactChunk.First(chunk)), ("@limit", limit)).ExecuteAsync(cancellation);
        if (page.Count < limit)
        {
            return null;
        }

        page.Sort(static (a, b) => a.Ordinal.CompareTo(b.Ordinal));
        return page;
    }
}
