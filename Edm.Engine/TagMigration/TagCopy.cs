using System.Text.Json;

namespace Edm.Engine.TagMigration;

/// <param name="Rows">Rows copied, by this run and those before it.</param>
/// <param name="SetAside">Rows that became no contact.</param>
public sealed record CopyReport(string Phase, string Backup, long Rows, long NewContacts, long Tagged, long SetAside);

/// <summary>
/// Backup, triggers, then all rows in the order of their keys, a portion at a time. What changes behind it is noted by the triggers, which were there before the first row was
/// read, and what is applied twice changes nothing.
/// </summary>
internal sealed class TagCopy(MigrationSession session)
{
    /// <summary>SQLite is locked for one portion; and EDM's bitmaps are written once for each.</summary>
    internal const int PortionRows = 5_000;

    public async Task<CopyReport> RunAsync(string backupFolder, int portion, CancellationToken cancellation)
    {
        var row = await session.FindAsync(cancellation);
        if (row is null || row.State == MigrationPhase.RolledBack)
        {
            row = await BeginAsync(backupFolder, cancellation);
        }
        else if (row.State != MigrationPhase.Copying)
        {
            return await ReportAsync(row, default, cancellation);
        }

        await CaptureAsync(row, cancellation);
        var applier = session.Applier(row.Id);
        var total = default(Applied);
        await using var estimate = await session.Old.ConnectAsync(cancellation);
        var all = await session.Old.EstimateAsync(estimate, cancellation);
        while (true)
        {
            await using var turn = await session.Old.TakeTurnAsync(cancellation);
            var round = await session.State.NextRoundAsync(row.Id, cancellation);
            row = await session.NeedAsync(cancellation, MigrationPhase.Copying, MigrationPhase.Following);
            if (row.State == MigrationPhase.Following)
            {
                break;
            }

            var rows = await session.Old.AfterAsync(turn.Connection, row.CopyAfter, portion, cancellation);
            if (rows.Count == 0)
            {
                await session.State.SetPhaseAsync(row.Id, MigrationPhase.Following, cancellation);
                break;
            }

            total += await applier.ApplyAsync(rows, round, cancellation);
            await session.State.SetCopiedAsync(row.Id, rows[^1].Key, rows.Count, cancellation);
            session.Progress?.Report(new MigrationProgress("copying", row.Copied + rows.Count, Math.Max(all, row.Copied + rows.Count), $"{total.Added:N0} tags of contacts"));
        }

        return await ReportAsync((await session.FindAsync(cancellation))!, total, cancellation);
    }

    private async Task<MigrationRow> BeginAsync(string backupFolder, CancellationToken cancellation)
    {
        var source = session.Old.Table.Source;
        await MigrationBackup.EnsureAsync(session, backupFolder, cancellation);
        var settings = JsonSerializer.Serialize(session.Source with { Connection = "" });
        await session.State.BeginAsync(source, settings, Path.GetFullPath(backupFolder), [.. session.Owners.Users], cancellation);
        return (await session.FindAsync(cancellation))!;
    }

    private async Task CaptureAsync(MigrationRow row, CancellationToken cancellation)
    {
        await using var connection = await session.Old.ConnectAsync(cancellation);
        if (session.Source.ChangesBy is not null)
        {
            if (row.ChangedTo is null && (await session.Old.ChangedSinceAsync(connection, null, cancellation)).Newest is { } newest)
            {
                await session.State.SetChangedToAsync(row.Id, newest, cancellation);
            }

            return;
        }

        if (await session.Capture.IsInstalledAsync(connection, cancellation))
        {
            return;
        }

        await session.Capture.InstallAsync(connection, cancellation);
        if (row.CopyAfter is not null)
        {
            // Somebody took the triggers away in between, and nobody knows what changed since.
            await session.State.RestartCopyAsync(row.Id, cancellation);
            await session.Capture.NoteAllAsync(connection, cancellation);
        }
    }

    private async Task<CopyReport> ReportAsync(MigrationRow row, Applied applied, CancellationToken cancellation)
    {
        var totals = await session.State.TotalsAsync(row.Id, cancellation);
        return new CopyReport(row.Phase, row.Backup, row.Copied, applied.NewContacts, applied.Added, totals.SetAside);
    }
}
