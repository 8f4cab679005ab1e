using Edm.Engine.Storage.Journal;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Npgsql;
using Xunit;

namespace Edm.Engine.Tests.Storage.Journal;

public sealed class JournalReaderTestsOnSqlite() : JournalReaderTests(new SqliteDatabases())
{
    [Fact]
    public async Task A_hole_is_passed_at_once()
    {
        await InsertAsync(Database, 1);
        await SkipAsync(2);
        await InsertAsync(Database, 4);

        var page = await Reader.ReadAsync(0, default);

        Assert.Equal([1, 4], Places(page));
    }
}

[Collection(PostgresFixture.Collection)]
public sealed class JournalReaderTestsOnPostgres(PostgresFixture postgres) : JournalReaderTests(new PostgresDatabases(postgres))
{
    [Fact]
    public async Task What_is_written_earlier_and_seen_later_is_waited_for()
    {
        await InsertAsync(Database, 1);
        await using var late = await WriterAsync();
        await using var writing = await late.BeginTransactionAsync();
        await InsertAsync(late, "late");
        await InsertAsync(Database, 3);
        await InsertAsync(Database, 4);

        var before = await Reader.ReadAsync(0, default);
        var hole = await Reader.ReadAsync(before.Position, default);
        await InsertAsync(Database, 5);
        var still = await Reader.ReadAsync(before.Position, default);
        await writing.CommitAsync();
        var after = await Reader.ReadAsync(before.Position, default);

        Assert.Equal([1], Places(before));
        Assert.Equal(JournalRest.Nothing, before.Rest);
        Assert.Equal((1, JournalRest.Hole), (hole.Position, hole.Rest));
        Assert.Equal((1, JournalRest.Hole), (still.Position, still.Rest));
        Assert.Equal([2, 3, 4, 5], Places(after));
    }

    [Fact]
    public async Task What_was_never_written_is_passed_when_its_writer_has_ended()
    {
        await using var failing = await WriterAsync();
        await using var writing = await failing.BeginTransactionAsync();
        await InsertAsync(failing, "failing");
        await InsertAsync(Database, 2);

        var hole = await Reader.ReadAsync(0, default);
        await writing.RollbackAsync();
        var after = await Reader.ReadAsync(0, default);

        Assert.Equal(JournalRest.Hole, hole.Rest);
        Assert.Equal([2], Places(after));
    }

    [Fact]
    public async Task Writers_that_came_after_the_hole_hold_up_nobody()
    {
        await using var failing = await WriterAsync();
        var writing = await failing.BeginTransactionAsync();
        await InsertAsync(failing, "failing");
        await InsertAsync(Database, 2);
        Assert.Equal(JournalRest.Hole, (await Reader.ReadAsync(0, default)).Rest);
        await using var later = await WriterAsync();
        await using var alsoWriting = await later.BeginTransactionAsync();
        await InsertAsync(later, "later");
        await InsertAsync(Database, 4);

        await writing.RollbackAsync();
        var page = await Reader.ReadAsync(0, default);

        Assert.Equal([2], Places(page));
    }

