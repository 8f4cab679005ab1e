using LinqToDB.Data;

namespace Edm.Engine.Storage;

/// <summary>
/// Keeps PostgreSQL from planning for tables that are long not so small any more. Plans of prepared statements are kept until the server knows better, which by itself it may
/// only in a minute or two: a plan for ten contacts reads all of a million to find one.
/// </summary>
internal static class TableStatistics
{
    /// <summary>Pages of 8 KiB; what is smaller is read quickly in any order.</summary>
    private const int SmallPages = 64;

    /// <summary>Has the server look at those of the tables again that have more than doubled since it did: a sample of 30,000 rows. It holds up nobody.</summary>
    public static async Task RefreshAsync(EdmDatabase database, string[] tables, CancellationToken cancellation)
    {
        if (!database.IsPostgres)
        {
            return;
        }

        await database.RunAsync(
            async connection =>
            {
                var grown = new List<string>();
                await new SqlBatch(connection).Read(
                    """
                    SELECT relname::text FROM pg_class
                    WHERE oid IN (SELECT to_regclass(name) FROM unnest(@tables) name) AND pg_relation_size(oid) / 8192 > 2 * relpages + @small
                    """,
                    row => grown.Add(row.GetString(0)),
                    ("@tables", tables), ("@small", SmallPages)).ExecuteAsync(cancellation);
                foreach (var table in grown)
                {
                    await connection.ExecuteAsync($"ANALYZE (SKIP_LOCKED) {table}", cancellation);
                }
            },
            cancellation);
    }
}
