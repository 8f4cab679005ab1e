using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.TagMigration;

/// <summary>Reads who has which tag, of a few tags or of one chunk of contacts at a time.</summary>
internal static class MemberBits
{
    /// <summary>Who had these tags in EDM before the migration.</summary>
    public static async Task<Dictionary<long, ContactSet>> KeptAsync(EdmConnection connection, long migration, IEnumerable<long> tags, CancellationToken cancellation) =>
        Sets(await connection.QueryToListAsync<Bits>(
            $"SELECT tag_id, chunk, bits FROM tag_migration_kept WHERE migration_id = @id AND tag_id IN {MigrationSql.Numbers(connection, "@tags")}",
            cancellation, new DataParameter("id", migration), MigrationSql.List("tags", tags)));

    /// <summary>Who of a chunk had which tag in EDM before the migration.</summary>
    public static async Task<Dictionary<long, ContactSet>> KeptAsync(EdmConnection connection, long migration, long user, int chunk, CancellationToken cancellation) =>
        Sets(await connection.QueryToListAsync<Bits>(
            "SELECT k.tag_id, k.chunk, k.bits FROM tag_migration_kept k JOIN tags t ON t.id = k.tag_id WHERE k.migration_id = @id AND t.user_id = @user AND k.chunk = @chunk",
            cancellation, new DataParameter("id", migration), new DataParameter("user", user), new DataParameter("chunk", chunk)));

    /// <summary>Who of a chunk has which tag.</summary>
    public static async Task<Dictionary<long, ContactSet>> OfChunkAsync(EdmConnection connection, long user, int chunk, CancellationToken cancellation) =>
        Sets(await connection.QueryToListAsync<Bits>(
            "SELECT m.tag_id, m.chunk, m.bits FROM tag_members m JOIN tags t ON t.id = m.tag_id WHERE t.user_id = @user AND t.deleted_at IS NULL AND m.chunk = @chunk",
            cancellation, new DataParameter("user", user), new DataParameter("chunk", chunk)));

    /// <summary>Who has one of these tags.</summary>
    public static async Task<Dictionary<long, ContactSet>> OfTagsAsync(EdmConnection connection, IEnumerable<long> tags, CancellationToken cancellation) =>
        Sets(await connection.QueryToListAsync<Bits>(
            $"SELECT m.tag_id, m.chunk, m.bits FROM tag_members m JOIN tags t ON t.id = m.tag_id WHERE t.deleted_at IS NULL AND m.tag_id IN {MigrationSql.Numbers(connection, "@tags")}",
            cancellation, MigrationSql.List("tags", tags)));

    /// <summary>The names of a user's tags.</summary>
    public static async Task<Dictionary<long, string>> NamesAsync(EdmConnection connection, long user, CancellationToken cancellation) =>
        (await connection.QueryToListAsync<TagRef>("SELECT id, name FROM tags WHERE user_id = @user AND deleted_at IS NULL", cancellation, new DataParameter("user", user)))
            .ToDictionary(t => t.Id, t => t.Name);

    /// <summary>The tags of each of these contacts of one chunk.</summary>
    public static Dictionary<int, List<long>> ByContact(Dictionary<long, ContactSet> members, ContactSet of)
    {
        Dictionary<int, List<long>> contacts = [];
        foreach (var (tag, set) in members)
        {
            var here = set.Clone();
            here.IntersectWith(of);
            foreach (var ordinal in here.Ordinals)
            {
                if (!contacts.TryGetValue(ordinal, out var tags))
                {
                    contacts[ordinal] = tags = [];
                }

                tags.Add(tag);
            }
        }

        return contacts;
    }

    private static Dictionary<long, ContactSet> Sets(IEnumerable<Bits> rows)
    {
        Dictionary<long, ContactSet> sets = [];
        foreach (var row in rows)
        {
            if (!sets.TryGetValue(row.TagId, out var set))
            {
                sets[row.TagId] = set = new ContactSet();
            }

            set.SetBits(row.Chunk, ContactChunk.FromBytes(row.Words));
        }

        return sets;
    }

    private sealed record Bits
    {
        [Column] public long TagId { get; init; }
        [Column] public int Chunk { get; init; }
        [Column("bits")] public byte[] Words { get; init; } = [];
    }
}
