using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.TagMigration;

/// <summary>Which tag a spelling is: durable, since the first spelling names the tag and later runs must find the same one.</summary>
internal sealed class TagNames(long migration, TagPolicy policy)
{
    /// <returns>Spelling to tag, for all that are asked for. Under the user's book.</returns>
    public async Task<Dictionary<string, long>> ResolveAsync(EdmConnection connection, TagStep step, UserId user, IEnumerable<string> spellings, CancellationToken cancellation)
    {
        var wanted = spellings.ToHashSet(StringComparer.Ordinal);
        if (wanted.Count == 0)
        {
            return [];
        }

        // Only tags that are still there: one that was deleted in EDM meanwhile comes back under its name.
        var found = (await connection.QueryToListAsync<NameRow>(
            $"""
            SELECT n.spelling, n.tag_id, n.name FROM tag_migration_names n JOIN tags t ON t.id = n.tag_id AND t.deleted_at IS NULL
            WHERE n.migration_id = @id AND n.user_id = @user AND n.spelling IN {MigrationSql.Texts(connection, "@names")}
            """,
            cancellation, new DataParameter("id", migration), new DataParameter("user", user.Value), MigrationSql.List("names", wanted)))
            .ToDictionary(n => n.Spelling, n => n.TagId, StringComparer.Ordinal);
        List<object[]> fresh = [];
        foreach (var spelling in wanted.Where(w => !found.ContainsKey(w)))
        {
            var (tag, name) = await TagAsync(step, spelling, cancellation);
            found[spelling] = tag;
            fresh.Add([spelling, tag, name]);
        }

        if (fresh.Count > 0)
        {
            await connection.ExecuteAsync(
                $"""
                INSERT INTO tag_migration_names (migration_id, user_id, spelling, tag_id, name)
                SELECT @id, @user, c0, c1, c2 FROM {MigrationSql.Rows(connection, "@rows", "text", "bigint", "text")} WHERE true
                ON CONFLICT (migration_id, user_id, spelling) DO UPDATE SET tag_id = excluded.tag_id, name = excluded.name
                """,
                cancellation, new DataParameter("id", migration), new DataParameter("user", user.Value), MigrationSql.List("rows", fresh));
        }

        return found;
    }

    private async Task<(long Id, string Name)> TagAsync(TagStep step, string spelling, CancellationToken cancellation)
    {
        var separate = policy.SeparateVariants && await step.FindAsync(spelling, cancellation) is { } taken && taken.Name != spelling;
        return await step.ResolveAsync(separate ? TagReading.WithSign(spelling, spelling) : spelling, cancellation);
    }
}

/// <summary>The table tag_migration_names.</summary>
internal sealed record NameRow
{
    [Column] public long UserId { get; init; }
    [Column] public string Spelling { get; init; } = "";
    [Column] public long TagId { get; init; }
    [Column] public string Name { get; init; } = "";
}
