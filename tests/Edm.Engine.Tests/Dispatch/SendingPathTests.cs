using Akka.Actor;
using Edm.Contracts;
using Edm.Engine.Services;
using Edm.Engine.Services.Limits;
using Edm.Testing;
using Edm.Testing.Servers;
using Xunit;

namespace Edm.Engine.Tests.Dispatch;

/// <summary>The whole path of house.md in one process: queues, lanes, sinks, journal, projection.</summary>
public sealed class SendingPathTests : IDisposable
{
    private static readonly UserId User = new(1);
    private static readonly TaskId Task1 = new(11);

    private readonly TempFolder folder = new();
    private readonly MadeUpWorld world = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Every_recipient_is_sent_to_once_and_the_task_finishes()
    {
        world.Services.Add(MadeUpWorld.Service(1));
        world.Services.Add(MadeUpWorld.Service(2));
        await using var node = await EngineNode.StartAsync(folder.Path, world);

        Assert.IsType<Accepted>(await node.AskAsync<object>(Queue(500)));

        var ledger = await Finished(node);
        Assert.Equal(500, ledger.Counts[(int)RecipientState.Sent]);
        Assert.Equal(500, world.Received.Count);
        Assert.All(world.Received.Values, n => Assert.Equal(1, n));
    }

    [Fact]
    public async Task What_servers_and_contacts_do_ends_in_the_matching_state()
    {
        world.Services.Add(MadeUpWorld.Service(1));
        world.IsGone = seq => seq == 4;
        world.Server = to => Task.FromResult(to switch
        {
            "r1@example.com" => new Attempt(AttemptResult.Rejected, 550, "5.1.1", "5.1.1 no such user", "no such user"),
            "r2@example.com" => new Attempt(AttemptResult.Unknown, null, null, "", "connection lost after DATA"),
            "r3@example.com" => new Attempt(AttemptResult.Deferred, 451, "4.3.0", "4.3.0 later", "try later"),
            _ => MadeUpWorld.Accepted,
        });
        await using var node = await EngineNode.StartAsync(folder.Path, world);

        await node.AskAsync<object>(Queue(10));

        await Eventually.Async(
            async () => (await node.LedgerAsync(User, Task1)).Counts is [0, 0, 1, 6, 1, 1, 0, 1], EngineNode.Timeout, "one of each outcome");
    }

    [Fact]
    public async Task A_service_that_refuses_our_login_rests_and_no_recipient_fails_for_it()
    {
        world.Services.Add(MadeUpWorld.Service(1, connections: 1));
        var (refuses, tries) = (true, 0);
        world.Server = _ =>
        {
            Interlocked.Increment(ref tries);
            return Task.FromResult(Volatile.Read(ref refuses)
                ? new Attempt(AttemptResult.Deferred, 530, "5.7.0", "5.7.0 Authentication required", "the server asks for a login")
                : MadeUpWorld.Accepted);
        };
        await using var node = await EngineNode.StartAsync(folder.Path, world);
        await node.AskAsync<object>(Queue(20) with { Retry = new RetryRules(20, 0, 0, 3600) });
        await Eventually.Async(() => Volatile.Read(ref tries) >= CircuitBreaker.Threshold, EngineNode.Timeout, "it was tried");

        // It rests for 5 seconds; a mail that was on its way may still arrive.
        await Task.Delay(1000);
        Assert.InRange(Volatile.Read(ref tries), CircuitBreaker.Threshold, CircuitBreaker.Threshold + 1);
        Volatile.Write(ref refuses, false);

        Assert.Equal(20, (await Finished(node)).Counts[(int)RecipientState.Sent]);
    }

    [Fact]
    public async Task A_node_that_ends_in_order_leaves_nothing_unknown_and_the_next_one_goes_on()
    {
        world.Services.Add(MadeUpWorld.Service(1, connections: 8));
        world.Server = async _ =>
        {
            await Task.Delay(5);
            return MadeUpWorld.Accepted;
        };
        await using (var first = await EngineNode.StartAsync(folder.Path, world))
        {
            await first.AskAsync<object>(Queue(2000));
            await Eventually.Async(() => world.Received.Count > 200, EngineNode.Timeout, "some mails are out");
        }

        var before = world.Received.Count;
        Assert.InRange(before, 200, 1999);
        await using var second = await EngineNode.StartAsync(folder.Path, world);

        var ledger = await Finished(second);
        Assert.Equal(2000, ledger.Counts[(int)RecipientState.Sent]);
        Assert.Equal(2000, world.Received.Count);
        Assert.All(world.Received.Values, n => Assert.Equal(1, n));
    }

