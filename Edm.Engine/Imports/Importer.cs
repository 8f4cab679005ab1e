using System.Collections.Concurrent;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Imports.Chunks;
using Edm.Engine.Storage;
using Microsoft.Extensions.Logging;

namespace Edm.Engine.Imports;

/// <summary>The user has as many imports under way as one user may; nothing of this one was read.</summary>
public sealed class TooManyImportsException(int limit) : Exception($"{limit} imports of yours are still running. Wait until one has ended.");

/// <summary>An import under this key is under way; what it comes to can be asked for later.</summary>
public sealed class ImportRunningException(ImportId import) : Exception($"Import {import} with this Idempotency-Key is still running. Ask again when it has ended.");

/// <summary>An import whose file was read to its end, and is good.</summary>
/// <param name="Completion">Its result; the import does not depend on anybody waiting for it.</param>
public sealed record StartedImport(ImportId Import, Task<ImportSummary> Completion);

/// <summary>
/// Reads a file into contacts at constant memory. The file is read twice: first to its end, for what is wrong with it as a whole, while a copy of it is kept
/// in the staging folder; then into the contacts, in chunks that commit. An import that is cut off in the second part goes on where it stopped.
/// </summary>
public sealed partial class Importer(EdmDatabase database, ImportStore store, SuppressionStore suppressions, TimeProvider time, ILogger<Importer> logger) : IDisposable
{
    /// <summary>Each holds a connection and some megabytes.</summary>
    public const int MaxRunning = 8;

    /// <summary>So that one user's slow uploads don't take all the places.</summary>
    public const int MaxRunningPerUser = 4;

    private readonly SemaphoreSlim _places = new(MaxRunning, MaxRunning);
    private readonly ConcurrentDictionary<UserId, int> _running = new();
    private readonly ConcurrentDictionary<ImportId, Task> _merging = new();
    private readonly CancellationTokenSource _stopping = new();

    private StorageSettings Settings => database.Settings;

    /// <summary>As <see cref="StartAsync"/>, and waits for the result.</summary>
    public async Task<ImportSummary> RunAsync(
        UserId user, Stream file, string fileName, ImportOptions options, IProgress<ImportProgress>? progress = null, CancellationToken cancellation = default) =>
        await (await StartAsync(user, file, fileName, options, progress, cancellation)).Completion.WaitAsync(file.CanSeek ? CancellationToken.None : cancellation);

    /// <param name="file">
    /// Read to its end, not disposed; only its asynchronous side is used. One that can seek is read again and must stay open until the completion, which
    /// the cancellation then ends as interrupted; of any other a copy is kept, and the import goes on without it.
    /// </param>
    /// <param name="fileName">For the list of imports, and for the format when nothing else tells.</param>
    /// <exception cref="ImportFormatException">The file can't be read; no contact was touched, and the import is kept as failed.</exception>
    /// <exception cref="TooManyErrorsException">As before.</exception>
    /// <exception cref="TooManyImportsException"/>
    /// <exception cref="ImportRunningException"/>
    /// <exception cref="ConflictException">The key was used with another file, or otherwise.</exception>
    public async Task<StartedImport> StartAsync(
        UserId user, Stream file, string fileName, ImportOptions options, IProgress<ImportProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(options);
        var seat = await TakeSeatAsync(user, cancellation);
        try
        {
            var arrival = new ImportArrival(database, store, time, user, fileName, options, progress);
            var (import, session) = await arrival.ReceiveAsync(file, cancellation);
            if (session is not null)
            {
                return Launch(session, import, file.CanSeek ? file : null, progress, seat, file.CanSeek ? cancellation : CancellationToken.None);
            }

            seat.Dispose();
            return new StartedImport(import.Id, Task.FromResult(import.ToSummary()));
        }
        catch
        {
            seat.Dispose();
            throw;
        }
    }

    /// <summary>Goes on with an import whose file lies in the staging folder; does nothing when there is no place for it at the moment.</summary>
    internal void GoOn(IImportSession session, Import import, IDisposable seat) => _ = Launch(session, import, file: null, progress: null, seat, CancellationToken.None).Completion;

    /// <returns>Null when all are taken.</returns>
    internal IDisposable? TrySeat(UserId user)
    {
        if (!_places.Wait(0))
        {
            return null;
        }

        _running.AddOrUpdate(user, 1, static (_, running) => running + 1);
        return new Seat(this, user);
    }

