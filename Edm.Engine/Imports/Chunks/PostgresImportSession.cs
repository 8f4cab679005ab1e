using Edm.Contracts;
using Edm.Engine.Storage;
using Npgsql;
using NpgsqlTypes;

namespace Edm.Engine.Imports.Chunks;

/// <summary>COPY straight into the tables, and an advisory lock of the session as the claim. The session is idle, and in no transaction, while an upload is slow.</summary>
internal sealed class PostgresImportSession : IImportSession
{
    /// <summary>"EDM" and a one, above the import's number: the key of the lock that its process holds.</summary>
    private const long ClaimSpace = 0x45444D01L << 32;

    /// <summary>A busy server is no reason to throw a long upload away.</summary>
    private const int PatientSeconds = 1800;

    // Always through the indexes: a chunk is small against the contacts, and a plan from before the first chunks thinks there are none. Generic plans, since the statistics
    // know nothing of a user whose contacts have just come: the planner takes them for one, and looks through all of them for each chunk instead of looking addresses up.
    private const string SettingsSql = """
        SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; SET jit = off; SET plan_cache_mode = force_generic_plan;
        CREATE TEMP TABLE import_update (id bigint, email text, handle text, nickname text, followers bigint, country text, language text, category text, bio text,
          attributes jsonb) ON COMMIT DELETE ROWS;
        """;

    private const string FindSql = """
        SELECT id, ordinal, email_key, email, handle, nickname, followers, country, language, category, bio, attributes
        FROM contacts WHERE user_id = $1 AND email_key = ANY ($2)
        """;

    /// <summary>Addresses that are asked for at once: an array of them is no large object.</summary>
    private const int LookUp = 8_192;

    private const string UpdateSql = """
        UPDATE contacts c SET email = u.email, handle = u.handle, nickname = u.nickname, followers = u.followers, country = u.country, language = u.language,
          category = u.category, bio = u.bio, attributes = u.attributes, updated_at = $1
        FROM import_update u WHERE c.id = u.id
        """;

    private const string ImaginedSql = "CREATE TEMP TABLE import_imagined (hash bigint PRIMARY KEY)";

    private const string ImagineSql = "INSERT INTO import_imagined SELECT unnest($1) ON CONFLICT DO NOTHING RETURNING hash";

    private readonly EdmConnection _edm;
    private readonly NpgsqlConnection _connection;
    private NpgsqlCommand? _find;
    private long _inserted;
    private long _insertedAtPlan;
    private bool _isPrepared;
    private bool _imagines;

    private PostgresImportSession(EdmConnection edm, NpgsqlConnection connection, ImportId import)
    {
        _edm = edm;
        _connection = connection;
        Import = import;
    }

    public ImportId Import { get; }

    /// <summary>A chunk of ordinals: each bitmap of a tag is written once, or twice where the user had contacts before. Twice as many are a twentieth quicker and take 10 MB.</summary>
    public int ChunkRows => 8_192;

    /// <summary>A new import: its row and the claim on it appear together, or others would take it for a dead one.</summary>
    public static async Task<IImportSession> BeginAsync(EdmDatabase database, Func<EdmConnection, Task<ImportId>> insert, CancellationToken cancellation)
    {
        var edm = database.OpenUnpooled();
        try
        {
            var connection = (NpgsqlConnection)await edm.OpenDbConnectionAsync(cancellation);
            await using var transaction = await edm.BeginWriteAsync(cancellation);
            var import = await insert(edm);
            await ExecuteAsync(connection, $"SELECT pg_advisory_lock({ClaimOf(import)})", cancellation);
            // Not to be broken off: a commit that may have happened would leave an import that nobody marks as failed.
            await transaction.CommitAsync(CancellationToken.None);
            return new PostgresImportSession(edm, connection, import);
        }
        catch
        {
            await edm.DisposeAsync();
            throw;
        }
    }

