using Edm.Engine.Storage;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Storage;

[Collection(PostgresFixture.Collection)]
public sealed class TableStatisticsTests(PostgresFixture postgres) : DatabaseTests(new PostgresDatabases(postgres))
{
    private const int ManyRows = 50_000;

    [Fact]
    public async Task A_table_that_has_more_than_doubled_is_looked_at_again()
    {
        await ExecuteAsync($"CREATE TABLE large WITH (autovacuum_enabled = off) AS SELECT n, repeat('x', 20) AS x FROM generate_series(1, {ManyRows}) n");
        await ExecuteAsync("CREATE TABLE small AS SELECT 1 AS n");

        await TableStatistics.RefreshAsync(Database, ["large", "small", "none_such"], default);

        Assert.Equal(ManyRows, await RowsAsync("large"));
        Assert.Equal(-1, await RowsAsync("small"));
    }

    [Fact]
    public async Task One_that_has_grown_a_little_is_not()
    {
        await ExecuteAsync($"CREATE TABLE large WITH (autovacuum_enabled = off) AS SELECT n, repeat('x', 20) AS x FROM generate_series(1, {ManyRows}) n; ANALYZE large");
        await ExecuteAsync($"INSERT INTO large SELECT n, repeat('x', 20) FROM generate_series(1, {ManyRows / 2}) n");

        await TableStatistics.RefreshAsync(Database, ["large"], default);

        Assert.Equal(ManyRows, await RowsAsync("large"));
    }

    /// <summary>As the planner knows them; -1: it was never looked at.</summary>
    private Task<long> RowsAsync(string table) => Database.RunAsync(c => c.ExecuteAsync<long>($"SELECT reltuples::bigint FROM pg_class WHERE oid = '{table}'::regclass"));

    private Task<int> ExecuteAsync(string sql) => Database.RunAsync(c => c.ExecuteAsync(sql));
}
