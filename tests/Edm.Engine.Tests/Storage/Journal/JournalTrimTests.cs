using Edm.Contracts;
using Edm.Engine.Storage.Journal;
using Edm.Engine.Storage.Projections;
using Edm.Engine.Tests.Dispatch;
using Edm.Testing;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Storage.Journal;

public sealed class JournalTrimTestsOnSqlite() : JournalTrimTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class JournalTrimTestsOnPostgres(PostgresFixture postgres) : JournalTrimTests(new PostgresDatabases(postgres));

/// <summary>The journal of a real node, trimmed.</summary>
public abstract class JournalTrimTests(IDatabases databases) : DatabaseTests(databases)
{
    private const string Queue = "user-queue-1";
    private const string Lane = "lane-1-0";

    private static readonly UserId User = new(1);

    /// <summary>As if all had been quiet for ten minutes.</summary>
    private static readonly TrimRules Rules = new(200) { YoungFor = TimeSpan.Zero, LagsAfter = TimeSpan.FromHours(1), Pause = TimeSpan.Zero };

    private readonly MadeUpWorld world = new();

    private JournalTrimStore Store => new(Database, Time);

    [Fact]
    public async Task Queues_and_lanes_come_back_as_they_were_and_go_on()
    {
        TaskLedger before;
        await using (var node = await StartAsync())
        {
            await node.AskAsync<Accepted>(Work(1, 1_200));
            before = await FinishedAsync(node, 1);
            await ProjectedAsync(1_200);
        }

        var (queue, lane) = (await EventsAsync(Queue), await EventsAsync(Lane));

        var gone = await TrimAsync(Rules);

        var (queueAfter, laneAfter) = (await EventsAsync(Queue), await EventsAsync(Lane));
        Assert.Equal((queue.Last, lane.Last), (queueAfter.Last, laneAfter.Last));

        // The newest event stays, also where the snapshot was made after it.
        Assert.Equal(Math.Min(await SnapshotAsync(Queue) + 1, queue.Last), queueAfter.First);
        Assert.Equal(Math.Min(await SnapshotAsync(Lane) + 1, lane.Last), laneAfter.First);
        Assert.Equal(gone, queue.Count - queueAfter.Count + lane.Count - laneAfter.Count);
        await using (var node = await StartAsync())
        {
            Assert.Equivalent(before, await node.LedgerAsync(User, new TaskId(1)));
            await node.AskAsync<Accepted>(Work(2, 50));
            Assert.Equal(50, (await FinishedAsync(node, 2)).Counts[(int)RecipientState.Sent]);
            await ProjectedAsync(1_250);
        }

        Assert.Equal(2, world.Received["r1@example.com"]);
        Assert.Equal(1, world.Received["r1000@example.com"]);
        Assert.True((await EventsAsync(Queue)).Last > queue.Last);
        Assert.True((await EventsAsync(Lane)).Last > lane.Last);
    }

    [Fact]
    public async Task What_a_projection_has_not_stored_stays_and_it_misses_nothing()
    {
        await using (var node = await StartAsync())
        {
            await node.AskAsync<Accepted>(Work(1, 200));
            await FinishedAsync(node, 1);
            await ProjectedAsync(200);
            await HoldProjectionAsync();
            await node.AskAsync<Accepted>(Work(2, 1_000));
            await FinishedAsync(node, 2);
        }

        var unread = await UnreadAsync();
        Assert.NotEqual(0, unread);

        Assert.Equal(0, await TrimAsync(Rules with { LagsAfter = TimeSpan.Zero }));
        Assert.NotEqual(0, await TrimAsync(Rules));

        Assert.Equal(unread, await UnreadAsync());
        Assert.True((await EventsAsync(Queue)).First <= await SnapshotAsync(Queue), "the snapshot is younger than what the projection has stored");
        await ReleaseProjectionAsync();
        await using (await StartAsync())
        {
            await ProjectedAsync(1_200);
        }
    }

    [Fact]
    public async Task A_projection_without_an_offset_keeps_everything()
    {
        await using (var node = await StartAsync())
        {
            await node.AskAsync<Accepted>(Work(1, 400));
            await FinishedAsync(node, 1);
            await ProjectedAsync(400);
        }

        Assert.Equal(0, await new JournalTrim(Store, [DeliveriesStore.Name, "a new one"], Rules, Time).RunAsync(default));
        Assert.NotEqual(0, await TrimAsync(Rules));
    }

    [Fact]
    public async Task Before_a_young_snapshot_as_much_stays_as_a_recovery_that_began_earlier_may_need()
    {
        await using (var node = await StartAsync())
        {
            await node.AskAsync<Accepted>(Work(1, 600));
            await FinishedAsync(node, 1);
            await ProjectedAsync(600);
        }

        await TrimAsync(Rules with { YoungFor = TimeSpan.FromMinutes(10), KeptBeforeYoung = 300 });

        Assert.Equal(await SnapshotAsync(Lane) - 300 + 1, (await EventsAsync(Lane)).First);
    }

