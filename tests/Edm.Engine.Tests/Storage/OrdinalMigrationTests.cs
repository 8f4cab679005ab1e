using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Edm.Engine.Tests.Storage;

/// <summary>Migration 0002 gives ordinals to the contacts that are there.</summary>
public abstract class OrdinalMigrationTests(IDatabases databases) : IAsyncLifetime
{
    private const int Many = 8192 + 13;

    [Fact]
    public async Task Contacts_from_before_get_dense_ordinals_and_their_bits()
    {
        using var database = new EdmDatabase(await databases.CreateAsync());
        await MigrateAsync(database, version => version == 1);
        await database.RunAsync(c => c.ExecuteAsync(
            $"""
             INSERT INTO users (id, name, role, created_at) VALUES (1, 'few', 'user', 0), (2, 'many', 'user', 0), (3, 'none', 'user', 0);
             INSERT INTO contacts (user_id, email, email_key, created_at, updated_at)
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {Many})
             SELECT CASE WHEN i <= 3 THEN 1 ELSE 2 END, 'c' || i || '@example.com', 'c' || i || '@example.com', 0, 0 FROM n;
             """));

        await MigrateAsync(database, _ => true);

        Assert.Equal([0, 1, 2], await OrdinalsAsync(database, 1));
        Assert.Equal(Enumerable.Range(0, Many - 3), await OrdinalsAsync(database, 2));
        Assert.Equal([0, 1, 2], await LiveAsync(database, 1));
        Assert.Equal(Enumerable.Range(0, Many - 3), await LiveAsync(database, 2));
        Assert.Empty(await LiveAsync(database, 3));
        Assert.Equal([3, Many - 3], await database.RunAsync(c => c.QueryToListAsync<int>("SELECT next_ordinal FROM contact_books ORDER BY user_id")));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await databases.DisposeAsync();

    private static Task<int> MigrateAsync(EdmDatabase database, Func<int, bool> wanted) =>
        new Migrator(database, TimeProvider.System, NullLogger<Migrator>.Instance, [.. MigrationScript.All(database.IsPostgres).Where(s => wanted(s.Version))]).MigrateAsync();

    private static Task<List<int>> OrdinalsAsync(EdmDatabase database, int user) =>
        database.RunAsync(c => c.QueryToListAsync<int>($"SELECT ordinal FROM contacts WHERE user_id = {user} ORDER BY id"));

    private static async Task<IEnumerable<int>> LiveAsync(EdmDatabase database, int user)
    {
        var set = new ContactSet();
        foreach (var row in await database.RunAsync(c => c.GetTable<ContactChunkRow>().Where(row => row.UserId == new UserId(user)).ToListAsync()))
        {
            set.SetBits(row.Chunk, ContactChunk.FromBytes(row.Live));
        }

        return set.Ordinals;
    }
}

public sealed class OrdinalMigrationTestsOnSqlite() : OrdinalMigrationTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class OrdinalMigrationTestsOnPostgres(PostgresFixture postgres) : OrdinalMigrationTests(new PostgresDatabases(postgres));