    [Fact]
    public async Task A_paused_task_gives_its_recipients_back_and_a_resumed_one_goes_on()
    {
        world.Services.Add(MadeUpWorld.Service(1, connections: 2, perMinute: 120));
        await using var node = await EngineNode.StartAsync(folder.Path, world);
        await node.AskAsync<object>(Queue(100));
        await Eventually.Async(() => !world.Received.IsEmpty, EngineNode.Timeout, "the first mail is out");

        await node.AskAsync<Accepted>(new PauseTask(User, Task1));

        await Eventually.Async(
            async () => await node.LedgerAsync(User, Task1) is { Phase: TaskPhase.Paused } l && l.Counts[(int)RecipientState.Leased] == 0, EngineNode.Timeout, "nothing is leased");
        var whilePaused = world.Received.Count;
        world.Change(s => s with { PerMinute = null, Version = 2 });
        node.Lanes.Tell(new ServicesChanged(Lane));
        await Task.Delay(500);
        Assert.Equal(whilePaused, world.Received.Count);

        await node.AskAsync<Accepted>(new ResumeTask(User, Task1));

        Assert.Equal(100, (await Finished(node)).Counts[(int)RecipientState.Sent]);
        Assert.All(world.Received.Values, n => Assert.Equal(1, n));
    }

    [Fact]
    public async Task A_cancelled_task_ends_at_once_though_no_service_has_credit()
    {
        world.Services.Add(MadeUpWorld.Service(1, connections: 2, perMinute: 1));
        await using var node = await EngineNode.StartAsync(folder.Path, world);
        await node.AskAsync<object>(Queue(100));
        await Eventually.Async(async () => (await node.LedgerAsync(User, Task1)).Counts[(int)RecipientState.Leased] > 0, EngineNode.Timeout, "some are leased");

        await node.AskAsync<Accepted>(new CancelTask(User, Task1));

        await Eventually.Async(async () => (await node.LedgerAsync(User, Task1)).FinishedAtMs is not null, EngineNode.Timeout, "it is finished");
        var ledger = await node.LedgerAsync(User, Task1);
        Assert.Equal(100, ledger.Counts[(int)RecipientState.Cancelled] + ledger.Counts[(int)RecipientState.Sent]);
    }

    [Fact]
    public async Task Nobody_waits_behind_recipients_of_a_provider_that_is_capped()
    {
        const int Capped = 1_000;
        world.Services.Add(MadeUpWorld.Service(1) with
        {
            Limits = ServiceLimits.None with { Providers = new Dictionary<MailboxProvider, ProviderCap> { [MailboxProvider.Gmail] = new(5, null) } },
        });
        world.DomainOf = seq => seq <= Capped ? "gmail.com" : "example.com";
        await using var node = await EngineNode.StartAsync(folder.Path, world);

        await node.AskAsync<object>(Queue(Capped + 100));

        await Eventually.Async(
            async () => (await node.LedgerAsync(User, Task1)).Counts is [Capped - 5, 0, 0, 105, 0, 0, 0, 0], EngineNode.Timeout, "the others are sent, and the rest of the provider's waits");
        Assert.All(world.Received.Values, n => Assert.Equal(1, n));
        Assert.Equal(5, world.Received.Keys.Count(to => to.EndsWith("gmail.com", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_service_that_comes_later_is_used_without_a_restart()
    {
        await using var node = await EngineNode.StartAsync(folder.Path, world);
        await node.AskAsync<object>(Queue(20));
        Assert.Equal(20, (await node.LedgerAsync(User, Task1)).Counts[(int)RecipientState.Waiting]);

        world.Services.Add(MadeUpWorld.Service(1));
        node.Lanes.Tell(new ServicesChanged(Lane));

        Assert.Equal(20, (await Finished(node)).Counts[(int)RecipientState.Sent]);
    }

    [Fact]
    public async Task A_journal_that_is_away_for_a_while_costs_time_only()
    {
        await using var server = await PostgresServer.CreateAsync();
        world.Services.Add(MadeUpWorld.Service(1, connections: 8));
        world.Server = async _ =>
        {
            await Task.Delay(20);
            return MadeUpWorld.Accepted;
        };
        await using var node = await EngineNode.StartAsync(folder.Path, world, await server.CreateDatabaseAsync());
        await node.AskAsync<object>(Queue(3000));
        await Eventually.Async(() => world.Received.Count > 300, EngineNode.Timeout, "some mails are out");

        await server.KillAsync();
        await Task.Delay(1000);
        var whileAway = world.Received.Count;
        await Task.Delay(2000);
        Assert.Equal(whileAway, world.Received.Count);
        await server.StartAsync();

        var ledger = await Finished(node);
        Assert.Equal(3000, ledger.Counts[(int)RecipientState.Sent]);
        Assert.All(world.Received.Values, n => Assert.Equal(1, n));
    }

    private static readonly LaneId Lane = new(new PoolId(1), 0);

    private static QueueTask Queue(int recipients) =>
        new(User, Task1, new PoolId(1), 1, 1, [new Segment(new SeqRange(1, recipients))], RetryRules.Default, UnknownPolicy.Hold);

    private static async Task<TaskLedger> Finished(EngineNode node)
    {
        TaskLedger? ledger = null;
        await Eventually.Async(
            async () =>
            {
                ledger = await node.LedgerAsync(User, Task1);
                Assert.Equal(ledger.Planned, ledger.Counts.Sum());
                return ledger.Phase == TaskPhase.Finished;
            },
            EngineNode.Timeout,
            "the task finishes");
        return ledger!;
    }
}
