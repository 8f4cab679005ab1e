using System.Text;
using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB.Data;
using Microsoft.Data.Sqlite;

namespace Edm.Engine.Imports.Chunks;

/// <summary>Prepared statements in short transactions, and a locked file as the claim.</summary>
internal sealed class SqliteImportSession : IImportSession
{
    /// <summary>The pages of the unique indexes that a chunk touches all over; with SQLite's own 2 MiB they are written several times in one chunk.</summary>
    private const int CacheKiB = 32 * 1024;

    private const string FindSql = """
        SELECT id, ordinal, email_key, email, handle, nickname, followers, country, language, category, bio, attributes
        FROM contacts WHERE user_id = @user AND email_key IN (SELECT value FROM json_each(@keys))
        """;

    private const string InsertSql = """
        INSERT INTO contacts (user_id, ordinal, email, email_key, handle, nickname, followers, country, language, category, bio, attributes, status, created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?14, ?13, ?13)
        """;

    private const string UpdateSql = """
        UPDATE contacts SET email = ?2, handle = ?3, nickname = ?4, followers = ?5, country = ?6, language = ?7, category = ?8, bio = ?9, attributes = ?10, updated_at = ?11
        WHERE id = ?1
        """;

    /// <summary>What is asked for at once: a text of them is no large object, of which a collector of garbage keeps more than it should.</summary>
    private const int LookUp = 512;

    private const string ImagineSql = "INSERT INTO temp.import_imagined SELECT value FROM json_each(@hashes) WHERE true ON CONFLICT DO NOTHING RETURNING hash";

    private readonly EdmDatabase _database;
    private readonly FileStream _claim;
    private EdmConnection? _edm;
    private SqliteConnection? _connection;
    private bool _imagines;

    private SqliteImportSession(EdmDatabase database, ImportId import, FileStream claim)
    {
        _database = database;
        _claim = claim;
        Import = import;
    }

    public ImportId Import { get; }

    /// <summary>The write lock is held for one chunk: about 150 ms. One chunk of ordinals.</summary>
    public int ChunkRows => 8_192;

    /// <inheritdoc cref="PostgresImportSession.BeginAsync"/>
    public static async Task<IImportSession> BeginAsync(EdmDatabase database, Func<EdmConnection, Task<ImportId>> insert, CancellationToken cancellation)
    {
        FileStream? claim = null;
        try
        {
            var import = await database.WriteAsync(
                async connection =>
                {
                    var id = await insert(connection);
                    claim = TryLock(database, id) ?? throw new InvalidOperationException($"Somebody claims the new import {id}.");
                    return id;
                },
                cancellation);
            // Nothing that can fail may follow: from here on it is the caller who marks the import as failed.
            return new SqliteImportSession(database, import, claim!);
        }
        catch
        {
            claim?.Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="PostgresImportSession.TryClaimAsync"/>
    public static IImportSession? TryClaim(EdmDatabase database, ImportId import) =>
        TryLock(database, import) is { } claim ? new SqliteImportSession(database, import, claim) : null;

    public async Task<T> WriteAsync<T>(Func<EdmConnection, Task<T>> work, CancellationToken cancellation)
    {
        if (_edm is null)
        {
            // Not out of the pool, which would hand the large cache to somebody else.
            _edm = _database.OpenUnpooled();
            _connection = await _database.OnOwnThreadAsync(
                async () =>
                {
                    await _edm.ExecuteAsync($"PRAGMA cache_size = -{CacheKiB}; PRAGMA temp_store = FILE", cancellation);
                    return (SqliteConnection)await _edm.OpenDbConnectionAsync(cancellation);
                },
                cancellation);
        }

        return await _database.WriteOnAsync(_edm, work, cancellation);
    }

    public async Task FindAsync(UserId user, IEnumerable<string> keys, StoredRows found, CancellationToken cancellation)
    {
        await using var command = Command(FindSql);
        command.Parameters.AddWithValue("@user", user.Value);
        var asked = command.Parameters.AddWithValue("@keys", "");
        foreach (var some in keys.Chunk(LookUp))
        {
            asked.Value = JsonSerializer.Serialize(some);
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
            {
                Add(reader);
            }
        }

        void Add(SqliteDataReader reader)
        {
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
                Attributes = Text(11),
            });

            // Also an empty text is one.
            TextPlace Text(int column) => reader.IsDBNull(column) ? default : found.Rows.Add(Encoding.UTF8.GetBytes(reader.GetString(column)));
        }
    }

