using System.Data.Common;
using LinqToDB;
using LinqToDB.Data;
using LinqToDB.DataProvider.PostgreSQL;
using LinqToDB.DataProvider.SQLite;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Edm.Engine.Storage;

/// <summary>
/// The one database of the process. A store asks for a connection by <see cref="RunAsync{T}"/> (reads, and writes of one statement) or
/// <see cref="WriteAsync{T}"/> (a transaction), and lets go of it when its work is done; it never keeps one.
/// </summary>
public sealed class EdmDatabase : IDisposable
{
    /// <summary>A node needs a few connections for batches, the API and projections; two nodes, both pools and eight imports each, which have a connection to themselves, stay below PostgreSQL's default of 100.</summary>
    private const int PostgresConnections = 20;

    private const int JournalConnections = 16;

    /// <summary>Prepared by themselves at their fifth use: Akka's plugin has a few statements for each table, and one for each number of events that are written together.</summary>
    private const int JournalStatements = 40;

    private const int NpgsqlDefaultPoolSize = 100;

    /// <summary>SQLite has one writer; the others read beside it. More threads than this only share the same two or four cores.</summary>
    private const int SqliteThreads = 4;

    private const int CompactTimeoutSeconds = 3600;

    private static readonly TimeSpan SqliteBusyTimeout = TimeSpan.FromSeconds(30);

    private readonly DataOptions _options;
    private readonly DataOptions _unpooled;
    private readonly DataOptions? _sqliteJournal;
    private readonly NpgsqlDataSource? _postgres;
    private readonly BlockingThreads? _sqliteThreads;
    private readonly string? _sqliteConnectionString;

    // True inside of a call. A call inside of another one would hold one connection or thread while it waits for the next: a few at once wait for ever.
    private static readonly AsyncLocal<bool> InCall = new();

    // SQLite's writers wait here in the order they came, and without a thread; its own busy handler polls and is unfair.
    private readonly SemaphoreSlim _sqliteWriter = new(1, 1);

    public EdmDatabase(StorageSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        Settings = settings;
        if (settings.IsPostgres)
        {
            var connection = PostgresConnection(settings.PostgresConnectionString!);
            _postgres = NpgsqlDataSource.Create(connection);
            _options = new DataOptions()
                .UsePostgreSQL(PostgreSQLVersion.v15)
                .UseConnectionFactory(_ => _postgres.CreateConnection());
            var unpooled = new NpgsqlConnectionStringBuilder(connection) { Pooling = false }.ConnectionString;
            _unpooled = new DataOptions()
                .UsePostgreSQL(PostgreSQLVersion.v15)
                .UseConnectionFactory(_ => new NpgsqlConnection(unpooled));
            JournalProviderName = "PostgreSQL.15";
            JournalConnectionString = new NpgsqlConnectionStringBuilder(connection) { MaxPoolSize = JournalConnections, MaxAutoPrepare = JournalStatements }.ConnectionString;
        }
        else
        {
            _sqliteThreads = new BlockingThreads("edm-sqlite", SqliteThreads);
            _sqliteConnectionString = SqliteConnectionString(DatabaseFile);
            _options = Sqlite(_sqliteConnectionString);
            _unpooled = Sqlite(SqliteConnectionString(DatabaseFile, pooling: false));
            JournalProviderName = "SQLite.MS";
            JournalConnectionString = SqliteConnectionString(JournalFile);
            _sqliteJournal = Sqlite(JournalConnectionString).UseMappingSchema(EdmMapping.Schema);
        }

        _options = _options.UseMappingSchema(EdmMapping.Schema);
        _unpooled = _unpooled.UseMappingSchema(EdmMapping.Schema);
    }

    public StorageSettings Settings { get; }

    public bool IsPostgres => _postgres is not null;

    /// <summary>SQLite only: our tables.</summary>
    public string DatabaseFile => Path.Combine(Settings.DataFolder, "edm.db");

    /// <summary>SQLite only: Akka's journal and snapshots. A file of its own, so that an import's transaction never holds up a journal commit.</summary>
    public string JournalFile => Path.Combine(Settings.DataFolder, "journal.db");

