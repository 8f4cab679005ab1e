using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Storage;
using LinqToDB.Data;
using Npgsql;

namespace Edm.Engine.TagMigration;

/// <summary>One run of a command: the old database opened, the users found, and what EDM knows of the migration.</summary>
internal sealed class MigrationSession : IAsyncDisposable
{
    private readonly SuppressionStore _suppressions;

    private MigrationSession(EdmDatabase database, SuppressionStore suppressions, TimeProvider time, MigrationSource source, OldDatabase old, OwnerNames owners, IProgress<MigrationProgress>? progress)
    {
        (Database, _suppressions, Time, Source, Old, Owners, Progress) = (database, suppressions, time, source, old, owners, progress);
        State = new MigrationState(database, time);
        Capture = new ChangeCapture(old.Table);
    }

    public EdmDatabase Database { get; }

    public TimeProvider Time { get; }

    public MigrationSource Source { get; }

    public OldDatabase Old { get; }

    public OwnerNames Owners { get; }

    public MigrationState State { get; }

    public ChangeCapture Capture { get; }

    public IProgress<MigrationProgress>? Progress { get; }

    /// <exception cref="MigrationException">The old database or a user is not there.</exception>
    public static async Task<MigrationSession> OpenAsync(
        EdmDatabase database, SuppressionStore suppressions, TimeProvider time, MigrationSource source, IProgress<MigrationProgress>? progress, CancellationToken cancellation)
    {
        var old = await OldDatabase.OpenAsync(source, cancellation);
        try
        {
            return new MigrationSession(database, suppressions, time, source, old, await OwnersAsync(database, source, old, cancellation), progress);
        }
        catch
        {
            await old.DisposeAsync();
            throw;
        }
    }

    public Task<MigrationRow?> FindAsync(CancellationToken cancellation) => State.FindAsync(Old.Table.Source, cancellation);

    /// <exception cref="MigrationException">There is none, or it is at another phase.</exception>
    public async Task<MigrationRow> NeedAsync(CancellationToken cancellation, params MigrationPhase[] phases)
    {
        var row = await FindAsync(cancellation);
        if (row is null || row.State == MigrationPhase.RolledBack)
        {
            throw new MigrationException($"No migration of {Source} is under way. Begin it with: migrate-tags copy.");
        }

        if (!phases.Contains(row.State))
        {
            throw new MigrationException(row.State switch
            {
                MigrationPhase.Copying => "Not all rows are copied yet. Repeat: migrate-tags copy.",
                MigrationPhase.CuttingOver => "A cut-over was begun and is not finished. Repeat: migrate-tags cut-over; or give it up with: migrate-tags roll-back.",
                MigrationPhase.RollingBack => "A roll-back was begun and is not finished. Repeat: migrate-tags roll-back.",
                MigrationPhase.CutOver => "EDM leads these tags since the cut-over.",
                _ => $"The migration is at '{row.Phase}'.",
            });
        }

        return row;
    }

    public RowApplier Applier(long migration) => new(Database, _suppressions, Time, migration, Owners, Source);

    public ValueTask DisposeAsync() => Old.DisposeAsync();

    private static async Task<OwnerNames> OwnersAsync(EdmDatabase database, MigrationSource source, OldDatabase old, CancellationToken cancellation)
    {
        var users = await database.RunAsync(
            async connection => (await connection.QueryToListAsync<TagRef>("SELECT id, name FROM users", cancellation)).ToDictionary(u => u.Name, u => new UserId(u.Id), StringComparer.Ordinal),
            cancellation);
        if (source.UserColumn is null)
        {
            return source.User is { } name && users.TryGetValue(name, out var user)
                ? new OwnerNames(user)
                : throw new MigrationException(source.User is null ? "Whose contacts are they? Give --user NAME or --user-column COLUMN." : $"--user: there is no user '{source.User}' in EDM.");
        }

        await using var connection = await old.ConnectAsync(cancellation);
        await using var command = new NpgsqlCommand($"SELECT DISTINCT t.{old.Table.Owner}::text FROM {old.Table.Name} t WHERE t.{old.Table.Owner} IS NOT NULL LIMIT 100000", connection) { CommandTimeout = 0 };
        Dictionary<string, UserId> owners = new(StringComparer.Ordinal);
        foreach (var value in await OldDatabase.TextsAsync(command, cancellation))
        {
            if (users.TryGetValue(source.Users.GetValueOrDefault(value) ?? value, out var user))
            {
                owners[value] = user;
            }
        }

        // An owner whose first row comes only while the old system runs.
        foreach (var (value, name) in source.Users.Concat(users.Keys.Select(n => KeyValuePair.Create(n, n))))
        {
            if (users.TryGetValue(name, out var user))
            {
                owners.TryAdd(value, user);
            }
        }

        return new OwnerNames(owners);
    }
}
