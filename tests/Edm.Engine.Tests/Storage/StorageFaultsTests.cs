using Edm.Engine.Storage;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Microsoft.Data.Sqlite;
using Npgsql;
using Xunit;

namespace Edm.Engine.Tests.Storage;

public sealed class StorageFaultsTests
{
    [Fact]
    public async Task A_server_that_stops_under_a_statement_and_one_that_is_away_are_transient()
    {
        await using var server = await PostgresServer.CreateAsync(fsync: false);
        using var database = new EdmDatabase(new StorageSettings(await server.CreateDatabaseAsync(), Path.GetTempPath()));
        var running = database.RunAsync(c => c.ExecuteAsync("SELECT pg_sleep(600)"));
        await database.RunAsync(c => c.ExecuteAsync("SELECT 1"));

        await server.StopAsync();

        AssertTransient(await Assert.ThrowsAnyAsync<Exception>(() => running));
        AssertTransient(await Assert.ThrowsAnyAsync<Exception>(() => database.RunAsync(c => c.ExecuteAsync("SELECT 1"))));
        await server.StartAsync();
        await database.RunAsync(c => c.ExecuteAsync("SELECT 1"));
    }

    [Fact]
    public void A_statement_that_is_wrong_is_not()
    {
        Assert.False(StorageFaults.IsTransient(new PostgresException("syntax", "ERROR", "ERROR", PostgresErrorCodes.SyntaxError)));
        Assert.False(StorageFaults.IsTransient(new SqliteException("constraint", 19)));
        Assert.False(StorageFaults.IsTransient(new InvalidOperationException("ours")));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(13)]
    public void A_locked_database_and_a_full_disk_are_also_when_wrapped(int code) =>
        AssertTransient(new InvalidOperationException("outer", new AggregateException(new SqliteException("away", code))));

    private static void AssertTransient(Exception exception) => Assert.True(StorageFaults.IsTransient(exception), exception.ToString());
}