    /// <returns>Null while somebody is at the import.</returns>
    public static async Task<IImportSession?> TryClaimAsync(EdmDatabase database, ImportId import, CancellationToken cancellation)
    {
        var edm = database.OpenUnpooled();
        try
        {
            var connection = (NpgsqlConnection)await edm.OpenDbConnectionAsync(cancellation);
            await using var command = new NpgsqlCommand($"SELECT pg_try_advisory_lock({ClaimOf(import)})", connection);
            // Not to be broken off, and it waits for nobody: a lock of the session outlives its statement.
            if (await command.ExecuteScalarAsync(CancellationToken.None) is true)
            {
                return new PostgresImportSession(edm, connection, import);
            }
        }
        catch
        {
            await edm.DisposeAsync();
            throw;
        }

        await edm.DisposeAsync();
        return null;
    }

    public async Task<T> WriteAsync<T>(Func<EdmConnection, Task<T>> work, CancellationToken cancellation)
    {
        if (!_isPrepared)
        {
            await ExecuteAsync(_connection, SettingsSql, cancellation);
            _isPrepared = true;
        }

        await using var transaction = await _edm.BeginWriteAsync(cancellation);
        var result = await work(_edm);
        await transaction.CommitAsync(cancellation);
        return result;
    }

    public async Task FindAsync(UserId user, IEnumerable<string> keys, StoredRows found, CancellationToken cancellation)
    {
        foreach (var some in keys.Chunk(LookUp))
        {
            await PrepareFindAsync(cancellation);
            _find!.Parameters[0].Value = user.Value;
            _find.Parameters[1].Value = some;
            await using var reader = await _find.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
            {
                Take(reader, found);
            }
        }
    }

