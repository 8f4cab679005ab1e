using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.TagMigration;

/// <summary>The table tag_migrations.</summary>
[Table("tag_migrations")]
internal sealed record MigrationRow
{
    [PrimaryKey, Identity] public long Id { get; init; }
    [Column] public string Source { get; init; } = "";
    [Column] public string Settings { get; init; } = "{}";
    [Column] public string Phase { get; init; } = "";
    [Column] public long Round { get; init; }
    [Column] public string? CopyAfter { get; init; }
    [Column] public long Copied { get; init; }
    [Column] public string? ChangedTo { get; init; }
    [Column] public string Backup { get; init; } = "";
    [Column] public long CreatedAt { get; init; }
    [Column] public long UpdatedAt { get; init; }

    public MigrationPhase State => MigrationPhases.Parse(Phase);
}

/// <summary>What EDM knows of a migration, durable: a process that dies at any moment leaves here where the next one goes on.</summary>
internal sealed class MigrationState(EdmDatabase database, TimeProvider time)
{
    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The one that is not rolled back, or the last one that was.</summary>
    public Task<MigrationRow?> FindAsync(string source, CancellationToken cancellation) => database.RunAsync(
        async connection => (await connection.QueryToListAsync<MigrationRow>(
            "SELECT * FROM tag_migrations WHERE source = @source ORDER BY id DESC LIMIT 1", cancellation, new DataParameter("source", source))).FirstOrDefault(),
        cancellation);

    /// <summary>Begins a migration, and keeps what tags its users have in EDM now: a migration never takes that away.</summary>
    public Task<long> BeginAsync(string source, string settings, string backup, IReadOnlyCollection<UserId> users, CancellationToken cancellation) => database.WriteAsync(
        async connection =>
        {
            var id = await connection.ExecuteAsync<long>(
                $"INSERT INTO tag_migrations (source, settings, phase, backup, created_at, updated_at) VALUES (@source, @settings{(connection.IsPostgres ? "::jsonb" : "")}, 'copying', @backup, @now, @now) RETURNING id",
                cancellation,
                new DataParameter("source", source), new DataParameter("settings", settings), new DataParameter("backup", backup), new DataParameter("now", Now));
            foreach (var user in users.OrderBy(u => u.Value))
            {
                DataParameter[] parameters = [new("id", id), new("user", user.Value)];
                await Contacts.Ordinals.ContactBook.OpenAsync(connection, user, cancellation);
                await connection.ExecuteAsync("INSERT INTO tag_migration_users (migration_id, user_id) VALUES (@id, @user)", cancellation, parameters);
                await connection.ExecuteAsync(
                    """
                    INSERT INTO tag_migration_kept (migration_id, tag_id, chunk, bits)
                    SELECT @id, m.tag_id, m.chunk, m.bits FROM tag_members m JOIN tags t ON t.id = m.tag_id WHERE t.user_id = @user AND t.deleted_at IS NULL
                    """,
                    cancellation, parameters);
            }

            return id;
        },
        cancellation);

    public Task SetPhaseAsync(long migration, MigrationPhase phase, CancellationToken cancellation) =>
        UpdateAsync(migration, "phase = @value", phase.Name(), cancellation);

    public Task SetChangedToAsync(long migration, string value, CancellationToken cancellation) => UpdateAsync(migration, "changed_to = @value", value, cancellation);

    /// <summary>Copies from the first row on again.</summary>
    public Task RestartCopyAsync(long migration, CancellationToken cancellation) => UpdateAsync(migration, "copied = 0, copy_after = nullif(@value, '')", "", cancellation);

    public Task SetCopiedAsync(long migration, string after, int rows, CancellationToken cancellation) =>
        UpdateAsync(migration, $"copy_after = @value, copied = copied + {rows}", after, cancellation);

    /// <summary>Begins a round: from now on no older one can write.</summary>
    public Task<long> NextRoundAsync(long migration, CancellationToken cancellation) => database.WriteAsync(
        connection => connection.ExecuteAsync<long>(
            "UPDATE tag_migrations SET round = round + 1 WHERE id = @id RETURNING round", cancellation, new DataParameter("id", migration)),
        cancellation);

    /// <summary>In the transaction that writes, before it writes.</summary>
    /// <exception cref="MigrationException">Another process has begun a newer round: what this one has read may be older.</exception>
    public static async Task CheckRoundAsync(EdmConnection connection, long migration, long round, CancellationToken cancellation)
    {
        var newest = await connection.ExecuteAsync<long>(
            $"SELECT round FROM tag_migrations WHERE id = @id{(connection.IsPostgres ? " FOR SHARE" : "")}", cancellation, new DataParameter("id", migration));
        if (newest != round)
        {
            throw new MigrationException("Another process has taken over this migration meanwhile. Nothing is lost; repeat the step when that one has ended.");
        }
    }

    public Task<IReadOnlyList<UserId>> UsersAsync(long migration, CancellationToken cancellation) => database.RunAsync<IReadOnlyList<UserId>>(
        async connection => [.. (await connection.QueryToListAsync<long>(
            "SELECT user_id FROM tag_migration_users WHERE migration_id = @id ORDER BY user_id", cancellation, new DataParameter("id", migration))).Select(u => new UserId(u))],
        cancellation);

    public Task<MigrationTotals> TotalsAsync(long migration, CancellationToken cancellation) => database.RunAsync(
        async connection => (await connection.QueryToListAsync<MigrationTotals>(
            """
            SELECT (SELECT count(*) FROM tag_migration_keys WHERE migration_id = @id AND user_id IS NOT NULL) AS rows,
              (SELECT count(*) FROM (SELECT DISTINCT user_id, ordinal FROM tag_migration_keys WHERE migration_id = @id AND user_id IS NOT NULL) c) AS contacts,
              (SELECT count(*) FROM tag_migration_keys WHERE migration_id = @id AND user_id IS NULL) AS set_aside,
              (SELECT count(DISTINCT tag_id) FROM tag_migration_names WHERE migration_id = @id) AS tags
            """,
            cancellation, new DataParameter("id", migration)))[0],
        cancellation);

    private Task<int> UpdateAsync(long migration, string set, string value, CancellationToken cancellation) => database.RunAsync(
        connection => connection.ExecuteAsync(
            $"UPDATE tag_migrations SET {set}, updated_at = @now WHERE id = @id", cancellation,
            new DataParameter("value", value), new DataParameter("now", Now), new DataParameter("id", migration)),
        cancellation);
}

/// <summary>What a migration has made so far; rows are those that became contacts.</summary>
internal sealed record MigrationTotals
{
    [Column] public long Rows { get; init; }
    [Column] public long Contacts { get; init; }
    [Column] public long SetAside { get; init; }
    [Column] public long Tags { get; init; }
}
