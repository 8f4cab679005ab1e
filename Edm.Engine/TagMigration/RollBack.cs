using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.TagMigration;

/// <param name="WrittenBack">Rows of the old table that got what changed in EDM since the cut-over, in this run; following has written others before.</param>
/// <param name="Seconds">Until the old system led again.</param>
/// <param name="LateChanges">Changes of tags that somebody made in EDM in the last moment, after all was written back: the old column has them not. 0 unless people kept working.</param>
/// <param name="NotWritten">Contacts that have tags in EDM and no row in the old table; they are in <paramref name="NotWrittenFile"/>.</param>
public sealed record RollBackReport(string Phase, long WrittenBack, double Seconds, long LateChanges, long NotWritten, string? NotWrittenFile);

/// <summary>Makes the old system the leader again, with what changed in EDM since the cut-over, and takes away all that was installed there. EDM keeps its contacts and tags.</summary>
internal sealed class RollBack(MigrationSession session)
{
    public async Task<RollBackReport> RunAsync(string? notWrittenFile, CancellationToken cancellation)
    {
        var started = session.Time.GetTimestamp();
        var row = await session.NeedAsync(
            cancellation, MigrationPhase.Copying, MigrationPhase.Following, MigrationPhase.CuttingOver, MigrationPhase.CutOver, MigrationPhase.RollingBack);
        await using var connection = await session.Old.ConnectAsync(cancellation);

        // Without the guard the old system writes again, and what EDM has is older: a roll-back that was broken off at its very end, or one before the cut-over.
        var writeBack = row.State == MigrationPhase.CutOver || await session.Capture.IsGuardedAsync(connection, cancellation);
        var written = 0L;
        if (writeBack)
        {
            await session.State.SetPhaseAsync(row.Id, MigrationPhase.RollingBack, cancellation);
            written = await new WriteBack(session).RunAsync(row, cancellation);
            // What was changed in the time of the first pass, which is the long one.
            written += await new WriteBack(session).RunAsync(row, cancellation);
        }

        await session.Capture.UninstallAsync(connection, cancellation);
        await session.State.SetPhaseAsync(row.Id, MigrationPhase.RolledBack, cancellation);
        var seconds = session.Time.GetElapsedTime(started).TotalSeconds;
        var late = writeBack ? await LateAsync(row.Id, cancellation) : 0;
        var (count, file) = writeBack ? await NotWrittenAsync(row, notWrittenFile, cancellation) : (0, null);
        return new RollBackReport(MigrationPhase.RolledBack.Name(), written, Math.Round(seconds, 2), late, count, file);
    }

    private Task<long> LateAsync(long migration, CancellationToken cancellation) => session.Database.RunAsync(
        connection => connection.ExecuteAsync<long>(
            "SELECT count(*) FROM tag_operations o JOIN tag_migration_users u ON u.user_id = o.user_id AND o.id > u.written_back WHERE u.migration_id = @id",
            cancellation, new DataParameter("id", migration)),
        cancellation);

    /// <summary>There is no row to write to, and an old table has more columns than we know how to fill: they are told, not lost.</summary>
    private async Task<(long Count, string? File)> NotWrittenAsync(MigrationRow row, string? file, CancellationToken cancellation)
    {
        var path = file ?? Path.Combine(row.Backup, $"not-written-{row.Id}.ndjson");
        var count = 0L;
        StreamWriter? writer = null;
        try
        {
            foreach (var user in await session.State.UsersAsync(row.Id, cancellation))
            {
                foreach (var (email, tags) in await OfUserAsync(row.Id, user, cancellation))
                {
                    writer ??= new StreamWriter(path) { NewLine = "\n" };
                    await writer.WriteLineAsync(JsonSerializer.Serialize(new { user = user.Value, email, tags }).AsMemory(), cancellation);
                    count++;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MigrationException($"The old system leads again. But '{path}', for contacts that have no row there, can't be written: {exception.Message}", exception);
        }
        finally
        {
            if (writer is not null)
            {
                await writer.DisposeAsync();
            }
        }

        return (count, count == 0 ? null : path);
    }

    private Task<List<(string Email, string[] Tags)>> OfUserAsync(long migration, UserId user, CancellationToken cancellation) => session.Database.RunAsync(
        async connection =>
        {
            await using var snapshot = await connection.BeginReadAsync(cancellation);
            DataParameter[] parameters = [new("id", migration), new("user", user.Value)];
            ContactSet rest = new();
            foreach (var chunk in await connection.QueryToListAsync<ContactChunkRow>("SELECT * FROM contact_chunks WHERE user_id = @user", cancellation, parameters))
            {
                rest.SetBits(chunk.Chunk, ContactChunk.FromBytes(chunk.Live));
            }

            foreach (var ordinal in await connection.QueryToListAsync<int>("SELECT ordinal FROM tag_migration_keys WHERE migration_id = @id AND user_id = @user", cancellation, parameters))
            {
                rest.Remove(ordinal);
            }

            List<(string, string[])> contacts = [];
            var names = await MemberBits.NamesAsync(connection, user.Value, cancellation);
            foreach (var chunk in rest.Chunks.ToArray())
            {
                var tags = MemberBits.ByContact(await MemberBits.OfChunkAsync(connection, user.Value, chunk, cancellation), rest);
                foreach (var contact in await connection.QueryToListAsync<Address>(
                    $"SELECT ordinal, email FROM contacts WHERE user_id = @user AND ordinal IN {MigrationSql.Numbers(connection, "@ordinals")} ORDER BY ordinal",
                    cancellation, [.. parameters, MigrationSql.List("ordinals", tags.Keys)]))
                {
                    contacts.Add((contact.Email, [.. tags[contact.Ordinal].Select(t => names[t]).Order(StringComparer.Ordinal)]));
                }
            }

            return contacts;
        },
        cancellation);

    private sealed record Address
    {
        [Column] public int Ordinal { get; init; }
        [Column] public string Email { get; init; } = "";
    }
}