    /// <summary>For <c>akka.persistence.*.sql.connection-string</c>.</summary>
    public string JournalConnectionString { get; }

    /// <summary>For <c>akka.persistence.*.sql.provider-name</c>.</summary>
    public string JournalProviderName { get; }

    /// <summary>A connection for the caller to dispose; it is opened at its first use. On SQLite every call on it blocks, also the asynchronous ones.</summary>
    public EdmConnection Open() => new(_options, IsPostgres);

    /// <summary>
    /// Runs reads, or a write of one statement, on a connection of their own. On SQLite this happens on threads of the database, so that the caller's
    /// dispatcher is never blocked; <paramref name="work"/> must not wait there for anything slow but the database.
    /// </summary>
    /// <exception cref="InvalidOperationException">Called inside of another call: use the connection that is there.</exception>
    public Task<T> RunAsync<T>(Func<EdmConnection, Task<T>> work, CancellationToken cancellation = default) => RunAsync(_options, work, cancellation);

    /// <summary>As <see cref="RunAsync{T}"/>, where Akka's journal and snapshots are: on SQLite a file of their own, whose writers wait for each other in SQLite.</summary>
    internal Task<T> RunOnJournalAsync<T>(Func<EdmConnection, Task<T>> work, CancellationToken cancellation) => RunAsync(_sqliteJournal ?? _options, work, cancellation);

    /// <inheritdoc cref="RunAsync{T}"/>
    public Task RunAsync(Func<EdmConnection, Task> work, CancellationToken cancellation = default) =>
        RunAsync(connection => Nothing(work, connection), cancellation);

    /// <summary>
    /// Runs <paramref name="work"/> in one write transaction: committed when it returns, rolled back when it throws. On SQLite the writers of this
    /// process take turns in the order they came, so keep a transaction short (well under a second).
    /// </summary>
    public Task<T> WriteAsync<T>(Func<EdmConnection, Task<T>> work, CancellationToken cancellation = default)
    {
        // Before it waits for its turn, which the call outside may hold.
        RefuseNested();
        return InTurnAsync(() => RunAsync(connection => TransactionAsync(connection, work, cancellation), cancellation), cancellation);
    }

    /// <inheritdoc cref="WriteAsync{T}"/>
    public Task WriteAsync(Func<EdmConnection, Task> work, CancellationToken cancellation = default) =>
        WriteAsync(connection => Nothing(work, connection), cancellation);

    /// <summary>As <see cref="WriteAsync{T}"/>, on a connection that the caller keeps.</summary>
    internal Task<T> WriteOnAsync<T>(EdmConnection connection, Func<EdmConnection, Task<T>> work, CancellationToken cancellation) =>
        InTurnAsync(() => OnOwnThreadAsync(() => TransactionAsync(connection, work, cancellation), cancellation), cancellation);

    /// <summary>
    /// SQLite only: writes the file anew and empties its log, so that neither holds anything that was deleted. Readers go on meanwhile, writers wait: about a second for
    /// 100 MB, and as much room on the disk again.
    /// </summary>
    /// <returns>False when a reader kept the log from being emptied: try again later.</returns>
    internal async Task<bool> CompactAsync(CancellationToken cancellation)
    {
        await using var connection = OpenUnpooled();
        connection.CommandTimeout = CompactTimeoutSeconds;
        return await InTurnAsync(
            () => OnOwnThreadAsync(
                async () =>
                {
                    await connection.ExecuteAsync("VACUUM", cancellation);
                    return await connection.ExecuteAsync<long>("PRAGMA wal_checkpoint(TRUNCATE)", cancellation) == 0;
                },
                cancellation),
            cancellation);
    }

    /// <summary>
    /// A connection that ends with its owner: for one that leaves something in its session (locks, settings, temporary tables, an attached file), which must not be found there
    /// by the next one out of the pool.
    /// </summary>
    internal EdmConnection OpenUnpooled() => new(_unpooled, IsPostgres);

    /// <summary>A bare PostgreSQL connection out of the pool, for COPY.</summary>
    internal ValueTask<NpgsqlConnection> OpenPostgresAsync(CancellationToken cancellation) =>
        (_postgres ?? throw new InvalidOperationException("This database is SQLite.")).OpenConnectionAsync(cancellation);