    /// <summary>Ends what is under way, and waits for it; each is left so that it can go on.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_merging.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose()
    {
        // The places stay: an import that ends after this gives its own back.
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private async Task<IDisposable> TakeSeatAsync(UserId user, CancellationToken cancellation)
    {
        if (_running.AddOrUpdate(user, 1, static (_, running) => running + 1) > MaxRunningPerUser)
        {
            Leave(user);
            throw new TooManyImportsException(MaxRunningPerUser);
        }

        try
        {
            await _places.WaitAsync(cancellation);
            return new Seat(this, user);
        }
        catch
        {
            Leave(user);
            throw;
        }
    }

    private StartedImport Launch(IImportSession session, Import import, Stream? file, IProgress<ImportProgress>? progress, IDisposable seat, CancellationToken cancellation)
    {
        var completion = Task.Run(() => MergeAsync(session, import, file, progress, seat, cancellation), CancellationToken.None);
        _merging[import.Id] = completion;
        _ = completion.ContinueWith(
            ended =>
            {
                _merging.TryRemove(new KeyValuePair<ImportId, Task>(import.Id, completion));
                // Looked at: it was logged where it happened, and nobody need wait for it.
                _ = ended.Exception;
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return new StartedImport(import.Id, completion);
    }

    private async Task<ImportSummary> MergeAsync(IImportSession session, Import import, Stream? file, IProgress<ImportProgress>? progress, IDisposable seat, CancellationToken cancellation)
    {
        try
        {
            await using (session)
            {
                using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _stopping.Token);
                try
                {
                    return await MergeAsync(session, import, file, progress, ending.Token);
                }
                catch (Exception exception)
                {
                    await EndAsync(import, isSpooled: file is null, isCutOff: ending.IsCancellationRequested, exception);
                    throw;
                }
            }
        }
        finally
        {
            seat.Dispose();
        }
    }

    private async Task<ImportSummary> MergeAsync(IImportSession session, Import import, Stream? file, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        var (imported, tags) = await database.RunAsync(
            async connection => (await ImportedContacts.LoadAsync(connection, import.Id, cancellation), await TagRoom.CountAsync(connection, import.User, cancellation)), cancellation);
        await using var copy = file is null ? ImportSpool.Open(Settings, import.Id) : null;
        file?.Seek(0, SeekOrigin.Begin);
        var counts = await new ImportRun(session, import, imported, tags, suppressions, time, progress).RunAsync(copy ?? file!, cancellation);
        // Not to be broken off: everything is stored.
        await store.FinishAsync(import.Id, CancellationToken.None);
        ImportSpool.Delete(Settings, import.Id);
        var rows = import.TotalRows ?? throw new InvalidOperationException($"Import {import.Id} merges a file that was not read.");
        var summary = new ImportSummary(
            import.Id, Enum.Parse<ImportFormat>(import.Format, ignoreCase: true), rows, counts.Created, counts.Updated, counts.Unchanged, counts.Rejected, counts.Suppressed);
        LogFinished(import.Id.Value, import.User.Value, rows, counts.Created, counts.Updated, counts.Unchanged, counts.Rejected);
        progress?.Report(new ImportProgress(import.Id, ImportState.Finished, import.TotalBytes ?? 0, rows, counts.Rejected, rows));
        return summary;
    }

    private async Task EndAsync(Import import, bool isSpooled, bool isCutOff, Exception exception)
    {
        var (state, error) = exception switch
        {
            ImportFormatException or TooManyErrorsException => (ImportState.Failed, exception.Message),
            // For the tags that the whole import was to give there is no place. The chunks before are stored.
            ConflictException conflict => (ImportState.Failed, conflict.Message),
            // A database has many ways to say that a call was broken off.
            _ when isCutOff || exception is IOException => (ImportState.Interrupted, isSpooled ? ImportStore.GoesOn : ImportStore.Interrupted),
            _ when StorageFaults.IsTransient(exception) => (ImportState.Interrupted, $"The database went away. {(isSpooled ? ImportStore.GoesOn : ImportStore.Interrupted)}"),
            _ => (ImportState.Failed, $"An error of the program ended the import; its log knows more. {ImportStore.Interrupted}"),
        };
        try
        {
            await store.EndAsync(import.Id, state, error, CancellationToken.None);
            if (state == ImportState.Failed)
            {
                ImportSpool.Delete(Settings, import.Id);
            }

            LogEnded(exception is ImportFormatException or TooManyErrorsException or OperationCanceledException ? null : exception, import.Id.Value, state.Name());
        }
        catch (Exception unwritten) when (StorageFaults.IsTransient(unwritten))
        {
            // The claim goes with us; the next look marks the import as interrupted.
            LogUnmarked(unwritten, import.Id.Value);
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

    private sealed class Seat(Importer importer, UserId user) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                importer.Leave(user);
                importer._places.Release();
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Import {Import} of user {User} finished: {Rows} rows, {Created} created, {Updated} updated, {Unchanged} unchanged, {Rejected} rejected")]
    private partial void LogFinished(long import, long user, long rows, long created, long updated, long unchanged, long rejected);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Import {Import} ended as {State}")]
    private partial void LogEnded(Exception? exception, long import, string state);

    [LoggerMessage(Level = LogLevel.Error, Message = "Import {Import} ended and could not be marked so")]
    private partial void LogUnmarked(Exception exception, long import);
}
