using System.Data.Common;
using Edm.Engine.Storage;
using LinqToDB.Data;
using Npgsql;

namespace Edm.Benchmarks.Tags;

/// <summary>
/// Tags as a JSON array of names in the table of contacts: what we are measured against. Statements are prepared, and changes touch only rows that need it, as one would write it
/// who knows the database.
/// </summary>
internal sealed class JsonDesign(string name, string table, EdmDatabase database, bool usesContainment) : IAsyncDisposable
{
    private EdmConnection? _connection;
    private DbConnection? _open;
    private readonly Dictionary<string, DbCommand> _prepared = [];

    public string Name { get; } = name;

    private bool IsPostgres => database.IsPostgres;

    /// <summary>The designs that there are, each in a table of its own, indexed and vacuumed.</summary>
    public static async Task<IReadOnlyList<JsonDesign>> CreateAllAsync(EdmDatabase database)
    {
        await using var connection = database.Open();
        connection.CommandTimeout = 600;
        var table = TagWorld.JsonTable;
        if (!database.IsPostgres)
        {
            await connection.ExecuteAsync($"CREATE UNIQUE INDEX {table}_email ON {table} (user_id, email_key)");
            await connection.ExecuteAsync($"CREATE INDEX {table}_page ON {table} (user_id, id)");
            await connection.ExecuteAsync("ANALYZE");
            return [await new JsonDesign("JSON text, index on user", table, database, false).OpenAsync()];
        }

        await connection.ExecuteAsync("CREATE EXTENSION btree_gin");
        foreach (var other in new[] { "json_gin", "json_user_gin" })
        {
            await connection.ExecuteAsync($"CREATE TABLE {other} (LIKE {table} INCLUDING ALL)");
            await connection.ExecuteAsync($"INSERT INTO {other} SELECT * FROM {table}");
        }

        foreach (var each in new[] { table, "json_gin", "json_user_gin" })
        {
            await connection.ExecuteAsync($"CREATE UNIQUE INDEX {each}_email ON {each} (user_id, email_key)");
            await connection.ExecuteAsync($"CREATE INDEX {each}_page ON {each} (user_id, id)");
        }

        await connection.ExecuteAsync("CREATE INDEX json_gin_tags ON json_gin USING gin (tags jsonb_path_ops)");
        await connection.ExecuteAsync("CREATE INDEX json_user_gin_tags ON json_user_gin USING gin (user_id, tags jsonb_path_ops)");
        await connection.ExecuteAsync("VACUUM ANALYZE");
        await connection.ExecuteAsync("CHECKPOINT");
        return
        [
            await new JsonDesign("JSONB, index on user", table, database, true).OpenAsync(),
            await new JsonDesign("JSONB, GIN on tags", "json_gin", database, true).OpenAsync(),
            await new JsonDesign("JSONB, btree_gin on user and tags", "json_user_gin", database, true).OpenAsync(),
        ];
    }

    public Task AddAsync(long user, string tag) => RunAsync(
        IsPostgres
            ? $"UPDATE {table} SET tags = tags || to_jsonb(@tag::text) WHERE user_id = @user AND followers >= 0 AND NOT {Has(tag)}"
            : $"UPDATE {table} SET tags = json_insert(tags, '$[#]', @tag) WHERE user_id = @user AND followers >= 0 AND NOT {Has(tag)}",
        ("@user", user), ("@tag", tag));

    public Task RemoveAsync(long user, string tag) => RunAsync(
        IsPostgres
            ? $"UPDATE {table} SET tags = tags - @tag::text WHERE user_id = @user AND followers >= 0 AND {Has(tag)}"
            : $"UPDATE {table} SET tags = (SELECT json_group_array(value) FROM json_each(tags) WHERE value <> @tag) WHERE user_id = @user AND followers >= 0 AND {Has(tag)}",
        ("@user", user), ("@tag", tag));

    public Task RenameAsync(long user, string tag, string other) => RunAsync(
        IsPostgres
            ? $"UPDATE {table} SET tags = (tags - @tag::text) || to_jsonb(@other::text) WHERE user_id = @user AND {Has(tag)}"
            : $"UPDATE {table} SET tags = (SELECT json_group_array(CASE value WHEN @tag THEN @other ELSE value END) FROM json_each(tags)) WHERE user_id = @user AND {Has(tag)}",
        ("@user", user), ("@tag", tag), ("@other", other));

    public Task<long> CountAsync(long user, string tag) => ReadAsync(
        $"SELECT count(*) FROM {table} WHERE user_id = @user AND {Has(tag)}", ("@user", user));

    public Task<long> SetAsync(long user, string a, string b, string c) => ReadAsync(
        $"SELECT count(*) FROM {table} WHERE user_id = @user AND {Has(a)} AND {Has(b)} AND NOT {Has(c)}", ("@user", user));

    public Task<long> PageAsync(long user, string tag, int rows) => ReadAsync(
        $"SELECT * FROM {table} WHERE user_id = @user AND {Has(tag)} ORDER BY user_id, id LIMIT {rows}", ("@user", user));

    public Task<long> AllAsync(long user) => ReadAsync(
        IsPostgres
            ? $"SELECT tag, count(*) FROM {table}, jsonb_array_elements_text(tags) AS tag WHERE user_id = @user GROUP BY tag"
            : $"SELECT value, count(*) FROM {table}, json_each(tags) WHERE user_id = @user GROUP BY value",
        ("@user", user));

    public async ValueTask DisposeAsync()
    {
        foreach (var command in _prepared.Values)
        {
            await command.DisposeAsync();
        }

        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }
    }

    // The name stands in the text, so that the planner knows how frequent it is.
    private string Has(string tag) => usesContainment ? $"tags @> '\"{tag}\"'" : $"EXISTS (SELECT 1 FROM json_each(tags) WHERE value = '{tag}')";

    private async Task<JsonDesign> OpenAsync()
    {
        _connection = database.Open();
        _open = await _connection.OpenDbConnectionAsync(default);
        return this;
    }

    private async Task RunAsync(string sql, params (string Name, object Value)[] parameters) => await (await CommandAsync(sql, parameters)).ExecuteNonQueryAsync();

    /// <returns>The only number of the only row, or of several rows how many there are.</returns>
    private async Task<long> ReadAsync(string sql, params (string Name, object Value)[] parameters)
    {
        await using var reader = await (await CommandAsync(sql, parameters)).ExecuteReaderAsync();
        var (rows, number) = (0L, 0L);
        var values = new object[reader.FieldCount];
        while (await reader.ReadAsync())
        {
            reader.GetValues(values);
            number = values.Length == 1 ? Convert.ToInt64(values[0], System.Globalization.CultureInfo.InvariantCulture) : 0;
            rows++;
        }

        return rows == 1 ? number : rows;
    }

    private async Task<DbCommand> CommandAsync(string sql, (string Name, object Value)[] parameters)
    {
        if (!_prepared.TryGetValue(sql, out var command))
        {
            command = _open!.CreateCommand();
            command.CommandText = sql;
            command.CommandTimeout = 600;
            foreach (var (name, value) in parameters)
            {
                var parameter = command.CreateParameter();
                (parameter.ParameterName, parameter.Value) = (name, value);
                command.Parameters.Add(parameter);
            }

            if (command is NpgsqlCommand)
            {
                await command.PrepareAsync();
            }

            _prepared.Add(sql, command);
        }

        for (var i = 0; i < parameters.Length; i++)
        {
            command.Parameters[i].Value = parameters[i].Value;
        }

        return command;
    }
}
