using Edm.Contracts;
using Edm.Engine.Imports.Chunks;
using Edm.Engine.Storage;

namespace Edm.Engine.Imports;

/// <param name="Session">Null when there is nothing left to do: the import has its result.</param>
internal sealed record Arrived(Import Import, IImportSession? Session);

/// <summary>
/// The first part of an import: the file comes in, is checked, and lies safe. Under a key that was used before it is compared with the file that came then.
/// </summary>
internal sealed class ImportArrival(
    EdmDatabase database, ImportStore store, TimeProvider time, UserId user, string fileName, ImportOptions options, IProgress<ImportProgress>? progress)
{
    /// <summary>How often the imports row and the caller learn how far it is.</summary>
    private static readonly TimeSpan ReportEvery = TimeSpan.FromMilliseconds(500);

    private const int ClaimTries = 20;
    private static readonly TimeSpan ClaimPause = TimeSpan.FromMilliseconds(100);

    private long _lastReport = time.GetTimestamp();

    public async Task<Arrived> ReceiveAsync(Stream file, CancellationToken cancellation)
    {
        if (options.Key is { } key && await store.FindAsync(user, key, cancellation) is { } before)
        {
            return await AgainAsync(before, file, cancellation);
        }

        IImportSession session;
        try
        {
            session = await BeginAsync(cancellation);
        }
        catch (Exception exception) when (options.Key is not null && StorageFaults.IsDuplicate(exception))
        {
            // Somebody was first with the same key, a moment ago.
            throw new ImportRunningException((await store.FindAsync(user, options.Key, cancellation))?.Id ?? default);
        }

        return await HoldingAsync(session, () => FirstAsync(session, file, cancellation));
    }

    /// <summary>Whatever ends it before its file is read: the claim goes, or nobody could go on with the import while this process lives.</summary>
    private static async Task<Arrived> HoldingAsync(IImportSession session, Func<Task<Arrived>> work)
    {
        Arrived? arrived = null;
        try
        {
            return arrived = await work();
        }
        finally
        {
            if (arrived?.Session is null)
            {
                await session.DisposeAsync();
            }
        }
    }

    private Task<IImportSession> BeginAsync(CancellationToken cancellation)
    {
        return database.IsPostgres ? PostgresImportSession.BeginAsync(database, Insert, cancellation) : SqliteImportSession.BeginAsync(database, Insert, cancellation);

        Task<ImportId> Insert(EdmConnection connection) => ImportStore.InsertAsync(connection, user, fileName, options, time, cancellation);
    }

    /// <summary>A file that nothing is known of; whatever is wrong with it ends the import as failed.</summary>
    private async Task<Arrived> FirstAsync(IImportSession session, Stream file, CancellationToken cancellation)
    {
        try
        {
            var facts = await ReadAsync(session.Import, file, isNew: true, cancellation);
            await store.ReadAsync(session.Import, facts, cancellation);
            return new Arrived(await ReadBackAsync(session.Import, cancellation), session);
        }
        catch (Exception exception)
        {
            await FailAsync(session.Import, exception);
            throw;
        }
    }

    private async Task<Arrived> AgainAsync(Import before, Stream file, CancellationToken cancellation)
    {
        if (before.State == ImportState.Finished)
        {
            return await SameAsync(before, file, cancellation);
        }

        var session = await ClaimAsync(before, cancellation);
        return await HoldingAsync(session, () => AgainAsync(session, file, cancellation));
    }

    private async Task<Arrived> AgainAsync(IImportSession session, Stream file, CancellationToken cancellation)
    {
        // It may have ended while we came.
        var before = await ReadBackAsync(session.Import, cancellation);
        if (before.State == ImportState.Finished)
        {
            return await SameAsync(before, file, cancellation);
        }

        if (before.ContentHash is null)
        {
            // It came to nothing before its file was known: no contact was touched.
            await store.BeginAgainAsync(before.Id, fileName, options, cancellation);
            return await FirstAsync(session, file, cancellation);
        }

        try
        {
            await SameFileAsync(before, file, isNew: true, cancellation);
            return new Arrived(await store.ResumeAsync(before, cancellation) ?? throw new InvalidOperationException($"Import {before.Id} ended under our claim."), session);
        }
        catch
        {
            ImportSpool.Drop(database.Settings, before.Id);
            throw;
        }
    }

    /// <summary>Who was at it may just have let go, or the server may not have noticed yet that a connection was cut off.</summary>
    private async Task<IImportSession> ClaimAsync(Import import, CancellationToken cancellation)
    {
        var patience = import.State is ImportState.Interrupted or ImportState.Failed ? ClaimTries : 1;
        for (var nr = 1; ; nr++)
        {
            if (await ImportSessions.TryClaimAsync(database, import.Id, cancellation) is { } session)
            {
                return session;
            }

            if (nr >= patience)
            {
                throw new ImportRunningException(import.Id);
            }

            await Task.Delay(ClaimPause, time, cancellation);
        }
    }

    /// <summary>Asked again for what it came to.</summary>
    private async Task<Arrived> SameAsync(Import before, Stream file, CancellationToken cancellation)
    {
        await SameFileAsync(before, file, isNew: false, cancellation);
        return new Arrived(before, Session: null);
    }

    private async Task SameFileAsync(Import before, Stream file, bool isNew, CancellationToken cancellation)
    {
        if (!StoredOptions.Same(before.Options, options))
        {
            throw new ConflictException($"This key was used for import {before.Id}, which was asked for otherwise (policy, tags, mapping ...). Use another key.", "Idempotency-Key");
        }

        await using var copy = isNew && !file.CanSeek ? ImportSpool.Create(database.Settings, before.Id) : null;
        await using var incoming = new IncomingFile(file, copy);
        var hash = await incoming.CompleteAsync(cancellation);
        if (!hash.AsSpan().SequenceEqual(before.ContentHash))
        {
            throw new ConflictException($"This key was used for import {before.Id}, with another file. Use another key for this one.", "Idempotency-Key");
        }

        if (copy is not null)
        {
            await copy.DisposeAsync();
            ImportSpool.Keep(database.Settings, before.Id);
        }
    }

    private async Task<FileFacts> ReadAsync(ImportId import, Stream file, bool isNew, CancellationToken cancellation)
    {
        var check = new FileCheck(options, (format, so) => ReportAsync(import, format, so, cancellation));
        try
        {
            await using var copy = isNew && !file.CanSeek ? ImportSpool.Create(database.Settings, import) : null;
            await using var incoming = new IncomingFile(file, copy);
            var facts = await check.RunAsync(incoming, fileName, cancellation);
            if (copy is not null)
            {
                await copy.DisposeAsync();
                ImportSpool.Keep(database.Settings, import);
            }

            return facts;
        }
        catch (TooManyErrorsException)
        {
            await store.KeepErrorsAsync(import, check.Refused, cancellation);
            throw;
        }
    }

    private async Task ReportAsync(ImportId import, ImportFormat format, ImportProgressNumbers so, CancellationToken cancellation)
    {
        if (so.Rows > 0 && so.Rejected == 0 && time.GetElapsedTime(_lastReport) < ReportEvery)
        {
            return;
        }

        _lastReport = time.GetTimestamp();
        await store.ReadingAsync(import, format, so, cancellation);
        progress?.Report(new ImportProgress(import, ImportState.Reading, so.Bytes, so.Rows, so.Rejected, 0));
    }

    private async Task<Import> ReadBackAsync(ImportId import, CancellationToken cancellation) =>
        await store.GetAsync(import, cancellation) ?? throw new InvalidOperationException($"Import {import} vanished.");

    private async Task FailAsync(ImportId import, Exception exception)
    {
        ImportSpool.Delete(database.Settings, import);
        var error = exception switch
        {
            ImportFormatException or TooManyErrorsException => exception.Message,
            OperationCanceledException or IOException => ImportStore.Interrupted,
            _ when StorageFaults.IsTransient(exception) => $"The database went away. {ImportStore.Interrupted}",
            _ => $"An error of the program ended the import; its log knows more. {ImportStore.Interrupted}",
        };
        try
        {
            await store.EndAsync(import, ImportState.Failed, error, CancellationToken.None);
        }
        catch (Exception unwritten) when (StorageFaults.IsTransient(unwritten))
        {
            // The claim goes with us; the next look marks the import as failed.
        }
    }
}

internal static class ImportSessions
{
    /// <returns>Null while somebody is at the import.</returns>
    public static async Task<IImportSession?> TryClaimAsync(EdmDatabase database, ImportId import, CancellationToken cancellation) =>
        database.IsPostgres ? await PostgresImportSession.TryClaimAsync(database, import, cancellation) : SqliteImportSession.TryClaim(database, import);
}
