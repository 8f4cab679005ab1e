using Edm.Engine.Storage;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Edm.Engine.Tests.Storage;

public abstract class MigratorTests(IDatabases databases) : DatabaseTests(databases)
{
    [Fact]
    public async Task A_second_start_migrates_nothing()
    {
        Assert.Equal(0, await Create().MigrateAsync());
    }

    [Fact]
    public async Task A_database_newer_than_the_program_is_refused_with_both_versions()
    {
        await Database.RunAsync(c => c.ExecuteAsync("INSERT INTO schema_version (version, applied_at) VALUES (9999, 0)"));

        var refused = await Assert.ThrowsAsync<StorageException>(() => Create().MigrateAsync());

        Assert.Contains("9999", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"up to {Create().ProgramVersion}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_script_that_fails_leaves_nothing_behind()
    {
        var next = Create().ProgramVersion + 1;
        var migrator = Create([new MigrationScript(next, "CREATE TABLE half (id integer); SELECT no_such_column FROM users;")]);

        var failed = await Assert.ThrowsAsync<StorageException>(() => migrator.MigrateAsync());

        Assert.Contains($"{next:0000}", failed.Message, StringComparison.Ordinal);
        await Database.RunAsync(c => c.ExecuteAsync("CREATE TABLE half (id integer)"));
        Assert.Equal(next - 1, await Database.RunAsync(c => c.ExecuteAsync<int>("SELECT max(version) FROM schema_version")));
    }

    [Fact]
    public async Task Nodes_that_start_together_run_each_script_once()
    {
        var next = Create().ProgramVersion + 1;
        MigrationScript[] scripts = [new(next, "CREATE TABLE once (id integer);"), new(next + 1, "CREATE TABLE twice (id integer);")];

        var runs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Create(scripts).MigrateAsync())));

        Assert.Equal(2, runs.Sum());
    }

    [Fact]
    public void Both_dialects_have_the_same_versions()
    {
        Assert.Equal(MigrationScript.All(postgres: false).Select(s => s.Version), MigrationScript.All(postgres: true).Select(s => s.Version));
    }

    private Migrator Create() => new(Database, Time, NullLogger<Migrator>.Instance);

    private Migrator Create(IReadOnlyList<MigrationScript> scripts) => new(Database, Time, NullLogger<Migrator>.Instance, scripts);
}

public sealed class MigratorTestsOnSqlite() : MigratorTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class MigratorTestsOnPostgres(PostgresFixture postgres) : MigratorTests(new PostgresDatabases(postgres));
