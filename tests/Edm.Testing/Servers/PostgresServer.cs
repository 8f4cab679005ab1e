using System.Globalization;
using Edm.Testing.Processes;
using Npgsql;

namespace Edm.Testing.Servers;

/// <summary>
/// A PostgreSQL cluster of our own, on a free port of 127.0.0.1 with everything in a temp folder, that a test may stop, start and kill.
/// Without PostgreSQL on the machine it fails and says what to install: a test that needs it is never skipped.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string User = "postgres";
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly TempFolder folder;
    private readonly string binaries;
    private readonly bool fsync;
    private ChildProcess? process;
    private int databases;

    private PostgresServer(TempFolder folder, string binaries, bool fsync)
    {
        this.folder = folder;
        this.binaries = binaries;
        this.fsync = fsync;
        Port = FreePort.Next();
    }

    public int Port { get; }

    public bool IsRunning => process is { HasExited: false };

    private string DataFolder => folder.Combine("data");

    /// <param name="fsync">On, as in production, unless a test has no interest in durability at all.</param>
    public static async Task<PostgresServer> CreateAsync(bool fsync = true)
    {
        var server = new PostgresServer(new TempFolder(), PostgresBinaries.Find(), fsync);
        try
        {
            if (Posix.IsRoot)
            {
                Posix.GiveTo(User, server.folder.Path);
            }

            var (file, arguments) = server.AsPostgres("initdb", "-D", server.DataFolder, "-U", User, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions");
            await ChildProcess.RunAsync(file, arguments, server.folder.Path);
            await server.StartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Creates an empty database and answers its connection string. It goes with the cluster.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"edm_{Interlocked.Increment(ref databases)}");
        await using var connection = new NpgsqlConnection(ConnectionString("postgres", pooling: false));
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        await create.ExecuteNonQueryAsync();
        return ConnectionString(name, pooling: true);
    }

    /// <summary>Starts it (again), on the same port, and returns when it takes connections.</summary>
    public async Task StartAsync()
    {
        if (IsRunning)
        {
            return;
        }

        var (file, arguments) = AsPostgres(
            "postgres",
            "-D", DataFolder,
            "-c", "listen_addresses=127.0.0.1",
            "-c", string.Create(CultureInfo.InvariantCulture, $"port={Port}"),
            "-c", $"unix_socket_directories={folder.Path}",
            "-c", "max_connections=300",
            "-c", $"fsync={(fsync ? "on" : "off")}");
        process = ChildProcess.Start(file, arguments, folder: folder.Path);
        try
        {
            await Eventually.Async(AcceptsAsync, StartTimeout, "PostgreSQL takes connections");
        }
        catch (TimeoutException e)
        {
            throw new InvalidOperationException($"PostgreSQL did not start: {e.Message}\n{process.Output}", e);
        }
    }

    /// <summary>Shuts down in order, ending open connections (fast mode).</summary>
    public Task StopAsync() => EndAsync(Posix.SigInt);

    /// <summary>Ends as in a crash: every connection is cut, nothing is written back, and the next start recovers from the log (immediate mode).</summary>
    public Task KillAsync() => EndAsync(Posix.SigQuit);

    public async ValueTask DisposeAsync()
    {
        if (IsRunning)
        {
            await KillAsync();
        }

        folder.Dispose();
    }

    private async Task EndAsync(int signal)
    {
        if (process is not { } running)
        {
            return;
        }

        process = null;
        running.Signal(signal);
        await using (running)
        {
            await running.WaitForExitAsync(TimeSpan.FromSeconds(30));
        }
    }

    private async Task<bool> AcceptsAsync()
    {
        if (!IsRunning)
        {
            // Waiting on would only hide the reason, which is in the output.
            throw new InvalidOperationException($"postgres ended:\n{process?.Output}");
        }

        await using var connection = new NpgsqlConnection(ConnectionString("postgres", pooling: false));
        await connection.OpenAsync();
        return true;
    }

    private string ConnectionString(string database, bool pooling) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = Port,
        Username = User,
        Database = database,
        Pooling = pooling,
    }.ConnectionString;

    // PostgreSQL refuses to run as root. setpriv replaces itself by the command, so the pid we know is the server's own.
    private (string File, string[] Arguments) AsPostgres(string program, params string[] arguments)
    {
        var path = Path.Combine(binaries, program);
        return Posix.IsRoot
            ? ("setpriv", [$"--reuid={User}", $"--regid={User}", "--init-groups", "--", path, .. arguments])
            : (path, arguments);
    }
}