    public async Task ImagineAsync(long[] hashes, HashSet<long> fresh, CancellationToken cancellation)
    {
        if (!_imagines)
        {
            await ExecuteAsync(_connection, ImaginedSql, cancellation);
            _imagines = true;
        }

        await using var command = new NpgsqlCommand(ImagineSql, _connection) { CommandTimeout = PatientSeconds, Parameters = { new() { Value = hashes } } };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            fresh.Add(reader.GetInt64(0));
        }
    }

    /// <summary>A plan is made for the table as it is then, and so made again whenever the import has doubled its part of it.</summary>
    private async Task PrepareFindAsync(CancellationToken cancellation)
    {
        if (_find is not null)
        {
            if (_inserted <= (2 * _insertedAtPlan) + LookUp)
            {
                return;
            }

            await _find.UnprepareAsync(cancellation);
            await _find.DisposeAsync();
        }

        _insertedAtPlan = _inserted;
        _find = new NpgsqlCommand(FindSql, _connection)
        {
            CommandTimeout = PatientSeconds,
            Parameters = { new NpgsqlParameter<long> { NpgsqlDbType = NpgsqlDbType.Bigint }, new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text } },
        };
        await _find.PrepareAsync(cancellation);
    }

    public async Task InsertAsync(UserId user, StagedRows rows, IReadOnlyList<int> which, int firstOrdinal, long now, CancellationToken cancellation)
    {
        await using var copy = await PostgresCopy.BeginAsync(
            _connection,
            "contacts (user_id, ordinal, email, email_key, handle, nickname, followers, country, language, category, bio, attributes, status, created_at, updated_at)",
            cancellation);
        for (var i = 0; i < which.Count; i++)
        {
            await copy.RowAsync(15, cancellation);
            copy.BigInt(user.Value);
            copy.Integer(firstOrdinal + i);
            Fields(copy, rows, which[i]);
            copy.Text(rows[which[i]].Status ?? StagedContact.ActiveStatus);
            copy.BigInt(now);
            copy.BigInt(now);
        }

        await copy.CompleteAsync(cancellation);
        _inserted += which.Count;
    }

    public async Task UpdateAsync(IReadOnlyList<ContactUpdate> updates, long now, CancellationToken cancellation)
    {
        await using (var copy = await PostgresCopy.BeginAsync(
            _connection, "import_update (id, email, handle, nickname, followers, country, language, category, bio, attributes)", cancellation))
        {
            foreach (var update in updates)
            {
                await copy.RowAsync(10, cancellation);
                copy.BigInt(update.Stored.Id.Value);
                copy.Text(update.Fields.Email);
                Fields(copy, update.Fields);
            }

            await copy.CompleteAsync(cancellation);
        }

        await using var command = new NpgsqlCommand(UpdateSql, _connection) { CommandTimeout = PatientSeconds, Parameters = { new() { Value = now } } };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    public async Task AddHistoryAsync(UserId user, IReadOnlyList<HistoryLine> lines, long now, CancellationToken cancellation)
    {
        await using var copy = await PostgresCopy.BeginAsync(_connection, "contact_changes (user_id, contact_id, at, source, reference, changes)", cancellation);
        foreach (var line in lines)
        {
            await copy.RowAsync(6, cancellation);
            copy.BigInt(user.Value);
            copy.BigInt(line.Contact.Value);
            copy.BigInt(now);
            copy.Text("import");
            copy.Text(Import.ToString());
            copy.Jsonb(line.Changes);
        }

        await copy.CompleteAsync(cancellation);
    }

    public async Task AddErrorsAsync(IReadOnlyList<RefusedRow> rows, long first, CancellationToken cancellation)
    {
        await using var copy = await PostgresCopy.BeginAsync(_connection, "import_errors (import_id, nr, line, field, value, reason, original)", cancellation);
        for (var i = 0; i < rows.Count; i++)
        {
            var problem = rows[i].Problem;
            await copy.RowAsync(7, cancellation);
            copy.BigInt(Import.Value);
            copy.BigInt(first + i);
            copy.BigInt(problem.Line);
            copy.Text(problem.Field);
            copy.Text(problem.Value);
            copy.Text(problem.Reason);
            copy.Text(rows[i].Original);
        }

        await copy.CompleteAsync(cancellation);
    }

    // The session ends with its connection; but the server notices that a moment later, and meanwhile the lock would look as if somebody were at the import.
    public async ValueTask DisposeAsync()
    {
        try
        {
            await (_find?.DisposeAsync() ?? ValueTask.CompletedTask);
            await ExecuteAsync(_connection, "SELECT pg_advisory_unlock_all()", CancellationToken.None);
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException or ObjectDisposedException)
        {
            // A connection that is broken has lost the lock, or will when the server notices.
        }

        await _edm.DisposeAsync();
    }

    private static long ClaimOf(ImportId import) => ClaimSpace | (import.Value & uint.MaxValue);

    private static void Fields(PostgresCopy copy, StagedContact contact)
    {
        copy.Text(contact.Handle);
        copy.Text(contact.Nickname);
        copy.BigInt(contact.Followers);
        copy.Text(contact.Country);
        copy.Text(contact.Language);
        copy.Text(contact.Category);
        copy.Text(contact.Bio);
        copy.Jsonb(contact.Attributes);
    }

    private static void Fields(PostgresCopy copy, StagedRows rows, int index)
    {
        ref readonly var row = ref rows[index];
        Text(row.Email);
        Text(row.EmailKey);
        Text(row.Handle);
        Text(row.Nickname);
        copy.BigInt(row.Followers);
        Text(row.Country);
        Text(row.Language);
        Text(row.Category);
        Text(row.Bio);
        copy.Jsonb(rows.Text(row.Attributes));

        void Text(TextPlace place)
        {
            if (place.IsNone)
            {
                copy.Null();
            }
            else
            {
                copy.Text(rows.Text(place));
            }
        }
    }

    /// <summary>Takes a row of <see cref="FindSql"/>, its texts as the bytes that they came in.</summary>
    private static void Take(NpgsqlDataReader reader, StoredRows found)
    {
        var attributes = Text(11);
        found.Add(new ContactId(reader.GetInt64(0)), reader.GetInt32(1), new StagedRow
        {
            EmailKey = Text(2),
            Email = Text(3),
            Handle = Text(4),
            Nickname = Text(5),
            Followers = reader.IsDBNull(6) ? null : reader.GetInt64(6),
            Country = Text(7),
            Language = Text(8),
            Category = Text(9),
            Bio = Text(10),
            // The version of jsonb's binary form stands before its text.
            Attributes = new TextPlace(attributes.Start + 1, attributes.Length - 1),
        });

        TextPlace Text(int column)
        {
            if (reader.IsDBNull(column))
            {
                return default;
            }

            var length = (int)reader.GetBytes(column, 0, null, 0, 0);
            var room = found.Rows.Room(length);
            reader.GetBytes(column, 0, room.Array, room.Offset, length);
            return found.Rows.Took(length);
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }
}
