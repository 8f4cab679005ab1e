using Edm.Engine.Contacts;
using Edm.Engine.Storage;

namespace Edm.Engine.TagMigration;

/// <param name="Phase">none, copying, following, cutting-over, cut-over, rolling-back or rolled-back.</param>
/// <param name="Leader">Which side's tags count: old or edm.</param>
public sealed record StatusReport(
    string Source, string Phase, string Leader, string? Backup, long Copied, long Rows, long Contacts, long SetAside, long Tags, long Waiting, double LagSeconds);

/// <summary>The way of an installation that keeps tags in a JSON array of a PostgreSQL table into EDM's tags, while the old system runs. Every step can be repeated, also after it was killed.</summary>
public sealed class TagMigrator(EdmDatabase database, SuppressionStore suppressions, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>Reads the old table and writes nothing.</summary>
    /// <exception cref="MigrationException">As of every step: it can't be done as things stand.</exception>
    public Task<PlanReport> PlanAsync(MigrationSource source, IProgress<MigrationProgress>? progress, CancellationToken cancellation) =>
        RunAsync(source, progress, session => new Planner(session).RunAsync(cancellation), cancellation);

    /// <param name="backup">A folder; the backup is taken there before anything is written.</param>
    public Task<CopyReport> CopyAsync(MigrationSource source, string backup, IProgress<MigrationProgress>? progress, CancellationToken cancellation, int portion = TagCopy.PortionRows) =>
        RunAsync(source, progress, session => new TagCopy(session).RunAsync(backup, portion, cancellation), cancellation);

    /// <param name="once">Ends when all changes up to now are applied; else it stays until it is cancelled. After a cut-over it writes EDM's changes back.</param>
    public Task<FollowReport> FollowAsync(MigrationSource source, bool once, IProgress<MigrationProgress>? progress, CancellationToken cancellation) => RunAsync(
        source, progress,
        async session =>
        {
            var total = default(Applied);
            while (true)
            {
                var row = await session.NeedAsync(cancellation, MigrationPhase.Following, MigrationPhase.CutOver);
                var follow = new TagFollow(session);
                total += row.State == MigrationPhase.CutOver
                    ? new Applied(await new WriteBack(session).RunAsync(row, cancellation), 0, 0, 0, 0)
                    : await follow.DrainAsync(row, cancellation);
                var report = row.State == MigrationPhase.CutOver ? new FollowReport(row.Phase, total.Rows, 0, 0, 0, 0) : await follow.LagAsync(row, total, cancellation);
                if (once)
                {
                    return report;
                }

                progress?.Report(new MigrationProgress(row.State == MigrationPhase.CutOver ? "writing back" : "following", report.Rows, null, $"{report.Waiting:N0} wait, lag {report.LagSeconds:0.0} s"));
                await Task.Delay(Pause, time, cancellation);
            }
        },
        cancellation);

    /// <param name="report">Where every difference goes, a JSON object a line.</param>
    public Task<VerifyReport> VerifyAsync(MigrationSource source, string? report, IProgress<MigrationProgress>? progress, CancellationToken cancellation) =>
        RunAsync(source, progress, session => new TagVerify(session).RunAsync(report, cancellation), cancellation);

    /// <param name="questions">How many, when no time is given.</param>
    public Task<DualRunReport> DualRunAsync(MigrationSource source, int questions, TimeSpan? span, IProgress<MigrationProgress>? progress, CancellationToken cancellation) =>
        RunAsync(source, progress, session => new DualRun(session).RunAsync(questions, span, cancellation), cancellation);

    public Task<CutOverReport> CutOverAsync(MigrationSource source, TimeSpan lockTimeout, bool acceptSetAside, IProgress<MigrationProgress>? progress, CancellationToken cancellation) =>
        RunAsync(source, progress, session => new CutOver(session).RunAsync(lockTimeout, acceptSetAside, cancellation), cancellation);

    /// <param name="notWritten">Where contacts go that the old table has no row for; null: beside the backup.</param>
    public Task<RollBackReport> RollBackAsync(MigrationSource source, string? notWritten, IProgress<MigrationProgress>? progress, CancellationToken cancellation) =>
        RunAsync(source, progress, session => new RollBack(session).RunAsync(notWritten, cancellation), cancellation);

    /// <summary>The old column as the backup has it.</summary>
    /// <returns>How many rows were not so.</returns>
    public Task<long> RestoreOldAsync(MigrationSource source, string backup, IProgress<MigrationProgress>? progress, CancellationToken cancellation) =>
        RunAsync(source, progress, session => MigrationBackup.RestoreOldAsync(session, backup, cancellation), cancellation);

    /// <summary>EDM's tags of the users concerned as the backup has them.</summary>
    public Task RestoreEdmAsync(MigrationSource source, string backup, IProgress<MigrationProgress>? progress, CancellationToken cancellation) => RunAsync(
        source, progress,
        async session =>
        {
            if (await session.FindAsync(cancellation) is { } row && row.State != MigrationPhase.RolledBack)
            {
                throw new MigrationException("The migration is under way. Do first: migrate-tags roll-back.");
            }

            await MigrationBackup.RestoreEdmAsync(session, backup, cancellation);
            return true;
        },
        cancellation);

    public Task<StatusReport> StatusAsync(MigrationSource source, CancellationToken cancellation) => RunAsync(
        source, null,
        async session =>
        {
            if (await session.FindAsync(cancellation) is not { } row)
            {
                return new StatusReport(session.Old.Table.Source, "none", "old", null, 0, 0, 0, 0, 0, 0, 0);
            }

            var totals = await session.State.TotalsAsync(row.Id, cancellation);
            var lag = row.State is MigrationPhase.Copying or MigrationPhase.Following && await InstalledAsync(session, cancellation)
                ? await new TagFollow(session).LagAsync(row, default, cancellation) : new FollowReport(row.Phase, 0, 0, 0, 0, 0);
            return new StatusReport(
                row.Source, row.Phase, row.State == MigrationPhase.CutOver ? "edm" : "old", row.Backup, row.Copied, totals.Rows, totals.Contacts, totals.SetAside, totals.Tags, lag.Waiting, lag.LagSeconds);
        },
        cancellation);

    private static async Task<bool> InstalledAsync(MigrationSession session, CancellationToken cancellation)
    {
        await using var connection = await session.Old.ConnectAsync(cancellation);
        return await session.Capture.IsInstalledAsync(connection, cancellation);
    }

    private async Task<T> RunAsync<T>(MigrationSource source, IProgress<MigrationProgress>? progress, Func<MigrationSession, Task<T>> step, CancellationToken cancellation)
    {
        await using var session = await MigrationSession.OpenAsync(database, suppressions, time, source, progress, cancellation);
        return await step(session);
    }
}
