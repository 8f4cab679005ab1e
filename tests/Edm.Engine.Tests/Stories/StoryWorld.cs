using Edm.Contracts;
using Edm.Engine.Services;
using Edm.Engine.Tests.Dispatch;
using Edm.Testing;
using Xunit;

namespace Edm.Engine.Tests.Stories;

/// <summary>A node of the engine in a made-up world, with one user, one pool and one task: what most stories begin with.</summary>
internal sealed class StoryWorld : IDisposable
{
    public static readonly UserId User = new(1);
    public static readonly TaskId Task1 = new(11);

    /// <summary>A busy machine takes its time; whoever waits longer waits in vain.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly TempFolder folder = new();

    public MadeUpWorld Mail { get; } = new();

    public Task<EngineNode> StartAsync(IMailTransport? transport = null, string? postgres = null) => EngineNode.StartAsync(folder.Path, Mail, postgres, transport: transport);

    /// <summary>Retries at once, so that no story waits for a clock.</summary>
    public static QueueTask Queue(int recipients, int lanes = 1) =>
        new(User, Task1, new PoolId(1), lanes, 1, [new Segment(new SeqRange(1, recipients))], RetryRules.Default with { FirstDelaySeconds = 0 }, UnknownPolicy.Hold);

    /// <summary>Waits for the end of the task; the ledger adds up all the while.</summary>
    public static async Task<TaskLedger> FinishedAsync(EngineNode node, UserId? user = null, TaskId? task = null)
    {
        TaskLedger? ledger = null;
        await Eventually.Async(
            async () =>
            {
                ledger = await node.LedgerAsync(user ?? User, task ?? Task1);
                Assert.Equal(ledger.Planned, ledger.Counts.Sum());
                return ledger.Phase == TaskPhase.Finished;
            },
            Patience,
            "the task finishes");
        return ledger!;
    }

    public void EachOnce(int recipients)
    {
        Assert.Equal(recipients, Mail.Received.Count);
        Assert.All(Mail.Received, to => Assert.True(to.Value == 1, $"{to.Key} got {to.Value} mails"));
    }

    public void Dispose() => folder.Dispose();
}
