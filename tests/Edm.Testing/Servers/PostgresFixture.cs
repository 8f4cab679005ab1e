using Xunit;

namespace Edm.Testing.Servers;

/// <summary>
/// One PostgreSQL cluster for the tests of one collection, started by the first test that asks. Each test assembly declares the collection once:
/// <code>[CollectionDefinition(PostgresFixture.Collection)] public sealed class PostgresCollection : ICollectionFixture&lt;PostgresFixture&gt;;</code>
/// Tests that stop the server make a <see cref="PostgresServer"/> of their own.
/// </summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    public const string Collection = "PostgreSQL";

    private readonly Lazy<Task<PostgresServer>> server = new(() => PostgresServer.CreateAsync());

    public Task InitializeAsync() => Task.CompletedTask;

    public Task<PostgresServer> ServerAsync() => server.Value;

    /// <summary>The connection string of a new, empty database.</summary>
    public async Task<string> CreateDatabaseAsync() => await (await ServerAsync()).CreateDatabaseAsync();

    public async Task DisposeAsync()
    {
        // One that failed to start has told its test why, and has cleaned up behind itself.
        if (server is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
        {
            await (await ServerAsync()).DisposeAsync();
        }
    }
}
