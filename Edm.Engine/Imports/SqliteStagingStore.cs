using System.Globalization;
using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using LinqToDB.Data;
using Microsoft.Data.Sqlite;

namespace Edm.Engine.Imports;

/// <summary>
/// Stages in a file of its own beside the database, so that nobody waits for the one write lock while a slow upload comes in, and merges with that file
/// attached. A lock file says that the import is alive.
/// </summary>
internal sealed class SqliteStagingStore : IStagingStore
{
    /// <summary>The write lock is held for one chunk: about 150 ms.</summary>
    private const int ChunkRows = 10_000;

    /// <summary>The pages of the unique index that a chunk touches all over; with SQLite's own 2 MiB they are written several times in one chunk.</summary>
    private const int MergeCacheKiB = 32 * 1024;

    private const string Upsert = """
        INSERT INTO staged (nr, email, email_key, handle, nickname, followers, country, language, category, bio, attributes)
        VALUES (@nr, @email, @email_key, @handle, @nickname, @followers, @country, @language, @category, @bio, @attributes)
        ON CONFLICT (email_key) DO UPDATE SET email = excluded.email,
        """;

    private static readonly string StageSql =
        $"{Upsert} {Newest("staged")}, attributes = {Merged("staged")}";

    private const string Columns = "email, email_key, handle, nickname, followers, country, language, category, bio, attributes";

    private const string InsertSql = $"""
        INSERT INTO contacts (user_id, ordinal, {Columns}, status, created_at, updated_at)
        SELECT @user, @next + row_number() OVER (ORDER BY nr) - 1, {Columns}, 'active', @now, @now
        FROM stage.staged s WHERE nr > @after AND nr <= @upto
          AND NOT EXISTS (SELECT 1 FROM contacts c WHERE c.user_id = @user AND c.email_key = s.email_key) ORDER BY nr
        """;

    /// <summary>After the new ones are in: every row meets its contact.</summary>
    private static readonly string UpdateSql = $"""
        INSERT INTO contacts (user_id, ordinal, {Columns}, status, created_at, updated_at)
        SELECT @user, -1, {Columns.Replace("attributes", "json(attributes)", StringComparison.Ordinal)}, 'active', @now, @now
        FROM stage.staged WHERE nr > @after AND nr <= @upto ORDER BY nr
        ON CONFLICT (user_id, email_key) DO UPDATE SET {Newest("contacts")}, attributes = {Merged("contacts")}, updated_at = excluded.updated_at
        WHERE {string.Join(" OR ", Staging.Fields.Select(f => $"(excluded.{f} IS NOT NULL AND excluded.{f} IS NOT contacts.{f})"))}
        OR json_patch(contacts.attributes, excluded.attributes) IS NOT json(contacts.attributes)
        RETURNING ordinal
        """;

    private readonly EdmDatabase _database;
    private readonly TimeProvider _time;
    private readonly FileStream _claim;
    private readonly string _file;
    private SqliteConnection? _stage;
    private SqliteCommand? _insert;
    private SqliteCommand? _problem;

    private SqliteStagingStore(EdmDatabase database, TimeProvider time, ImportId import, FileStream claim)
    {
        _database = database;
        _time = time;
        _claim = claim;
        _file = FileOf(database, import, "db");
        Import = import;
    }

    public ImportId Import { get; }

    public static async Task<SqliteStagingStore> BeginAsync(EdmDatabase database, TimeProvider time, UserId user, string fileName, CancellationToken cancellation)
    {
        FileStream? claim = null;
        try
        {
            var import = await database.WriteAsync(
                async connection =>
                {
                    var id = await ImportStore.InsertAsync(connection, user, fileName, time, cancellation);
                    // Before others can see the row, or they would take the import for a dead one.
                    claim = TryClaim(database, id) ?? throw new InvalidOperationException($"Somebody claims the new import {id}.");
                    return id;
                },
                cancellation);
            // Nothing that can fail may follow: from here on it is the caller who marks the import as failed.
            return new SqliteStagingStore(database, time, import, claim!);
        }
        catch
        {
            claim?.Dispose();
            throw;
        }
    }

