using Edm.Testing.Servers;
using Npgsql;

namespace Edm.Host.Tests.Testing;

public sealed class PostgresServerTests
{
    [Fact]
    public async Task What_was_committed_is_there_after_a_crash_and_on_the_same_port()
    {
        await using var server = await PostgresServer.CreateAsync();
        var database = await server.CreateDatabaseAsync();
        await ExecuteAsync(database, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)");

        await server.KillAsync();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ExecuteAsync(database, "SELECT n FROM kept"));

        await server.StartAsync();
        Assert.Equal(7, await ExecuteAsync(database, "SELECT n FROM kept"));
        Assert.Equal("on", await ExecuteAsync(database, "SHOW fsync"));
    }

    [Fact]
    public async Task Each_database_is_empty_and_its_own()
    {
        await using var server = await PostgresServer.CreateAsync(fsync: false);
        var first = await server.CreateDatabaseAsync();
        var second = await server.CreateDatabaseAsync();

        await ExecuteAsync(first, "CREATE TABLE mine (n int)");

        Assert.Equal(0L, await ExecuteAsync(second, "SELECT count(*) FROM information_schema.tables WHERE table_name = 'mine'"));
    }

    private static async Task<object?> ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
