using System.Text.Json;
using Edm.Engine.TagMigration;
using Npgsql;

namespace Edm.Engine.Tests.TagMigration;

/// <summary>An installation that keeps tags in a JSON column, as the tests' own SQL knows it.</summary>
internal sealed class OldSystem(string connection) : IAsyncDisposable
{
    private readonly NpgsqlDataSource _connections = NpgsqlDataSource.Create(connection);

    public MigrationSource Source { get; init; } = new() { Connection = connection, User = "user" };

    public async Task ExecuteAsync(string sql, params (string Name, object? Value)[] parameters)
    {
        await using var command = _connections.CreateCommand(sql);
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        }

        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = _connections.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public Task CreateAsync(string type = "jsonb") => ExecuteAsync($"CREATE TABLE contacts (id int PRIMARY KEY, email text, tags {type}, updated_at timestamptz NOT NULL DEFAULT clock_timestamp())");

    public Task AddAsync(int id, string? email, string? tags) =>
        ExecuteAsync("INSERT INTO contacts (id, email, tags) VALUES (@id, @email, @tags::text::jsonb)", ("id", id), ("email", email), ("tags", tags));

    /// <summary>Contacts 1 to n with one to three of twenty tags each.</summary>
    public Task FillAsync(int count) => ExecuteAsync(
        "INSERT INTO contacts SELECT i, 'c' || i || '@example.com', jsonb_build_array('t' || i % 20, 't' || i % 7, 't' || i % 3) FROM generate_series(1, @count) i", ("count", count));

    public Task SetAsync(int id, string tags) => ExecuteAsync("UPDATE contacts SET tags = @tags::text::jsonb WHERE id = @id", ("id", id), ("tags", tags));

    public Task<string> TagsAsync(int id) => ScalarAsync<string>($"SELECT coalesce(tags::text, 'NULL') FROM contacts WHERE id = {id}");

    /// <summary>Who has which tag, of plain arrays of texts: address to names.</summary>
    public async Task<SortedDictionary<string, string>> PairsAsync()
    {
        SortedDictionary<string, string> pairs = new(StringComparer.Ordinal);
        await using var command = _connections.CreateCommand("SELECT lower(email), coalesce(tags, '[]')::text FROM contacts ORDER BY id");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            pairs[reader.GetString(0)] = string.Join(',', JsonSerializer.Deserialize<string[]>(reader.GetString(1))!.Distinct().Order(StringComparer.Ordinal));
        }

        return pairs;
    }

    public ValueTask DisposeAsync() => _connections.DisposeAsync();
}