    [Fact]
    public async Task Everything_is_read_once_and_in_order_while_many_write_and_some_fail()
    {
        const int Writers = 6, Each = 300;
        using var ended = new CancellationTokenSource();
        var read = Task.Run(async () =>
        {
            var (seen, position) = (new List<JournaledEvent>(), 0L);
            for (var isLast = false; ;)
            {
                var page = await Reader.ReadAsync(position, default);
                seen.AddRange(page.Events);
                position = page.Position;
                if (isLast && page.Rest == JournalRest.Nothing)
                {
                    return seen;
                }

                isLast = ended.IsCancellationRequested;
            }
        });

        var written = await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => WriteAsync(writer, Each)));
        await ended.CancelAsync();

        var events = await read;
        Assert.Equal(events.Select(e => e.Ordering).Order(), events.Select(e => e.Ordering));
        Assert.Equal(written.SelectMany(w => w).Order(), events.Select(e => e.PersistenceId).Order());
    }

    /// <returns>What it has committed.</returns>
    private async Task<List<string>> WriteAsync(int writer, int each)
    {
        var (random, committed) = (new Random(writer), new List<string>());
        await using var connection = await WriterAsync();
        for (var nr = 0; nr < each; nr++)
        {
            await using var transaction = await connection.BeginTransactionAsync();
            var names = Enumerable.Range(0, random.Next(1, 4)).Select(row => $"{writer}-{nr}-{row}").ToArray();
            foreach (var name in names)
            {
                await InsertAsync(connection, name);
            }

            if (random.Next(5) == 0)
            {
                await transaction.RollbackAsync();
            }
            else
            {
                await transaction.CommitAsync();
                committed.AddRange(names);
            }
        }

        return committed;
    }

    private async Task<NpgsqlConnection> WriterAsync()
    {
        var connection = new NpgsqlConnection(Database.JournalConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    private static async Task InsertAsync(NpgsqlConnection connection, string id)
    {
        await using var insert = new NpgsqlCommand(Insert, connection);
        insert.Parameters.AddWithValue("id", id);
        insert.Parameters.AddWithValue("nr", 1L);
        insert.Parameters.AddWithValue("manifest", "wanted");
        insert.Parameters.AddWithValue("message", new byte[] { 1 });
        await insert.ExecuteNonQueryAsync();
    }
}

public abstract class JournalReaderTests(IDatabases databases) : DatabaseTests(databases)
{
    protected const string Insert = "INSERT INTO journal (created, deleted, persistence_id, sequence_number, message, manifest, identifier) VALUES (0, false, @id, @nr, @message, @manifest, 1)";

    private JournalReader? reader;

    private protected JournalReader Reader => reader ??= new JournalReader(Database, "", ["unwanted"]);

    [Fact]
    public async Task A_journal_that_nobody_has_made_yet_is_empty()
    {
        await Database.RunOnJournalAsync(c => c.ExecuteAsync("DROP TABLE journal"), default);

        var page = await Reader.ReadAsync(0, default);

        Assert.Equal((0, JournalRest.Nothing), (page.Position, page.Rest));
    }

    [Fact]
    public async Task Only_what_is_wanted_is_read_and_the_rest_is_passed()
    {
        await InsertAsync(Database, 1);
        await InsertAsync(Database, 2, "unwanted");
        await InsertAsync(Database, 3, "wanted too", [7, 8]);
        await InsertAsync(Database, 4, "unwanted");

        var page = await Reader.ReadAsync(0, default);

        Assert.Equal([1, 3], Places(page));
        Assert.Equal((4, JournalRest.Nothing), (page.Position, page.Rest));
        Assert.Equal(("entity", "wanted too"), (page.Events[1].PersistenceId, page.Events[1].Manifest));
        Assert.Equal<byte>([7, 8], page.Events[1].Event);
        Assert.Empty((await Reader.ReadAsync(4, default)).Events);
    }

    [Fact]
    public async Task Events_of_other_entities_are_passed_and_kinds_that_nobody_knows_are_not()
    {
        await InsertAsync(Database, 1, "unheard of");
        var (ours, others) = (new JournalReader(Database, "ent", ["unwanted"]), new JournalReader(Database, "lane-", ["unwanted"]));

        Assert.Equal([1], Places(await ours.ReadAsync(0, default)));
        var passed = await others.ReadAsync(0, default);
        Assert.Equal((1, 0), (passed.Position, passed.Events.Count));
    }

    [Fact]
    public async Task A_page_is_of_so_many_rows_at_most()
    {
        for (var nr = 1; nr <= JournalReader.MaxRows + 1; nr++)
        {
            await InsertAsync(Database, nr, nr % 2 == 0 ? "wanted" : "unwanted");
        }

        var first = await Reader.ReadAsync(0, default);
        var second = await Reader.ReadAsync(first.Position, default);

        Assert.Equal((JournalReader.MaxRows, JournalRest.More, JournalReader.MaxRows / 2), (first.Position, first.Rest, first.Events.Count));
        Assert.Equal((JournalReader.MaxRows + 1, JournalRest.Nothing, 0), (second.Position, second.Rest, second.Events.Count));
    }

    [Fact]
    public async Task A_page_is_of_so_many_bytes_at_most_and_of_one_event_at_least()
    {
        for (var nr = 1; nr <= 5; nr++)
        {
            await InsertAsync(Database, nr, "wanted", new byte[600_000]);
        }

        await InsertAsync(Database, 6, "wanted", new byte[3_000_000]);
        await InsertAsync(Database, 7);

        var (pages, position) = (new List<JournalPage>(), 0L);
        do
        {
            pages.Add(await Reader.ReadAsync(position, default));
            position = pages[^1].Position;
        }
        while (pages[^1].Rest == JournalRest.More);

        Assert.Equal([2, 4, 6, 7], pages.Select(p => p.Position));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], pages.SelectMany(Places));
    }

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await Database.RunOnJournalAsync(
            c => c.ExecuteAsync(
                $"""
                CREATE TABLE journal (
                  ordering {(Database.IsPostgres ? "bigint GENERATED ALWAYS AS IDENTITY" : "integer PRIMARY KEY AUTOINCREMENT")}, created bigint, deleted boolean,
                  persistence_id varchar(255), sequence_number bigint, message {(Database.IsPostgres ? "bytea" : "blob")}, manifest varchar(500), identifier integer)
                """),
            default);
    }

    private protected static IEnumerable<long> Places(JournalPage page) => page.Events.Select(e => e.Ordering);

    private protected static Task InsertAsync(Edm.Engine.Storage.EdmDatabase database, long nr, string manifest = "wanted", byte[]? message = null) => database.RunOnJournalAsync(
        c => c.ExecuteAsync(
            Insert, new DataParameter("id", "entity"), new DataParameter("nr", nr), new DataParameter("manifest", manifest), new DataParameter("message", message ?? [1])),
        default);

    /// <summary>As a write that fails: so many places are given out, and stay empty.</summary>
    private protected async Task SkipAsync(int places)
    {
        for (var nr = 0; nr < places; nr++)
        {
            await InsertAsync(Database, 0);
        }

        await Database.RunOnJournalAsync(c => c.ExecuteAsync("DELETE FROM journal WHERE sequence_number = 0"), default);
    }
}
