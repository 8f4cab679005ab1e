using LinqToDB.Data;
using Npgsql;

namespace Edm.Engine.TagMigration;

/// <param name="Waiting">Changed rows that are not applied yet.</param>
/// <param name="LagSeconds">How long the oldest of them waits.</param>
public sealed record FollowReport(string Phase, long Rows, long Added, long Removed, long Waiting, double LagSeconds);

/// <summary>Applies what changes in the old table. The newest value of a row is read after its note, so the order within a key is always right, and applying twice changes nothing.</summary>
internal sealed class TagFollow(MigrationSession session)
{
    private const int RoundRows = 1_000;

    /// <summary>Rounds of a drain: far more than a table that is written 100 times a second can ask for.</summary>
    private const int MaxRounds = 10_000;

    /// <summary>Applies all that was noted before the call.</summary>
    public async Task<Applied> DrainAsync(MigrationRow row, CancellationToken cancellation)
    {
        await using var turn = await session.Old.TakeTurnAsync(cancellation);
        return await DrainAsync(row, turn.Connection, cancellation);
    }

    /// <param name="connection">Of whoever has the turn.</param>
    public async Task<Applied> DrainAsync(MigrationRow row, NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (session.Source.ChangesBy is not null)
        {
            return await ByColumnAsync(row, connection, cancellation);
        }

        if (!await session.Capture.IsInstalledAsync(connection, cancellation))
        {
            throw new MigrationException(
                "The triggers are not there any more: somebody removed them from the old database, and changes since then are unknown. Do: migrate-tags roll-back, then copy again.");
        }

        var applier = session.Applier(row.Id);
        var total = default(Applied);
        var upTo = await session.Capture.NewestAsync(connection, cancellation);
        for (var i = 0; i < MaxRounds; i++)
        {
            var changes = await session.Capture.TakeAsync(connection, RoundRows, cancellation);
            if (changes.Count == 0 || changes[0].Nr > upTo)
            {
                break;
            }

            var round = await session.State.NextRoundAsync(row.Id, cancellation);
            if (changes.Any(c => c.Key == ChangeCapture.All))
            {
                total += await AllAsync(row.Id, applier, round, connection, cancellation);
            }

            var (rows, later) = await session.Old.OfAsync(connection, [.. changes.Where(c => c.Key != ChangeCapture.All).Select(c => c.Key)], cancellation);
            total += await applier.ApplyAsync(rows, round, cancellation);
            await session.Capture.ForgetAsync(connection, [.. changes.Where(c => !later.Contains(c.Key))], cancellation);
            session.Progress?.Report(new MigrationProgress("following", total.Rows, null, $"{changes.Count:N0} rows a round"));
        }

        return total;
    }

    public async Task<FollowReport> LagAsync(MigrationRow row, Applied applied, CancellationToken cancellation)
    {
        if (session.Source.ChangesBy is not null)
        {
            return new FollowReport(row.Phase, applied.Rows, applied.Added, applied.Removed, 0, 0);
        }

        await using var connection = await session.Old.ConnectAsync(cancellation);
        var (waiting, lag) = await session.Capture.LagAsync(connection, cancellation);
        return new FollowReport(row.Phase, applied.Rows, applied.Added, applied.Removed, waiting, Math.Round(lag.TotalSeconds, 2));
    }

    private async Task<Applied> ByColumnAsync(MigrationRow row, NpgsqlConnection connection, CancellationToken cancellation)
    {
        var fresh = (await session.FindAsync(cancellation))!;
        var round = await session.State.NextRoundAsync(row.Id, cancellation);
        var applier = session.Applier(row.Id);
        var total = default(Applied);
        var (keys, newest) = await session.Old.ChangedSinceAsync(connection, fresh.ChangedTo, cancellation);
        await foreach (var rows in session.Old.AllOfAsync(connection, keys, cancellation))
        {
            total += await applier.ApplyAsync(rows, round, cancellation);
        }

        // The column says nothing of rows that are gone.
        total += await AllAsync(row.Id, applier, round, connection, cancellation, goneOnly: true);
        if (newest is not null)
        {
            await session.State.SetChangedToAsync(row.Id, newest, cancellation);
        }

        return total;
    }

    /// <summary>Looks at every row that EDM knows.</summary>
    private async Task<Applied> AllAsync(long migration, RowApplier applier, long round, NpgsqlConnection connection, CancellationToken cancellation, bool goneOnly = false)
    {
        var total = default(Applied);
        var after = "";
        while (true)
        {
            var keys = await session.Database.RunAsync(
                async edm => await edm.QueryToListAsync<string>(
                    $"SELECT old_key FROM tag_migration_keys WHERE migration_id = @id AND old_key > @after ORDER BY old_key LIMIT {RoundRows}",
                    cancellation, new DataParameter("id", migration), new DataParameter("after", after)),
                cancellation);
            if (keys.Count == 0)
            {
                return total;
            }

            await foreach (var rows in session.Old.AllOfAsync(connection, keys, cancellation))
            {
                total += await applier.ApplyAsync(goneOnly ? [.. rows.Where(r => !r.Exists)] : rows, round, cancellation);
            }

            after = keys[^1];
        }
    }
}
