using Npgsql;

namespace Edm.Engine.TagMigration;

/// <summary>The old database: opens it, finds the table, and reads its rows in portions that fit into memory.</summary>
internal sealed class OldDatabase : IAsyncDisposable
{
    /// <summary>Of the values of one portion; one value more may come on top, of at most <see cref="TagReading.MaxCharacters"/>.</summary>
    private const int PortionBytes = 16 * 1024 * 1024;

    /// <summary>"EDM" and a two, above the table's number: who holds it may read rows in order to write them into EDM.</summary>
    private const long TurnSpace = 0x45444D02L << 32;

    private readonly NpgsqlDataSource _connections;

    private OldDatabase(NpgsqlDataSource connections, OldTable table) => (_connections, Table) = (connections, table);

    public OldTable Table { get; }

    /// <exception cref="MigrationException">The database can't be reached, or has no such table.</exception>
    public static async Task<OldDatabase> OpenAsync(MigrationSource source, CancellationToken cancellation)
    {
        NpgsqlDataSource? connections = null;
        try
        {
            connections = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(source.Connection) { MaxPoolSize = 4, Multiplexing = false, NoResetOnClose = false, ApplicationName = "edm-migrate-tags" });
            await using var connection = await connections.OpenConnectionAsync(cancellation);
            return new OldDatabase(connections, await OldTable.FindAsync(connection, source, cancellation));
        }
        catch (Exception exception)
        {
            if (connections is not null)
            {
                await connections.DisposeAsync();
            }

            throw exception switch
            {
                // Its own message may quote the text, and the text holds a password.
                ArgumentException or FormatException or KeyNotFoundException =>
                    new MigrationException("--from: the connection string can't be read. Expected key=value pairs, such as Host=db;Username=crm;Password=...;Database=crm."),
                PostgresException postgres => new MigrationException($"--from: the old database refuses: {postgres.MessageText}", postgres),
                NpgsqlException npgsql => new MigrationException($"--from: the old database can't be reached: {npgsql.Message}", npgsql),
                _ => exception,
            };
        }
    }

    public ValueTask<NpgsqlConnection> ConnectAsync(CancellationToken cancellation) => _connections.OpenConnectionAsync(cancellation);

    /// <summary>
    /// Waits until nobody else reads rows of this table in order to write them into EDM: two at once could write an older value over a newer one. It is let go of with the connection.
    /// </summary>
    public async Task<OldTurn> TakeTurnAsync(CancellationToken cancellation)
    {
        var connection = await ConnectAsync(cancellation);
        try
        {
            await using var command = new NpgsqlCommand("SELECT pg_advisory_lock($1)", connection) { CommandTimeout = 0, Parameters = { new() { Value = TurnSpace | Table.Oid } } };
            await command.ExecuteNonQueryAsync(cancellation);
            return new OldTurn(connection, TurnSpace | Table.Oid);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Quick and about right: what the planner thinks.</summary>
    public async Task<long> EstimateAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        await ScalarAsync<long>(connection, $"SELECT greatest(sum(c.reltuples), 0)::bigint FROM pg_class c WHERE c.oid = {Table.Oid} OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = {Table.Oid})", cancellation);

    /// <summary>The rows behind a key, by their keys: at most <paramref name="limit"/>, and fewer where values are large. None at the end of the table.</summary>
    public async Task<IReadOnlyList<OldRow>> AfterAsync(NpgsqlConnection connection, string? after, int limit, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT key, true, owner, email, CASE WHEN size <= {TagReading.MaxCharacters} THEN raw END, size > {TagReading.MaxCharacters}, before >= {PortionBytes}{Table.FieldNames} FROM (
              SELECT *, sum(least(size, {TagReading.MaxCharacters})) OVER (ORDER BY nr) - least(size, {TagReading.MaxCharacters}) AS before FROM (
                SELECT {Table.KeyJson("t")} AS key, {Table.Values}, row_number() OVER (ORDER BY {Table.KeyColumns("t")}) AS nr
                FROM {Table.Name} t WHERE {(after is null ? "true" : Table.After)} ORDER BY {Table.KeyColumns("t")} LIMIT {limit}) portion) sized
            WHERE before < {PortionBytes} ORDER BY nr
            """, connection)
        { CommandTimeout = 0 };
        if (after is not null)
        {
            Table.AddKey(command, after);
        }

        return (await RowsAsync(command, cancellation)).Rows;
    }

    /// <summary>The keys behind a key, without anything else.</summary>
    public async Task<IReadOnlyList<string>> KeysAfterAsync(NpgsqlConnection connection, string? after, int limit, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"SELECT {Table.KeyJson("t")} FROM {Table.Name} t WHERE {(after is null ? "true" : Table.After)} ORDER BY {Table.KeyColumns("t")} LIMIT {limit}", connection) { CommandTimeout = 0 };
        if (after is not null)
        {
            Table.AddKey(command, after);
        }

        return await TextsAsync(command, cancellation);
    }

    /// <summary>The keys of rows that changed since a value of the column that tells it, with a minute before for transactions that were open then; and the newest value.</summary>
    public async Task<(IReadOnlyList<string> Keys, string? Newest)> ChangedSinceAsync(NpgsqlConnection connection, string? since, CancellationToken cancellation)
    {
        var by = $"t.{Table.ChangesBy}";
        var from = Table.ChangesByType!.StartsWith("timestamp", StringComparison.Ordinal) ? $"@since::text::{Table.ChangesByType} - interval '1 minute'" : $"@since::text::{Table.ChangesByType}";
        var newest = await OldDatabase.ScalarAsync<string>(connection, $"SELECT coalesce(max({by})::text, '') FROM {Table.Name} t", cancellation);
        if (since is null || newest.Length == 0)
        {
            return ([], newest.Length == 0 ? null : newest);
        }

        await using var command = new NpgsqlCommand($"SELECT {Table.KeyJson("t")} FROM {Table.Name} t WHERE {by} >= {from} OR {by} IS NULL", connection)
        { CommandTimeout = 0, Parameters = { new("since", since) } };
        return (await TextsAsync(command, cancellation), newest);
    }

    public static async Task<IReadOnlyList<string>> TextsAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
        List<string> texts = [];
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            texts.Add(reader.GetString(0));
        }

        return texts;
    }

    /// <summary>The rows of these keys, in portions that fit into memory; rows that are gone are there too and say so.</summary>
    public async IAsyncEnumerable<IReadOnlyList<OldRow>> AllOfAsync(
        NpgsqlConnection connection, IReadOnlyList<string> keys, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var some in keys.Chunk(1000))
        {
            for (IReadOnlyList<string> open = some; open.Count > 0;)
            {
                var (rows, later) = await OfAsync(connection, open, cancellation);
                yield return rows;
                open = later;
            }
        }
    }

    /// <summary>The rows of these keys, those too that are not there any more. Where values are large some are left for another call.</summary>
    public async Task<(IReadOnlyList<OldRow> Rows, IReadOnlyList<string> Later)> OfAsync(
        NpgsqlConnection connection, IReadOnlyList<string> keys, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT nr::text, present, owner, email, CASE WHEN size <= {TagReading.MaxCharacters} AND before < {PortionBytes} THEN raw END, size > {TagReading.MaxCharacters}, before >= {PortionBytes}{Table.FieldNames} FROM (
              SELECT *, sum(least(size, {TagReading.MaxCharacters})) OVER (ORDER BY nr) - least(size, {TagReading.MaxCharacters}) AS before FROM (
                SELECT w.nr, t.ctid IS NOT NULL AS present, {Table.Values}
                FROM {Table.KeysFrom} LEFT JOIN {Table.Name} t ON {Table.KeysJoin}) portion) sized
            ORDER BY nr
            """, connection)
        { CommandTimeout = 0 };
        Table.AddKeys(command, keys);
        var (rows, later) = await RowsAsync(command, cancellation);
        string Asked(string nr) => keys[int.Parse(nr, System.Globalization.CultureInfo.InvariantCulture) - 1];
        return ([.. rows.Select(r => r with { Key = Asked(r.Key) })], [.. later.Select(Asked)]);
    }

    public static async Task<T> ScalarAsync<T>(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        return (T)(await command.ExecuteScalarAsync(cancellation))!;
    }

    public static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    public ValueTask DisposeAsync() => _connections.DisposeAsync();

    private async Task<(List<OldRow> Rows, List<string> Later)> RowsAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
        List<OldRow> rows = [];
        List<string> later = [];
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
            if (reader.GetBoolean(6))
            {
                later.Add(reader.GetString(0));
                continue;
            }

            var fields = Table.FieldCount == 0 ? [] : new string?[Table.FieldCount];
            for (var i = 0; i < fields.Length; i++)
            {
                fields[i] = Text(7 + i);
            }

            rows.Add(new OldRow(reader.GetString(0), reader.GetBoolean(1), Text(2), Text(3), Text(4), reader.GetBoolean(5), fields));
        }

        return (rows, later);
    }
}

/// <summary>The right to read rows of the old table in order to write them into EDM.</summary>
internal sealed class OldTurn(NpgsqlConnection connection, long key) : IAsyncDisposable
{
    public NpgsqlConnection Connection => connection;

    public async ValueTask DisposeAsync()
    {
        try
        {
            // A pool resets a connection when it is used next, and that may be never.
            await OldDatabase.ExecuteAsync(connection, $"SELECT pg_advisory_unlock({key})", CancellationToken.None);
        }
        catch (NpgsqlException)
        {
            // The connection is gone, and the lock with it.
        }

        await connection.DisposeAsync();
    }
}
