using System.Text.Json;
using Edm.Engine.Contacts.Ordinals;
using LinqToDB.Data;
using LinqToDB.Mapping;
using Npgsql;

namespace Edm.Engine.TagMigration;

/// <param name="Pairs">Memberships that both sides have.</param>
/// <param name="Kept">Memberships that EDM had before the migration and the old table has not.</param>
/// <param name="Rechecked">Contacts that differed at first, because they were changed meanwhile.</param>
/// <param name="ByKind">How many differences of each kind; empty when the two sides are the same.</param>
public sealed record VerifyReport(
    string Phase, long Rows, long Contacts, long Pairs, long Kept, long Tags, long SetAside, long Rechecked, long Differences, IReadOnlyDictionary<string, long> ByKind, string? ReportFile);

/// <summary>
/// Compares both sides, a chunk of contacts at a time, and then the keys of all rows with those that EDM knows. The old system may run: what differs is looked at again after the
/// changes were applied, until it agrees or differs twice in the same way.
/// </summary>
internal sealed class TagVerify(MigrationSession session)
{
    private const int KeyPortion = 10_000;
    private const int MaxRounds = 20;

    private static readonly JsonSerializerOptions Lines = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull };

    public async Task<VerifyReport> RunAsync(string? reportFile, CancellationToken cancellation)
    {
        var row = await session.NeedAsync(cancellation, MigrationPhase.Following, MigrationPhase.CuttingOver, MigrationPhase.CutOver);
        await CatchUpAsync(row, cancellation);
        await using var connection = await session.Old.ConnectAsync(cancellation);
        var users = await session.State.UsersAsync(row.Id, cancellation);
        var first = new Comparer(session, row);
        Dictionary<long, ContactSet> open = [];
        foreach (var user in users)
        {
            open[user.Value] = await UserAsync(first, connection, user.Value, await LiveAsync(user.Value, cancellation), null, cancellation);
        }

        var keys = await UnknownKeysAsync(row.Id, connection, cancellation);
        var suspects = open.Values.Sum(o => (long)o.Count);
        for (var i = 0; i < MaxRounds && (open.Values.Any(o => !o.IsEmpty) || keys.Count > 0); i++)
        {
            await CatchUpAsync(row, cancellation);
            var (before, keysBefore) = (open.Values.Sum(o => o.Count), keys.Count);
            foreach (var user in users)
            {
                open[user.Value] = await UserAsync(new Comparer(session, row), connection, user.Value, open[user.Value], null, cancellation);
            }

            keys = await StillUnknownAsync(row.Id, connection, keys, cancellation);
            if (i > 0 && open.Values.Sum(o => o.Count) == before && keys.Count == keysBefore)
            {
                break;
            }
        }

        return await ReportAsync(row, users.Select(u => u.Value), open, keys, first, suspects, connection, reportFile, cancellation);
    }

    private async Task<VerifyReport> ReportAsync(
        MigrationRow row, IEnumerable<long> users, Dictionary<long, ContactSet> open, IReadOnlyList<string> keys, Comparer counted, long suspects, NpgsqlConnection connection, string? file,
        CancellationToken cancellation)
    {
        SortedDictionary<string, long> kinds = new(StringComparer.Ordinal);
        await using var writer = file is null ? StreamWriter.Null : OpenReport(file);
        void Write(Difference difference)
        {
            kinds[difference.Kind] = kinds.GetValueOrDefault(difference.Kind) + 1;
            writer.WriteLine(JsonSerializer.Serialize(difference, Lines));
        }

        foreach (var user in users)
        {
            await UserAsync(new Comparer(session, row), connection, user, open[user], Write, cancellation);
            foreach (var difference in await TagsAsync(row.Id, user, cancellation))
            {
                Write(difference);
            }
        }

        foreach (var key in keys)
        {
            Write(new Difference("row-not-copied", Key: key));
        }

        var totals = await session.State.TotalsAsync(row.Id, cancellation);
        return new VerifyReport(
            row.Phase, totals.Rows, totals.Contacts, counted.Pairs, counted.Kept, totals.Tags, totals.SetAside, suspects - open.Values.Sum(o => (long)o.Count), kinds.Values.Sum(), kinds, file);
    }

    private static StreamWriter OpenReport(string file)
    {
        try
        {
            return new StreamWriter(file) { NewLine = "\n" };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MigrationException($"--report: '{file}' can't be written: {exception.Message}", exception);
        }
    }

    private async Task CatchUpAsync(MigrationRow row, CancellationToken cancellation)
    {
        if (row.State == MigrationPhase.Following)
        {
            await new TagFollow(session).DrainAsync(row, cancellation);
        }
        else if (row.State == MigrationPhase.CutOver)
        {
            await new WriteBack(session).RunAsync(row, cancellation);
        }
    }

    /// <returns>The contacts that differ.</returns>
    private async Task<ContactSet> UserAsync(Comparer comparer, NpgsqlConnection connection, long user, ContactSet of, Action<Difference>? write, CancellationToken cancellation)
    {
        ContactSet differ = new();
        var (done, all) = (0L, of.Count);
        foreach (var chunk in of.Chunks.ToArray())
        {
            foreach (var difference in await comparer.ChunkAsync(connection, user, of, chunk, cancellation))
            {
                differ.Add(difference.Ordinal!.Value);
                write?.Invoke(difference);
            }

            session.Progress?.Report(new MigrationProgress("comparing", done += ContactChunk.Count(of.Bits(chunk)), all, $"{differ.Count:N0} to look at again"));
        }

        return differ;
    }

    /// <summary>All contacts of the user, and those that only the migration knows.</summary>
    private Task<ContactSet> LiveAsync(long user, CancellationToken cancellation) => session.Database.RunAsync(
        async connection =>
        {
            ContactSet live = new();
            foreach (var chunk in await connection.QueryToListAsync<ContactChunkRow>("SELECT * FROM contact_chunks WHERE user_id = @user", cancellation, new DataParameter("user", user)))
            {
                live.SetBits(chunk.Chunk, ContactChunk.FromBytes(chunk.Live));
            }

            foreach (var ordinal in await connection.QueryToListAsync<int>(
                """
                SELECT k.ordinal FROM tag_migration_keys k LEFT JOIN contacts c ON c.user_id = k.user_id AND c.ordinal = k.ordinal WHERE k.user_id = @user AND c.id IS NULL
                """, cancellation, new DataParameter("user", user)))
            {
                live.Add(ordinal);
            }

            return live;
        },
        cancellation);

    private async Task<IReadOnlyList<string>> UnknownKeysAsync(long migration, NpgsqlConnection connection, CancellationToken cancellation)
    {
        List<string> unknown = [];
        string? after = null;
        while (await session.Old.KeysAfterAsync(connection, after, KeyPortion, cancellation) is { Count: > 0 } keys)
        {
            unknown.AddRange(await StillUnknownAsync(migration, connection, keys, cancellation));
            after = keys[^1];
        }

        return unknown;
    }

    /// <summary>Those that are in the old table and that EDM does not know, or has set aside with another value.</summary>
    private async Task<IReadOnlyList<string>> StillUnknownAsync(long migration, NpgsqlConnection connection, IReadOnlyList<string> keys, CancellationToken cancellation)
    {
        var known = await session.Database.RunAsync(edm => RowApplier.KnownAsync(edm, migration, [.. keys], cancellation), cancellation);
        List<string> unknown = [];
        await foreach (var rows in session.Old.AllOfAsync(connection, [.. keys.Where(k => !known.TryGetValue(k, out var row) || row.UserId is null)], cancellation))
        {
            unknown.AddRange(rows.Where(r => r.Exists && (!known.TryGetValue(r.Key, out var row) || (row.Value != r.Tags && row.Reason != Oddity.Suppressed.Name()))).Select(r => r.Key));
        }

        return unknown;
    }

    private Task<List<Difference>> TagsAsync(long migration, long user, CancellationToken cancellation) => session.Database.RunAsync(
        async connection =>
        {
            List<Difference> differences = [];
            foreach (var tag in await connection.QueryToListAsync<TagCheck>(
                """
                SELECT n.tag_id, n.name, t.name AS is_name, t.contacts FROM (SELECT DISTINCT tag_id, name FROM tag_migration_names WHERE migration_id = @id AND user_id = @user) n
                LEFT JOIN tags t ON t.id = n.tag_id AND t.deleted_at IS NULL
                """, cancellation, new DataParameter("id", migration), new DataParameter("user", user)))
            {
                var members = tag.IsName is null ? null : (await MemberBits.OfTagsAsync(connection, [tag.TagId], cancellation)).GetValueOrDefault(tag.TagId);
                if (tag.IsName != tag.Name)
                {
                    differences.Add(new Difference(tag.IsName is null ? "tag-deleted" : "tag-renamed", user, Tag: tag.Name, Is: tag.IsName));
                }

                if (tag.IsName is not null && (members?.Count ?? 0) != tag.Contacts)
                {
                    differences.Add(new Difference("count-differs", user, Tag: tag.Name, Is: $"{tag.Contacts} instead of {members?.Count ?? 0}"));
                }
            }

            return differences;
        },
        cancellation);

    private sealed record TagCheck
    {
        [Column] public long TagId { get; init; }
        [Column] public string Name { get; init; } = "";
        [Column] public string? IsName { get; init; }
        [Column] public int? Contacts { get; init; }
    }
}
