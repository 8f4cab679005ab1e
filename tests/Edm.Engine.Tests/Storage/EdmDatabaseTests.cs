using Edm.Contracts;
using Edm.Engine.Storage;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;
using LinqToDB.Mapping;
using Xunit;

namespace Edm.Engine.Tests.Storage;

public abstract class EdmDatabaseTests(IDatabases databases) : DatabaseTests(databases)
{
    [Fact]
    public async Task Ids_and_snake_case_columns_go_in_and_come_back()
    {
        var user = await AddUserAsync();
        await Database.RunAsync(c => c.InsertAsync(new PoolRow { UserId = user, Name = "main", Lanes = 2, CreatedAt = 5 }));

        var row = await Database.RunAsync(c => c.GetTable<PoolRow>().SingleAsync(p => p.UserId == user));

        Assert.Equal((user, "main", 2, 5L), (row.UserId, row.Name, row.Lanes, row.CreatedAt));
    }

    [Fact]
    public async Task Rows_of_raw_SQL_are_mapped_like_those_of_queries()
    {
        var user = await AddUserAsync();

        // No query may have read this class before: linq2db would remember its columns from there.
        var row = Assert.Single(await Database.RunAsync(c => c.QueryToListAsync<RawUserRow>("SELECT * FROM users")));

        Assert.Equal((user, "user", 0L), (row.Id, row.Name, row.CreatedAt));
    }

    [Fact]
    public async Task Ids_work_in_lists_and_as_null()
    {
        var one = await AddUserAsync("one");
        var two = await AddUserAsync("two");
        UserId[] both = [one, two];
        UserId? none = null;

        Assert.Equal(2, await Database.RunAsync(c => c.GetTable<UserRow>().CountAsync(u => both.Contains(u.Id))));
        Assert.Equal(2, await Database.RunAsync(c => c.GetTable<UserRow>().CountAsync(u => none == null || u.Id == none)));
    }

    [Fact]
    public async Task Ids_are_compared_by_their_values()
    {
        var one = await AddUserAsync("one");
        var two = await AddUserAsync("two");

        Assert.Equal([two], await Database.RunAsync(c => c.GetTable<UserRow>().Where(u => u.Id.Value > one.Value).OrderBy(u => u.Id).Select(u => u.Id).ToListAsync()));
    }

    [Fact]
    public async Task A_transaction_that_throws_leaves_nothing()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => Database.WriteAsync(async c =>
        {
            await c.ExecuteAsync("INSERT INTO users (name, role, created_at) VALUES ('half', 'user', 0)");
            throw new InvalidOperationException("on purpose");
        }));

        Assert.Equal(0, await Database.RunAsync(c => c.GetTable<UserRow>().CountAsync()));
    }

    [Fact]
    public async Task Many_transactions_that_read_and_then_write_all_succeed()
    {
        await AddUserAsync("0");

        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Database.WriteAsync(async c =>
        {
            await c.ExecuteAsync("UPDATE users SET created_at = created_at + 1");
            await Task.Yield();
            await c.GetTable<UserRow>().CountAsync();
        })));

        Assert.Equal(50, await Database.RunAsync(c => c.ExecuteAsync<long>("SELECT created_at FROM users")));
    }

    [Fact]
    public async Task A_read_transaction_sees_one_moment()
    {
        await using var c = Database.Open();
        await using var transaction = await c.BeginReadAsync();
        var before = await c.GetTable<UserRow>().CountAsync();

        await AddUserAsync();

        Assert.Equal(before, await c.GetTable<UserRow>().CountAsync());
    }

    [Fact]
    public async Task A_call_inside_of_a_call_is_refused_before_it_can_wait_for_ever()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => Database.RunAsync(_ => AddUserAsync()));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Database.WriteAsync(_ => Database.WriteAsync(_ => Task.CompletedTask)));
        await AddUserAsync();
    }

    [Table("pools")]
    private sealed record PoolRow
    {
        [PrimaryKey, Identity] public PoolId Id { get; init; }
        [Column] public UserId UserId { get; init; }
        [Column] public string Name { get; init; } = "";
        [Column] public int Lanes { get; init; }
        [Column] public long CreatedAt { get; init; }
    }

    [Table("users")]
    private sealed record RawUserRow
    {
        [PrimaryKey, Identity] public UserId Id { get; init; }
        [Column] public string Name { get; init; } = "";
        [Column] public long CreatedAt { get; init; } = -1;
    }

    [Table("users")]
    private sealed record UserRow
    {
        [PrimaryKey, Identity] public UserId Id { get; init; }
        [Column] public string Name { get; init; } = "";
    }
}

public sealed class EdmDatabaseTestsOnSqlite() : EdmDatabaseTests(new SqliteDatabases())
{
    [Fact]
    public async Task Sqlite_is_fully_durable_and_keeps_foreign_keys()
    {
        Assert.Equal("wal", await Pragma("journal_mode"));
        Assert.Equal("2", await Pragma("synchronous"));
        Assert.Equal("1", await Pragma("foreign_keys"));
        Assert.Equal("30000", await Pragma("busy_timeout"));

        Task<string> Pragma(string name) => Database.RunAsync(c => c.ExecuteAsync<string>($"PRAGMA {name}"));
    }

    [Fact]
    public void The_data_folder_is_for_its_owner_alone()
    {
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Database.Settings.DataFolder));
        }
    }

    [Fact]
    public async Task Blocking_calls_never_run_on_the_shared_thread_pool()
    {
        Assert.False(await Database.RunAsync(_ => Task.FromResult(Thread.CurrentThread.IsThreadPoolThread)));
    }

    [Fact]
    public void A_data_folder_has_one_process()
    {
        using var first = DataFolderLock.Acquire(Database.Settings.DataFolder);

        var refused = Assert.Throws<StorageException>(() => DataFolderLock.Acquire(Database.Settings.DataFolder));

        Assert.Contains("Another EDM process", refused.Message, StringComparison.Ordinal);
    }
}

[Collection(PostgresFixture.Collection)]
public sealed class EdmDatabaseTestsOnPostgres(PostgresFixture postgres) : EdmDatabaseTests(new PostgresDatabases(postgres));
