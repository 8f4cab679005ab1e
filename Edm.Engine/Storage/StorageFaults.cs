using System.Net.Sockets;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Edm.Engine.Storage;

/// <summary>Tells a database that is away for a while from a statement that is wrong.</summary>
public static class StorageFaults
{
    /// <summary>True when the same call can work later without anybody changing anything: the caller waits and tries again, and loses nothing.</summary>
    public static bool IsTransient(Exception exception) => exception switch
    {
        PostgresException postgres => postgres.IsTransient || IsServerGone(postgres.SqlState),
        // Refused, reset or timed-out connections, and a connection pool with no free place.
        NpgsqlException npgsql => npgsql.IsTransient || HasTransientInner(npgsql),
        SqliteException sqlite => IsPassing(sqlite.SqliteErrorCode),
        SocketException => true,
        AggregateException { InnerExceptions: { Count: > 0 } all } => all.All(IsTransient),
        _ => HasTransientInner(exception),
    };

    /// <summary>True when a row with the same unique key is there already.</summary>
    public static bool IsDuplicate(Exception exception) => exception switch
    {
        PostgresException postgres => postgres.SqlState == PostgresErrorCodes.UniqueViolation,
        // SQLITE_CONSTRAINT_UNIQUE and SQLITE_CONSTRAINT_PRIMARYKEY.
        SqliteException sqlite => sqlite.SqliteExtendedErrorCode is 2067 or 1555,
        _ => false,
    };

    private static bool HasTransientInner(Exception exception) => exception.InnerException is { } inner && IsTransient(inner);

    /// <summary>SQLSTATEs of a server that stops, starts, or has become a standby.</summary>
    private static bool IsServerGone(string state) => state is
        PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow or
        PostgresErrorCodes.IdleSessionTimeout or PostgresErrorCodes.ReadOnlySqlTransaction;

    /// <summary>SQLITE_BUSY, LOCKED, IOERR, FULL and PROTOCOL: another writer, or a disk that is full or away.</summary>
    private static bool IsPassing(int code) => code is 5 or 6 or 10 or 13 or 15;
}
