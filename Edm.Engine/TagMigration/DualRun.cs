using System.Diagnostics;
using Edm.Engine.Contacts.Ordinals;
using LinqToDB.Data;
using Npgsql;

namespace Edm.Engine.TagMigration;

/// <param name="Questions">Both sides were asked; each question counts once.</param>
/// <param name="Differences">Questions that the two answered differently, also when asked again after the changes were applied.</param>
/// <param name="OldMilliseconds">Median of a question in the old database.</param>
public sealed record DualRunReport(long Questions, long Differences, double OldMilliseconds, double EdmMilliseconds, IReadOnlyList<string> Examples);

/// <summary>Asks both sides the same: the tags of a contact, who has a tag and how many, and who has A and B and not C.</summary>
internal sealed class DualRun(MigrationSession session)
{
    private const int Examples = 20;
    private const int Tries = 4;

    private readonly List<double> _old = [];
    private readonly List<double> _edm = [];

    public async Task<DualRunReport> RunAsync(int questions, TimeSpan? time, CancellationToken cancellation)
    {
        var row = await session.NeedAsync(cancellation, MigrationPhase.Following, MigrationPhase.CutOver);
        await using var connection = await session.Old.ConnectAsync(cancellation);
        var users = await session.State.UsersAsync(row.Id, cancellation);
        var started = session.Time.GetTimestamp();
        List<string> examples = [];
        var (asked, differ) = (0L, 0L);
        var random = new Random();
        while (time is { } limit ? session.Time.GetElapsedTime(started) < limit : asked < questions)
        {
            var user = users[random.Next(users.Count)].Value;
            var names = await NamesAsync(row.Id, user, cancellation);
            if (names.Count == 0)
            {
                break;
            }

            long[] tags = [.. Enumerable.Range(0, 3).Select(_ => names.Keys.ElementAt(random.Next(names.Count)))];
            var (different, question) = (asked % 3) switch
            {
                0 => (await ContactAsync(row, connection, user, random, cancellation), "the tags of a contact"),
                1 => (await MembersAsync(row, connection, user, names, [tags[0]], null, cancellation), $"who has tag {tags[0]}"),
                _ => (await MembersAsync(row, connection, user, names, tags[..2], tags[2], cancellation), $"who has tags {tags[0]} and {tags[1]} and not {tags[2]}"),
            };
            asked++;
            differ += different ? 1 : 0;
            if (different && examples.Count < Examples)
            {
                examples.Add(question);
            }

            session.Progress?.Report(new MigrationProgress("asking both", asked, time is null ? questions : null, $"{differ:N0} differences"));
        }

        return new DualRunReport(asked, differ, Median(_old), Median(_edm), examples);
    }

    private async Task<bool> ContactAsync(MigrationRow row, NpgsqlConnection connection, long user, Random random, CancellationToken cancellation)
    {
        var next = await session.Database.RunAsync(edm => edm.ExecuteAsync<int>("SELECT next_ordinal FROM contact_books WHERE user_id = @user", cancellation, new DataParameter("user", user)), cancellation);
        return next > 0 && await DiffersAsync(row, connection, user, ContactSet.Of(random.Next(next)), cancellation);
    }

    private async Task<bool> MembersAsync(
        MigrationRow row, NpgsqlConnection connection, long user, Dictionary<long, string[]> names, long[] all, long? none, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        var keys = await KeysAsync(connection, [.. all.Select(t => names[t])], none is { } not ? names[not] : null, cancellation);
        _old.Add(watch.Elapsed.TotalMilliseconds);
        watch.Restart();
        var here = await session.Database.RunAsync(
            async edm =>
            {
                var sets = await MemberBits.OfTagsAsync(edm, none is { } n ? [.. all, n] : all, cancellation);
                var set = (sets.GetValueOrDefault(all[0]) ?? new ContactSet()).Clone();
                Array.ForEach(all, t => set.IntersectWith(sets.GetValueOrDefault(t) ?? new ContactSet()));
                if (none is { } but && sets.TryGetValue(but, out var without))
                {
                    set.ExceptWith(without);
                }

                return set;
            },
            cancellation);
        _edm.Add(watch.Elapsed.TotalMilliseconds);

        // Several rows can be one contact, and a value can be odd; so where the two lists differ, those contacts are compared exactly.
        ContactSet there = new();
        foreach (var some in keys.Chunk(5_000))
        {
            foreach (var key in (await session.Database.RunAsync(edm => RowApplier.KnownAsync(edm, row.Id, some, cancellation), cancellation)).Values)
            {
                if (key.UserId == user && key.Ordinal is { } ordinal)
                {
                    there.Add(ordinal);
                }
            }
        }

        var suspects = here.Clone();
        suspects.ExceptWith(there);
        there.ExceptWith(here);
        suspects.UnionWith(there);
        return !suspects.IsEmpty && await DiffersAsync(row, connection, user, suspects, cancellation);
    }

    private async Task<IReadOnlyList<string>> KeysAsync(NpgsqlConnection connection, string[][] all, string[]? none, CancellationToken cancellation)
    {
        var tags = session.Old.Table.TagsType == "json" ? $"t.{session.Old.Table.Tags}::jsonb" : $"t.{session.Old.Table.Tags}";
        var where = string.Join(" AND ", all.Select((_, i) => $"{tags} ?| @a{i}")) + (none is null ? "" : $" AND NOT coalesce({tags} ?| @none, false)");
        await using var command = new NpgsqlCommand($"SELECT {session.Old.Table.KeyJson("t")} FROM {session.Old.Table.Name} t WHERE {where}", connection) { CommandTimeout = 0 };
        for (var i = 0; i < all.Length; i++)
        {
            command.Parameters.AddWithValue($"a{i}", all[i]);
        }

        if (none is not null)
        {
            command.Parameters.AddWithValue("none", none);
        }

        return await OldDatabase.TextsAsync(command, cancellation);
    }

    private async Task<bool> DiffersAsync(MigrationRow row, NpgsqlConnection connection, long user, ContactSet contacts, CancellationToken cancellation)
    {
        for (var i = 0; i < Tries; i++)
        {
            var comparer = new Comparer(session, row);
            ContactSet differ = new();
            foreach (var chunk in contacts.Chunks.ToArray())
            {
                foreach (var difference in await comparer.ChunkAsync(connection, user, contacts, chunk, cancellation))
                {
                    differ.Add(difference.Ordinal!.Value);
                }
            }

            if (differ.IsEmpty)
            {
                return false;
            }

            contacts = differ;
            await (row.State == MigrationPhase.Following ? new TagFollow(session).DrainAsync(row, cancellation) : (Task)new WriteBack(session).RunAsync(row, cancellation));
        }

        return true;
    }

    private Task<Dictionary<long, string[]>> NamesAsync(long migration, long user, CancellationToken cancellation) => session.Database.RunAsync(
        async edm => (await edm.QueryToListAsync<NameRow>(
            "SELECT * FROM tag_migration_names WHERE migration_id = @id AND user_id = @user ORDER BY spelling LIMIT 20000", cancellation, new DataParameter("id", migration), new DataParameter("user", user)))
            .GroupBy(n => n.TagId).ToDictionary(g => g.Key, g => g.Select(n => n.Spelling).ToArray()),
        cancellation);

    private static double Median(List<double> values) => values.Count == 0 ? 0 : Math.Round(values.Order().ElementAt(values.Count / 2), 2);
}
