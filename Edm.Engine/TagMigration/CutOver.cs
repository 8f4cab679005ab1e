using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using LinqToDB.Data;
using Npgsql;

namespace Edm.Engine.TagMigration;

/// <param name="LockSeconds">How long writers of the old table waited.</param>
public sealed record CutOverReport(string Phase, double LockSeconds, long Rows, long AppliedUnderLock, long SetAside);

/// <summary>Makes EDM the leader: under a short lock the last changes are applied, the counts compared, and from then on the old column refuses whoever writes it.</summary>
internal sealed class CutOver(MigrationSession session)
{
    public async Task<CutOverReport> RunAsync(TimeSpan lockTimeout, bool acceptSetAside, CancellationToken cancellation)
    {
        var row = await session.NeedAsync(cancellation, MigrationPhase.Following, MigrationPhase.CuttingOver, MigrationPhase.CutOver);
        var totals = await session.State.TotalsAsync(row.Id, cancellation);
        if (row.State == MigrationPhase.CutOver)
        {
            return new CutOverReport(row.Phase, 0, totals.Rows, 0, totals.SetAside);
        }

        if (totals.SetAside > 0 && !acceptSetAside)
        {
            throw new MigrationException(
                $"{totals.SetAside} rows are set aside: they could not become contacts, and EDM will not have their tags (in EDM's database: SELECT old_key, reason FROM tag_migration_keys WHERE user_id IS NULL). Mend them in the old table, or give --accept-set-aside.");
        }

        await using var turn = await session.Old.TakeTurnAsync(cancellation);
        var follow = new TagFollow(session);
        if (row.State == MigrationPhase.Following)
        {
            // Most of what waits is applied before anybody has to wait for us.
            await follow.DrainAsync(row, turn.Connection, cancellation);
        }

        await session.State.SetPhaseAsync(row.Id, MigrationPhase.CuttingOver, cancellation);
        var (seconds, applied) = await LockedAsync(row, turn.Connection, follow, lockTimeout, cancellation);
        await session.State.SetPhaseAsync(row.Id, MigrationPhase.CutOver, cancellation);
        totals = await session.State.TotalsAsync(row.Id, cancellation);
        return new CutOverReport(MigrationPhase.CutOver.Name(), Math.Round(seconds, 3), totals.Rows, applied, totals.SetAside);
    }

    private async Task<(double Seconds, long Applied)> LockedAsync(MigrationRow row, NpgsqlConnection connection, TagFollow follow, TimeSpan lockTimeout, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var asked = session.Time.GetTimestamp();
        try
        {
            await OldDatabase.ExecuteAsync(connection, $"SET LOCAL lock_timeout = {(int)lockTimeout.TotalMilliseconds}", cancellation);
            await OldDatabase.ExecuteAsync(connection, $"LOCK TABLE {session.Old.Table.Name} IN SHARE ROW EXCLUSIVE MODE", cancellation);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            await transaction.RollbackAsync(CancellationToken.None);
            await session.State.SetPhaseAsync(row.Id, row.State, CancellationToken.None);
            throw new MigrationException($"The old table could not be locked within {lockTimeout.TotalSeconds} s, because a transaction that has written to it stays open. Nothing was changed: try again.", exception);
        }

        if (row.State == MigrationPhase.CuttingOver && await session.Capture.IsGuardedAsync(connection, cancellation))
        {
            // An earlier try came this far: nobody has written tags since, and what EDM changed since is to be written back.
            await transaction.RollbackAsync(CancellationToken.None);
            return (0, 0);
        }

        var applied = await follow.DrainAsync(row, connection, cancellation);
        var rows = await OldDatabase.ScalarAsync<long>(connection, $"SELECT count(*) FROM {session.Old.Table.Name}", cancellation);
        var totals = await session.State.TotalsAsync(row.Id, cancellation);
        if (rows != totals.Rows + totals.SetAside)
        {
            await transaction.RollbackAsync(CancellationToken.None);
            await session.State.SetPhaseAsync(row.Id, MigrationPhase.Following, CancellationToken.None);
            throw new MigrationException($"The old table has {rows} rows and EDM {totals.Rows + totals.SetAside}. Nothing was changed: find out with migrate-tags verify.");
        }

        await MarkAsync(row.Id, cancellation);
        await session.Capture.GuardAsync(connection, cancellation);
        await transaction.CommitAsync(CancellationToken.None);
        return (session.Time.GetElapsedTime(asked).TotalSeconds, applied.Rows);
    }

    /// <summary>What EDM's people change from now on is to be written back. The operation that marks it also ends an import's open one, which could be added to.</summary>
    private async Task MarkAsync(long migration, CancellationToken cancellation)
    {
        foreach (var user in await session.State.UsersAsync(migration, cancellation))
        {
            await session.Database.WriteAsync(
                async connection =>
                {
                    await ContactBook.OpenAsync(connection, user, cancellation);
                    DataParameter[] parameters = [new("id", migration), new("user", user.Value), new("now", session.Time.GetUtcNow().ToUnixTimeMilliseconds())];
                    await connection.ExecuteAsync(
                        $"INSERT INTO tag_operations (user_id, at, kind, source, actor, details, added, removed) VALUES (@user, @now, 'replace', 'import', 'migrate-tags', {(connection.IsPostgres ? "'{}'::jsonb" : "'{}'")}, 0, 0)",
                        cancellation, parameters);
                    await connection.ExecuteAsync(
                        "UPDATE tag_migration_users SET written_back = (SELECT max(id) FROM tag_operations WHERE user_id = @user) WHERE migration_id = @id AND user_id = @user", cancellation, parameters);
                },
                cancellation);
        }
    }
}
