using Edm.Engine.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Edm.Engine.Imports;

/// <summary>
/// Looks after imports that nobody is at any more: at the start of a node, and again and again, since another node may have died. Those whose file lies
/// here go on; the others say that they were cut off, and wait for their file.
/// </summary>
public sealed partial class ImportRecovery(EdmDatabase database, ImportStore store, Importer importer, TimeProvider time, ILogger<ImportRecovery> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(15);

    /// <summary>Marks those that are dead, and sweeps the staging folder.</summary>
    /// <returns>How many were marked.</returns>
    public async Task<int> MarkAsync(CancellationToken cancellation = default)
    {
        var marked = 0;
        foreach (var import in await store.OpenAsync(cancellation))
        {
            if (import.State == ImportState.Interrupted)
            {
                continue;
            }

            await using var session = await ImportSessions.TryClaimAsync(database, import.Id, cancellation);
            marked += session is not null && await MarkAsync(import, cancellation) ? 1 : 0;
        }

        foreach (var import in ImportSpool.All(database.Settings))
        {
            await using var session = await ImportSessions.TryClaimAsync(database, import, cancellation);
            if (session is not null && (await store.GetAsync(import, cancellation))?.State is null or ImportState.Finished or ImportState.Failed)
            {
                ImportSpool.Delete(database.Settings, import);
            }
        }

        return marked;
    }

    /// <summary>Goes on with those whose file lies here, as far as there are places.</summary>
    /// <returns>How many.</returns>
    public async Task<int> ResumeAsync(CancellationToken cancellation = default)
    {
        var resumed = 0;
        foreach (var import in await store.OpenAsync(cancellation))
        {
            if (import.State != ImportState.Interrupted || !ImportSpool.Has(database.Settings, import.Id))
            {
                continue;
            }

            if (importer.TrySeat(import.User) is not { } seat)
            {
                break;
            }

            resumed += await ResumeAsync(import, seat, cancellation) ? 1 : 0;
        }

        return resumed;
    }

    private async Task<bool> ResumeAsync(Import import, IDisposable seat, CancellationToken cancellation)
    {
        Chunks.IImportSession? session = null;
        var goesOn = false;
        try
        {
            session = await ImportSessions.TryClaimAsync(database, import.Id, cancellation);
            // Somebody else may have ended it since we looked.
            if (session is not null && (await store.GetAsync(import.Id, cancellation))?.State == ImportState.Interrupted && ImportSpool.Has(database.Settings, import.Id)
                && await store.ResumeAsync(import, cancellation) is { } now)
            {
                LogResumed(import.Id.Value, now.Rows);
                importer.GoOn(session, now, seat);
                goesOn = true;
            }

            return goesOn;
        }
        finally
        {
            if (!goesOn)
            {
                seat.Dispose();
                await (session?.DisposeAsync() ?? ValueTask.CompletedTask);
            }
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await importer.StopAsync();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await MarkAsync(stoppingToken);
                await ResumeAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // Whatever it was, the next look comes soon.
                LogFailed(exception);
            }

            await Task.Delay(Every, time, stoppingToken);
        }
    }

    private Task<bool> MarkAsync(Import import, CancellationToken cancellation) => import.State == ImportState.Reading
        ? store.EndAsync(import.Id, ImportState.Failed, ImportStore.Interrupted, cancellation)
        : store.EndAsync(import.Id, ImportState.Interrupted, ImportSpool.Has(database.Settings, import.Id) ? ImportStore.GoesOn : ImportStore.Interrupted, cancellation);

    [LoggerMessage(LogLevel.Information, "Import {Import} goes on after row {Row}")]
    private partial void LogResumed(long import, long row);

    [LoggerMessage(LogLevel.Warning, "Imports that were cut off can't be looked after at the moment; tried again soon")]
    private partial void LogFailed(Exception exception);
}
