using System.Globalization;
using System.Reflection;
using LinqToDB.Data;
using Microsoft.Extensions.Logging;

namespace Edm.Engine.Storage;

/// <summary>
/// Brings the database to the version of this program, forward only, one script a transaction, under a lock: nodes that start together take turns.
/// A script is <c>Migrations/NNNN.sqlite.sql</c> or <c>NNNN.postgres.sql</c>; both dialects have the same numbers.
/// </summary>
public sealed partial class Migrator(EdmDatabase database, TimeProvider time, ILogger<Migrator> logger)
{
    /// <summary>The key of our advisory lock on PostgreSQL: "EDM" and a nought, so that it can be told in pg_locks.</summary>
    private const long LockKey = 0x45444D00;

    private const int OldestPostgres = 150000;

    private readonly IReadOnlyList<MigrationScript> _scripts = MigrationScript.All(database.IsPostgres);

    /// <summary>The version this program needs.</summary>
    public int ProgramVersion => _scripts[^1].Version;

    internal Migrator(EdmDatabase database, TimeProvider time, ILogger<Migrator> logger, IReadOnlyList<MigrationScript> scripts)
        : this(database, time, logger) => _scripts = scripts;

    /// <returns>How many scripts were run.</returns>
    /// <exception cref="StorageException">The database is newer than this program, not usable, or a script failed; then nothing of that script remains.</exception>
    public async Task<int> MigrateAsync(CancellationToken cancellation = default)
    {
        if (database.IsPostgres)
        {
            // Its own: the lock belongs to the session, and would outlive a call that is broken off while it waits for it.
            await using var connection = database.OpenUnpooled();
            return await OnPostgresAsync(connection, cancellation);
        }

        await database.OnOwnThreadAsync(() => Task.FromResult(SqliteFiles.Prepare(database)), cancellation);
        return await database.RunAsync(connection => RunScriptsAsync(connection, cancellation), cancellation);
    }

    private async Task<int> OnPostgresAsync(EdmConnection connection, CancellationToken cancellation)
    {
        await RefuseUnfitServerAsync(connection, cancellation);
        await connection.ExecuteAsync($"SELECT pg_advisory_lock({LockKey})", cancellation);
        try
        {
            return await RunScriptsAsync(connection, cancellation);
        }
        finally
        {
            // The server notices the end of a session a moment late, and another node may wait for it.
            await connection.ExecuteAsync($"SELECT pg_advisory_unlock({LockKey})", CancellationToken.None);
        }
    }

    private static async Task RefuseUnfitServerAsync(EdmConnection connection, CancellationToken cancellation)
    {
        var version = int.Parse(await connection.ExecuteAsync<string>("SHOW server_version_num", cancellation), CultureInfo.InvariantCulture);
        if (version < OldestPostgres)
        {
            throw new StorageException($"The PostgreSQL server has version {version / 10000}; EDM needs {OldestPostgres / 10000} or newer.");
        }

        var encoding = await connection.ExecuteAsync<string>("SHOW server_encoding", cancellation);
        if (encoding != "UTF8")
        {
            throw new StorageException($"The PostgreSQL database has the encoding {encoding}; EDM needs UTF8. Create it with: CREATE DATABASE edm ENCODING 'UTF8' TEMPLATE template0.");
        }
    }

    private async Task<int> RunScriptsAsync(EdmConnection connection, CancellationToken cancellation)
    {
        await connection.ExecuteAsync("CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL PRIMARY KEY, applied_at bigint NOT NULL)", cancellation);
        var done = 0;
        foreach (var script in _scripts)
        {
            // BEGIN IMMEDIATE is the lock on SQLite; so the version is read inside of the transaction.
            await using var transaction = await connection.BeginWriteAsync(cancellation);
            var version = await connection.ExecuteAsync<int>("SELECT coalesce(max(version), 0) FROM schema_version", cancellation);
            RefuseNewer(version);
            if (script.Version <= version)
            {
                continue;
            }

            await RunAsync(connection, script, cancellation);
            await transaction.CommitAsync(cancellation);
            LogMigrated(script.Version);
            done++;
        }

        return done;
    }

    private async Task RunAsync(EdmConnection connection, MigrationScript script, CancellationToken cancellation)
    {
        try
        {
            await connection.ExecuteAsync(script.Sql, cancellation);
            await connection.ExecuteAsync(
                "INSERT INTO schema_version (version, applied_at) VALUES (@version, @now)",
                cancellation,
                new DataParameter("version", script.Version),
                new DataParameter("now", time.GetUtcNow().ToUnixTimeMilliseconds()));
        }
        catch (Exception exception) when (exception is not OperationCanceledException && !StorageFaults.IsTransient(exception))
        {
            throw new StorageException($"Migration {script.Version:0000} failed and was undone: {exception.Message}", exception);
        }
    }

    private void RefuseNewer(int version)
    {
        if (version > ProgramVersion)
        {
            throw new StorageException(
                $"The database has schema version {version}, this program ({typeof(Migrator).Assembly.GetName().Version?.ToString(3)}) knows only up to {ProgramVersion}. " +
                "Start the newer program again, or restore a backup from before the upgrade; a database is never taken back.");
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The database is now at schema version {Version}")]
    private partial void LogMigrated(int version);
}

/// <summary>One embedded migration.</summary>
internal sealed record MigrationScript(int Version, string Sql)
{
    public static IReadOnlyList<MigrationScript> All(bool postgres)
    {
        var assembly = typeof(MigrationScript).Assembly;
        var end = postgres ? ".postgres.sql" : ".sqlite.sql";
        return [.. assembly.GetManifestResourceNames()
            .Where(name => name.Contains(".Migrations.", StringComparison.Ordinal) && name.EndsWith(end, StringComparison.Ordinal))
            .Select(name => new MigrationScript(VersionOf(name[..^end.Length]), Read(assembly, name)))
            .OrderBy(script => script.Version)];
    }

    private static int VersionOf(string name) => int.Parse(name.AsSpan(name.LastIndexOf('.') + 1), CultureInfo.InvariantCulture);

    private static string Read(Assembly assembly, string name)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