    public async Task ImagineAsync(long[] hashes, HashSet<long> fresh, CancellationToken cancellation)
    {
        if (!_imagines)
        {
            await using var create = Command("CREATE TEMP TABLE import_imagined (hash INTEGER PRIMARY KEY)");
            await create.ExecuteNonQueryAsync(cancellation);
            _imagines = true;
        }

        await using var command = Command(ImagineSql);
        var asked = command.Parameters.AddWithValue("@hashes", "");
        foreach (var some in hashes.Chunk(LookUp))
        {
            asked.Value = JsonSerializer.Serialize(some);
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
            {
                fresh.Add(reader.GetInt64(0));
            }
        }
    }

    public Task InsertAsync(UserId user, StagedRows rows, IReadOnlyList<int> which, int firstOrdinal, long now, CancellationToken cancellation)
    {
        using var insert = new SqliteStatement(_connection!, InsertSql);
        insert.Bind(1, user.Value);
        insert.Bind(13, now);
        for (var i = 0; i < which.Count; i++)
        {
            insert.Bind(2, firstOrdinal + i);
            Fields(insert, rows, which[i]);
            insert.Bind(14, rows[which[i]].Status ?? StagedContact.ActiveStatus);
            insert.Run();
        }

        return Task.CompletedTask;
    }

    public Task UpdateAsync(IReadOnlyList<ContactUpdate> updates, long now, CancellationToken cancellation)
    {
        using var statement = new SqliteStatement(_connection!, UpdateSql);
        statement.Bind(11, now);
        foreach (var update in updates)
        {
            statement.Bind(1, update.Stored.Id.Value);
            statement.Bind(2, update.Fields.Email);
            Fields(statement, 3, update.Fields);
            statement.Run();
        }

        return Task.CompletedTask;
    }

    public Task AddHistoryAsync(UserId user, IReadOnlyList<HistoryLine> lines, long now, CancellationToken cancellation)
    {
        using var insert = new SqliteStatement(
            _connection!, "INSERT INTO contact_changes (user_id, contact_id, at, source, reference, changes) VALUES (?1, ?2, ?3, 'import', ?4, ?5)");
        insert.Bind(1, user.Value);
        insert.Bind(3, now);
        insert.Bind(4, Import.ToString());
        foreach (var line in lines)
        {
            insert.Bind(2, line.Contact.Value);
            insert.Bind(5, line.Changes);
            insert.Run();
        }

        return Task.CompletedTask;
    }

    public Task AddErrorsAsync(IReadOnlyList<RefusedRow> rows, long first, CancellationToken cancellation)
    {
        using var insert = new SqliteStatement(
            _connection!, "INSERT INTO import_errors (import_id, nr, line, field, value, reason, original) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
        insert.Bind(1, Import.Value);
        for (var i = 0; i < rows.Count; i++)
        {
            var problem = rows[i].Problem;
            insert.Bind(2, first + i);
            insert.Bind(3, problem.Line);
            insert.Bind(4, problem.Field);
            insert.Bind(5, problem.Value);
            insert.Bind(6, problem.Reason);
            insert.Bind(7, rows[i].Original);
            insert.Run();
        }

        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await using (_claim)
        {
            if (_edm is not null)
            {
                await _database.OnOwnThreadAsync(
                    async () =>
                    {
                        await _edm.DisposeAsync();
                        return true;
                    },
                    CancellationToken.None);
            }
        }
    }

    private static FileStream? TryLock(EdmDatabase database, ImportId import)
    {
        try
        {
            return new FileStream(ImportSpool.FileOf(database.Settings, import, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException)
        {
            // Locked by another handle; a folder that can't be written raises another exception.
            return null;
        }
    }

    private static void Fields(SqliteStatement statement, int first, StagedContact contact)
    {
        statement.Bind(first, contact.Handle);
        statement.Bind(first + 1, contact.Nickname);
        statement.Bind(first + 2, contact.Followers);
        statement.Bind(first + 3, contact.Country);
        statement.Bind(first + 4, contact.Language);
        statement.Bind(first + 5, contact.Category);
        statement.Bind(first + 6, contact.Bio);
        statement.Bind(first + 7, contact.Attributes);
    }

    /// <summary>From the third parameter on.</summary>
    private static void Fields(SqliteStatement statement, StagedRows rows, int index)
    {
        ref readonly var row = ref rows[index];
        Text(3, row.Email);
        Text(4, row.EmailKey);
        Text(5, row.Handle);
        Text(6, row.Nickname);
        statement.Bind(7, row.Followers);
        Text(8, row.Country);
        Text(9, row.Language);
        Text(10, row.Category);
        Text(11, row.Bio);
        Text(12, row.Attributes);

        void Text(int number, TextPlace place)
        {
            if (place.IsNone)
            {
                statement.BindNull(number);
            }
            else
            {
                statement.Bind(number, rows.Text(place));
            }
        }
    }

    private SqliteCommand Command(string sql)
    {
        var command = _connection!.CreateCommand();
        command.CommandText = sql;
        command.Transaction = (SqliteTransaction?)_edm!.Transaction;
        return command;
    }
}