    /// <summary>Null while the import's process lives.</summary>
    public static FileStream? TryClaim(EdmDatabase database, ImportId import)
    {
        try
        {
            SqliteFiles.MakeFolder(FolderOf(database));
            return new FileStream(FileOf(database, import, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException)
        {
            // Locked by another handle; a folder that can't be written raises another exception.
            return null;
        }
    }

    /// <summary>Removes what a dead process left; the caller holds the claim.</summary>
    public static void RemoveLeftovers(EdmDatabase database, ImportId import) => File.Delete(FileOf(database, import, "db"));

    /// <summary>The imports that have left a staging file.</summary>
    public static IReadOnlyList<ImportId> Leftovers(EdmDatabase database)
    {
        var folder = FolderOf(database);
        return !Directory.Exists(folder) ? [] :
        [
            .. Directory.EnumerateFiles(folder, "import-*.db")
                .Select(f => Path.GetFileNameWithoutExtension(f)["import-".Length..])
                .Where(id => long.TryParse(id, CultureInfo.InvariantCulture, out _))
                .Select(id => new ImportId(long.Parse(id, CultureInfo.InvariantCulture))),
        ];
    }

    public async Task WriteAsync(IReadOnlyList<StagedContact> rows, IReadOnlyList<RowProblem> problems, long firstProblem, CancellationToken cancellation) =>
        await _database.OnOwnThreadAsync(() => Task.FromResult(Write(rows, problems, firstProblem)), cancellation);

    public async Task<MergeCounts> MergeAsync(UserId user, Func<MergeCounts, Task> merged, CancellationToken cancellation)
    {
        // The staging file is locked by its connection while that is open.
        await _database.OnOwnThreadAsync(() => Task.FromResult(Close()), cancellation);
        await using var connection = _database.OpenUnpooled();
        var last = await _database.OnOwnThreadAsync(
            async () =>
            {
                await connection.ExecuteAsync($"PRAGMA cache_size = -{MergeCacheKiB}", cancellation);
                await connection.ExecuteAsync("ATTACH DATABASE @file AS stage", cancellation, new DataParameter("file", _file));
                return await connection.ExecuteAsync<long?>("SELECT max(nr) FROM stage.staged", cancellation) ?? 0;
            },
            cancellation);
        await _database.WriteOnAsync(
            connection,
            c => c.ExecuteAsync(
                "INSERT INTO import_errors (import_id, nr, line, field, value, reason) SELECT @import, nr, line, field, value, reason FROM stage.problems",
                cancellation,
                new DataParameter("import", Import.Value)),
            cancellation);
        var total = default(MergeCounts);
        for (long after = 0; after < last; after += ChunkRows)
        {
            var from = after;
            total += await _database.WriteOnAsync(connection, c => ChunkAsync(c, user, from, cancellation), cancellation);
            await merged(total);
        }

        return total;
    }

    public async ValueTask DisposeAsync()
    {
        await _database.OnOwnThreadAsync(() => Task.FromResult(Close()), CancellationToken.None);
        RemoveLeftovers(_database, Import);
        await _claim.DisposeAsync();
    }

    private static string FolderOf(EdmDatabase database) => Path.Combine(database.Settings.DataFolder, "staging");

    private static string FileOf(EdmDatabase database, ImportId import, string extension) => Path.Combine(FolderOf(database), $"import-{import}.{extension}");

    private static string Newest(string table) => string.Join(", ", Staging.Fields.Select(f => $"{f} = coalesce(excluded.{f}, {table}.{f})"));

    private static string Merged(string table) => $"""
        CASE WHEN (SELECT count(*) FROM json_each(json_patch({table}.attributes, excluded.attributes))) > {Staging.MaxMergedAttributes}
        THEN excluded.attributes ELSE json_patch({table}.attributes, excluded.attributes) END
        """;

    private void Create()
    {
        RemoveLeftovers(_database, Import);
        _stage = new SqliteConnection(EdmDatabase.SqliteConnectionString(_file, pooling: false));
        _stage.Open();
        // Nothing here outlives the process, so nothing is written twice or waited for. The cache is bounded: 16 MiB.
        Execute(_stage, """
            PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384;
            CREATE TABLE staged (nr integer PRIMARY KEY, email text NOT NULL, email_key text NOT NULL UNIQUE, handle text, nickname text, followers integer,
              country text, language text, category text, bio text, attributes text NOT NULL);
            CREATE TABLE problems (nr integer PRIMARY KEY, line integer NOT NULL, field text NOT NULL, value text NOT NULL, reason text NOT NULL);
            """);
        _insert = Prepare(_stage, StageSql, "nr", "email", "email_key", "handle", "nickname", "followers", "country", "language", "category", "bio", "attributes");
        _problem = Prepare(_stage, "INSERT INTO problems VALUES (@nr, @line, @field, @value, @reason)", "nr", "line", "field", "value", "reason");
    }

    private bool Write(IReadOnlyList<StagedContact> rows, IReadOnlyList<RowProblem> problems, long firstProblem)
    {
        if (_stage is null)
        {
            Create();
        }

        using var transaction = _stage!.BeginTransaction();
        _insert!.Transaction = transaction;
        _problem!.Transaction = transaction;
        foreach (var row in rows)
        {
            Run(_insert, row.Nr, row.Email, row.EmailKey, row.Handle, row.Nickname, row.Followers, row.Country, row.Language, row.Category, row.Bio, row.Attributes);
        }

        for (var i = 0; i < problems.Count; i++)
        {
            var problem = problems[i];
            Run(_problem, firstProblem + i, problem.Line, problem.Field, problem.Value, problem.Reason);
        }

        transaction.Commit();
        return true;
    }

    private async Task<MergeCounts> ChunkAsync(EdmConnection connection, UserId user, long after, CancellationToken cancellation)
    {
        var book = await ContactBook.OpenAsync(connection, user, cancellation);
        DataParameter[] parameters =
        [
            new("user", user.Value), new("after", after), new("upto", after + ChunkRows), new("now", _time.GetUtcNow().ToUnixTimeMilliseconds()), new("next", book.Next),
        ];
        var rows = await connection.ExecuteAsync<long>("SELECT count(*) FROM stage.staged s WHERE s.nr > @after AND s.nr <= @upto", cancellation, parameters);
        var created = await connection.ExecuteAsync(InsertSql, cancellation, parameters);
        book.Take(created);
        var updated = await connection.QueryToListAsync<int>(UpdateSql, cancellation, parameters);
        updated.ForEach(book.Touch);
        await book.CloseAsync(cancellation);
        return new MergeCounts(rows, created, updated.Count);
    }

    private bool Close()
    {
        _insert?.Dispose();
        _problem?.Dispose();
        _stage?.Dispose();
        (_insert, _problem, _stage) = (null, null, null);
        return true;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static SqliteCommand Prepare(SqliteConnection connection, string sql, params string[] names)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var name in names)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = $"@{name}" });
        }

        command.Prepare();
        return command;
    }

    private static void Run(SqliteCommand command, params ReadOnlySpan<object?> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        }

        command.ExecuteNonQuery();
    }
}
