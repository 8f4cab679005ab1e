using System.Collections.Concurrent;
using Edm.Contracts;
using Edm.Engine.Storage;
using Microsoft.Extensions.Logging;

namespace Edm.Engine.Imports;

/// <summary>The user has as many imports under way as one user may; nothing of this one was read.</summary>
public sealed class TooManyImportsException(int limit) : Exception($"{limit} imports of yours are still running. Wait until one has ended.");

/// <summary>
/// Reads a file into contacts at constant memory: as much is read as is stored, so a slow database slows the upload. The file is staged first and
/// touches no contact before it has been read to its end; then it is merged in chunks, each of which commits. A merge that is cut off is completed by the
/// same file sent again.
/// </summary>
public sealed partial class Importer(EdmDatabase database, ImportStore store, TimeProvider time, ILogger<Importer> logger) : IDisposable
{
    /// <summary>Each holds a connection and some megabytes.</summary>
    public const int MaxRunning = 8;

    /// <summary>So that one user's slow uploads don't take all the places.</summary>
    public const int MaxRunningPerUser = 2;

    private readonly SemaphoreSlim _places = new(MaxRunning, MaxRunning);
    private readonly ConcurrentDictionary<UserId, int> _running = new();

    /// <param name="file">Read to its end, not disposed. Only its asynchronous side is used.</param>
    /// <param name="fileName">For the list of imports, and for the format when nothing else tells.</param>
    /// <exception cref="ImportFormatException">The file can't be read; no contact was touched, and the import is kept as failed.</exception>
    /// <exception cref="TooManyImportsException"/>
    public async Task<ImportSummary> RunAsync(
        UserId user, Stream file, string fileName, ImportOptions options, IProgress<ImportProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(options);
        if (_running.AddOrUpdate(user, 1, static (_, running) => running + 1) > MaxRunningPerUser)
        {
            Leave(user);
            throw new TooManyImportsException(MaxRunningPerUser);
        }

        try
        {
            await _places.WaitAsync(cancellation);
            try
            {
                return await StagedAsync(user, file, fileName, options, progress, cancellation);
            }
            finally
            {
                _places.Release();
            }
        }
        finally
        {
            Leave(user);
        }
    }

    public void Dispose() => _places.Dispose();

    private async Task<ImportSummary> StagedAsync(
        UserId user, Stream file, string fileName, ImportOptions options, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        await using IStagingStore staging = database.IsPostgres
            ? await PostgresStagingStore.BeginAsync(database, time, user, fileName, cancellation)
            : await SqliteStagingStore.BeginAsync(database, time, user, fileName, cancellation);
        try
        {
            var summary = await new ImportRun(staging, store, time, options, progress).RunAsync(user, file, fileName, cancellation);
            LogFinished(summary.Import.Value, user.Value, summary.Rows, summary.Created, summary.Updated, summary.Unchanged, summary.Rejected);
            return summary;
        }
        catch (Exception exception)
        {
            await FailAsync(staging.Import, exception);
            throw;
        }
    }

    private async Task FailAsync(ImportId import, Exception exception)
    {
        var error = exception switch
        {
            ImportFormatException format => format.Message,
            OperationCanceledException or IOException => ImportStore.Interrupted,
            _ when StorageFaults.IsTransient(exception) => $"The database went away. {ImportStore.Interrupted}",
            _ => $"An error of the program ended the import; its log knows more. {ImportStore.Interrupted}",
        };
        try
        {
            await store.FailAsync(import, error, CancellationToken.None);
            LogFailed(exception is ImportFormatException ? null : exception, import.Value);
        }
        catch (Exception unwritten) when (StorageFaults.IsTransient(unwritten))
        {
            // The claim goes with us; the next start marks the import as interrupted.
            LogUnmarked(unwritten, import.Value);
        }
    }

    private void Leave(UserId user)
    {
        // Nobody's entry stays behind.
        while (_running.TryGetValue(user, out var running)
            && !(running == 1 ? _running.TryRemove(new KeyValuePair<UserId, int>(user, 1)) : _running.TryUpdate(user, running - 1, running)))
        {
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Import {Import} of user {User} finished: {Rows} rows, {Created} created, {Updated} updated, {Unchanged} unchanged, {Rejected} rejected")]
    private partial void LogFinished(long import, long user, long rows, long created, long updated, long unchanged, long rejected);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Import {Import} failed")]
    private partial void LogFailed(Exception? exception, long import);

    [LoggerMessage(Level = LogLevel.Error, Message = "Import {Import} failed and could not be marked so")]
    private partial void LogUnmarked(Exception exception, long import);
}
