using System.Diagnostics.CodeAnalysis;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Filters.Columns;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Contacts.Search;
using Edm.Engine.Storage;
using Edm.Testing.Servers;
using LinqToDB;
using LinqToDB.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Edm.Testing.Databases;

/// <summary>
/// Tests that need a migrated database of their own. An abstract class holds the tests; two sealed ones run them,
/// <c>XTestsOnSqlite() : XTests(new SqliteDatabases())</c> and, in the collection of <see cref="PostgresFixture"/>,
/// <c>XTestsOnPostgres(PostgresFixture postgres) : XTests(new PostgresDatabases(postgres))</c>.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync.")]
public abstract class DatabaseTests(IDatabases databases) : IAsyncLifetime
{
    private EdmDatabase? _database;

    protected EdmDatabase Database => _database ?? throw new InvalidOperationException("The test has not begun.");

    protected TimeProvider Time { get; init; } = TimeProvider.System;

    protected ContactColumns Columns { get; } = new(64 << 20);

    protected ContactSelection Selection => new(Columns, ScanLimits.Default, Time);

    protected ContactSearch Search => new(Database, Selection);

    public virtual async Task InitializeAsync()
    {
        _database = new EdmDatabase(await databases.CreateAsync());
        await new Migrator(_database, Time, NullLogger<Migrator>.Instance).MigrateAsync();
    }

    public virtual async Task DisposeAsync()
    {
        _database?.Dispose();
        await databases.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>A row in contacts, with the next ordinal of its user.</summary>
    protected Task<ContactId> AddContactAsync(ContactRow row) => Database.WriteAsync(async connection =>
    {
        var book = await ContactBook.OpenAsync(connection, row.UserId, default);
        var id = await connection.InsertWithInt64IdentityAsync(row with { Ordinal = book.Take(1) });
        await book.CloseAsync(default);
        return new ContactId(id);
    });

    /// <summary>A row in users.</summary>
    protected async Task<UserId> AddUserAsync(string name = "user") => new(await Database.RunAsync(connection =>
        connection.ExecuteAsync<long>("INSERT INTO users (name, role, created_at) VALUES (@name, 'user', 0) RETURNING id", new DataParameter("name", name))));
}

/// <summary>Where the databases of a test come from; disposing it drops them.</summary>
public interface IDatabases : IAsyncDisposable
{
    /// <summary>An empty database.</summary>
    Task<StorageSettings> CreateAsync();
}

public sealed class SqliteDatabases : IDatabases
{
    private readonly TempFolder _folder = new();
    private int _number;

    public Task<StorageSettings> CreateAsync() =>
        Task.FromResult(new StorageSettings(null, _folder.Combine($"{Interlocked.Increment(ref _number)}")));

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}

public sealed class PostgresDatabases(PostgresFixture postgres) : IDatabases
{
    private readonly TempFolder _folder = new();

    public async Task<StorageSettings> CreateAsync() => new(await postgres.CreateDatabaseAsync(), _folder.Path);

    /// <summary>The databases themselves go with the server.</summary>
    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}
