using Edm.Contracts;
using Edm.Engine.Services;
using Edm.Testing;
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