    [Fact]
    public async Task An_entity_whose_snapshot_holds_all_keeps_its_newest_event()
    {
        await using (var node = await StartAsync())
        {
            await node.AskAsync<Accepted>(Work(1, 400));
            await FinishedAsync(node, 1);
            await ProjectedAsync(400);
        }

        // The one before the latest may still be there: it goes when the lane hears that the latest is stored.
        var (_, last, _) = await EventsAsync(Lane);
        await Database.RunOnJournalAsync(
            c => c.ExecuteAsync(
                """
                DELETE FROM snapshot WHERE persistence_id = @id AND sequence_number < (SELECT max(sequence_number) FROM snapshot WHERE persistence_id = @id);
                UPDATE snapshot SET sequence_number = @last WHERE persistence_id = @id;
                """,
                new DataParameter("last", last), new DataParameter("id", Lane)),
            default);

        await TrimAsync(Rules);

        Assert.Equal((last, last, 1), await EventsAsync(Lane));
    }

    [Fact]
    public async Task A_running_node_trims_by_itself()
    {
        await using var node = await StartAsync("edm.journal { trim-every = 1s, trim-batch = 50 }");
        await node.AskAsync<Accepted>(Work(1, 1_500));
        await FinishedAsync(node, 1);

        await Eventually.Async(async () => (await EventsAsync(Lane)).First > 1, EngineNode.Timeout, "the oldest events of the lane have gone");

        await ProjectedAsync(1_500);
    }

    [Fact]
    public async Task Switched_off_it_keeps_all()
    {
        await using var node = await StartAsync("edm.journal { trim = false, trim-every = 1s }");

        Assert.False(Akka.Hosting.ActorRegistry.For(node.System).TryGet<JournalTrimmingKey>(out _));
    }

    private Task<EngineNode> StartAsync(string overlay = "edm.journal.trim = false")
    {
        if (world.Services.Count == 0)
        {
            // One connection: a commit for each mail.
            world.Services.Add(MadeUpWorld.Service(1, connections: 1));
        }

        return EngineNode.StartAsync(Database.Settings.DataFolder, world, Database.Settings.PostgresConnectionString, overlay);
    }

    private Task<long> TrimAsync(TrimRules rules) => new JournalTrim(Store, [DeliveriesStore.Name], rules, Time).RunAsync(default);

    private static QueueTask Work(long task, int recipients) =>
        new(User, new TaskId(task), new PoolId(1), 1, 1, [new Segment(new SeqRange(1, recipients))], RetryRules.Default, UnknownPolicy.Hold);

    private static async Task<TaskLedger> FinishedAsync(EngineNode node, long task)
    {
        TaskLedger? ledger = null;
        await Eventually.Async(
            async () => (ledger = await node.LedgerAsync(User, new TaskId(task))).Phase == TaskPhase.Finished, EngineNode.Timeout, "the task finishes");

        // The rate is of this process's life.
        return ledger! with { SentPerSecond = 0 };
    }

    /// <summary>So many recipients are delivered, each by one try: no event was missed, none counted twice.</summary>
    private async Task ProjectedAsync(int recipients)
    {
        await Eventually.Async(
            async () => await Database.RunAsync(c => c.ExecuteAsync<long>("SELECT count(*) FROM deliveries WHERE state = 'sent'")) == recipients,
            EngineNode.Timeout, $"{recipients} deliveries are projected");
        Assert.Equal(recipients, await Database.RunAsync(c => c.ExecuteAsync<long>("SELECT coalesce(sum(attempts), 0) FROM deliveries")));
    }

    /// <summary>Whatever the projection writes of task 2 fails.</summary>
    private Task<int> HoldProjectionAsync() => Database.RunAsync(c => c.ExecuteAsync(Database.IsPostgres
        ? "ALTER TABLE deliveries ADD CONSTRAINT held CHECK (task_id <> 2)"
        : "CREATE TRIGGER held BEFORE INSERT ON deliveries WHEN NEW.task_id = 2 BEGIN SELECT RAISE(ABORT, 'held'); END"));

    private Task<int> ReleaseProjectionAsync() => Database.RunAsync(c => c.ExecuteAsync(Database.IsPostgres ? "ALTER TABLE deliveries DROP CONSTRAINT held" : "DROP TRIGGER held"));

    private async Task<long> UnreadAsync()
    {
        var position = await new DeliveriesStore(Database).OffsetAsync(default);
        return await Database.RunOnJournalAsync(
            c => c.ExecuteAsync<long>("SELECT count(*) FROM journal WHERE ordering > @position", new DataParameter("position", position)), default);
    }

    private Task<long> SnapshotAsync(string id) => Database.RunOnJournalAsync(
        c => c.ExecuteAsync<long>("SELECT max(sequence_number) FROM snapshot WHERE persistence_id = @id", new DataParameter("id", id)), default);

    private Task<(long First, long Last, long Count)> EventsAsync(string id) => Database.RunOnJournalAsync(
        async c =>
        {
            async Task<long> Of(string what) =>
                await c.ExecuteAsync<long>($"SELECT coalesce({what}, 0) FROM journal WHERE persistence_id = @id", new DataParameter("id", id));

            return (await Of("min(sequence_number)"), await Of("max(sequence_number)"), await Of("count(*)"));
        },
        default);
}
