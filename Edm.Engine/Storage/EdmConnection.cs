using System.Data;
using LinqToDB;
using LinqToDB.Data;

namespace Edm.Engine.Storage;

/// <summary>
/// One connection to the database; not thread-safe, short-lived. A room brings its own row classes and reads them by
/// <c>connection.GetTable&lt;TRow&gt;()</c>; columns are the snake_case of the properties (<see cref="EdmMapping"/>).
/// </summary>
public sealed class EdmConnection(DataOptions options, bool isPostgres) : DataConnection(options)
{
    public bool IsPostgres { get; } = isPostgres;

    /// <summary>
    /// Starts a transaction that will write. On SQLite this is BEGIN IMMEDIATE: a transaction that begins with a read and writes later fails at
    /// once with SQLITE_BUSY, whatever the timeout, when another one has written in between.
    /// </summary>
    public Task<DataConnectionTransaction> BeginWriteAsync(CancellationToken cancellation = default) =>
        BeginTransactionAsync(IsPostgres ? IsolationLevel.ReadCommitted : IsolationLevel.Serializable, cancellation);

    /// <summary>Starts a transaction in which all reads see the same moment. On SQLite it holds up nobody.</summary>
    public Task<DataConnectionTransaction> BeginReadAsync(CancellationToken cancellation = default) =>
        // Microsoft.Data.Sqlite says BEGIN (deferred) for ReadUncommitted alone; in WAL mode that is still a snapshot.
        BeginTransactionAsync(IsPostgres ? IsolationLevel.RepeatableRead : IsolationLevel.ReadUncommitted, cancellation);
}