    /// <summary>Runs a call that blocks on the database's own threads; on PostgreSQL, where nothing blocks, right here.</summary>
    internal Task<T> OnOwnThreadAsync<T>(Func<Task<T>> call, CancellationToken cancellation) =>
        _sqliteThreads is null ? call() : _sqliteThreads.RunAsync(call, cancellation);

    public void Dispose()
    {
        _postgres?.Dispose();
        _sqliteThreads?.Dispose();
        _sqliteWriter.Dispose();
        if (_sqliteConnectionString is not null)
        {
            // Pooled connections keep the files open.
            using var ours = new SqliteConnection(_sqliteConnectionString);
            SqliteConnection.ClearPool(ours);
            using var journal = new SqliteConnection(JournalConnectionString);
            SqliteConnection.ClearPool(journal);
        }
    }

    internal static string SqliteConnectionString(string file, bool pooling = true) => new SqliteConnectionStringBuilder
    {
        DataSource = file,
        Mode = SqliteOpenMode.ReadWriteCreate,
        ForeignKeys = true,
        DefaultTimeout = (int)SqliteBusyTimeout.TotalSeconds,
        Pooling = pooling,
    }.ConnectionString;

    /// <summary>
    /// Settings of a SQLite connection that the file doesn't keep: full durability in WAL mode too, patience with another process's lock, and zeros over what is deleted
    /// (people can be erased; pages that are split may still keep a copy, which <see cref="CompactAsync"/> takes away).
    /// </summary>
    internal static void Harden(DbConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA busy_timeout = {(int)SqliteBusyTimeout.TotalMilliseconds};";
        command.ExecuteNonQuery();
    }

    private static DataOptions Sqlite(string connectionString) => new DataOptions()
        .UseSQLite(connectionString, SQLiteProvider.Microsoft)
        .UseAfterConnectionOpened(Harden, (connection, _) =>
        {
            Harden(connection);
            return Task.CompletedTask;
        });

    private static void RefuseNested()
    {
        if (InCall.Value)
        {
            throw new InvalidOperationException("A database call inside of another one. Use the connection that is there, or end that call first.");
        }
    }

    private Task<T> RunAsync<T>(DataOptions options, Func<EdmConnection, Task<T>> work, CancellationToken cancellation)
    {
        RefuseNested();
        return _sqliteThreads is null ? Call() : _sqliteThreads.RunAsync(Call, cancellation);

        async Task<T> Call()
        {
            InCall.Value = true;
            await using var connection = new EdmConnection(options, IsPostgres);
            return await work(connection);
        }
    }

    private async Task<T> InTurnAsync<T>(Func<Task<T>> write, CancellationToken cancellation)
    {
        if (IsPostgres)
        {
            return await write();
        }

        await _sqliteWriter.WaitAsync(cancellation);
        try
        {
            return await write();
        }
        finally
        {
            _sqliteWriter.Release();
        }
    }

    private static async Task<T> TransactionAsync<T>(EdmConnection connection, Func<EdmConnection, Task<T>> work, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginWriteAsync(cancellation);
        var result = await work(connection);
        await transaction.CommitAsync(cancellation);
        return result;
    }

    private static string PostgresConnection(string text)
    {
        try
        {
            var connection = new NpgsqlConnectionStringBuilder(text);
            if (connection.MaxPoolSize == NpgsqlDefaultPoolSize)
            {
                connection.MaxPoolSize = PostgresConnections;
            }

            // Whoever leaves something in a session has a connection to himself (OpenUnpooled), and resetting one costs as much as a short question.
            connection.NoResetOnClose = true;
            connection.Multiplexing = false;
            connection.ApplicationName ??= "edm";
            return connection.ConnectionString;
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or KeyNotFoundException)
        {
            // Npgsql's own message may quote the text, and the text holds a password.
            throw new StorageException("The PostgreSQL connection string can't be read. Expected key=value pairs, such as Host=localhost;Username=edm;Password=...;Database=edm.");
        }
    }

    private static async Task<bool> Nothing(Func<EdmConnection, Task> work, EdmConnection connection)
    {
        await work(connection);
        return true;
    }
}
