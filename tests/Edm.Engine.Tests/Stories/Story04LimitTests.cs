using Akka.Actor;
using Edm.Contracts;
using Edm.Engine.Services;
using Edm.Engine.Tests.Dispatch;
using Edm.Testing;
using Xunit;

namespace Edm.Engine.Tests.Stories;

/// <summary>
/// "Limit L on a service with 1 to 32 connections, restarts, and a limit changed while it runs: measured at the sink, no sliding window ever exceeds L; a 454 is retried,
/// never skipped." To the tick, in virtual time: TokenBucketTests, ServicePaceTests and the simulation of a day.
/// </summary>
public sealed class Story04LimitTests
{
    private const int High = 300;
    private const int Low = 60;

    /// <summary>A thread that is held up between its count and the sink's makes one mail late and the next one not; that much is not the limit's fault.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(59);

    private static readonly LaneId Lane = new(new PoolId(1), 0);

    [Fact]
    public async Task No_minute_at_the_sink_sees_more_than_the_limit_with_any_connections_over_a_restart_and_a_change()
    {
        using var world = new StoryWorld();
        world.Mail.Services.Add(MadeUpWorld.Service(1, connections: 1, perMinute: High));
        await using (var first = await world.StartAsync())
        {
            await first.AskAsync<Accepted>(StoryWorld.Queue(5_000));
            await ArrivedAsync(world, 40);
            await ChangeAsync(first, world, service => service with { Connections = 32, Version = 2 });
            await ArrivedAsync(world, 90);
        }

        await using var second = await world.StartAsync();
        await ArrivedAsync(world, 150);
        await ChangeAsync(second, world, service => service with { PerMinute = Low, Connections = 31, Version = 3 });
        await ArrivedAsync(world, world.Mail.OnTheWire.Count + Low + 5);

        var moments = world.Mail.OnTheWire.Select(mail => mail.At).Order().ToArray();
        for (var (first, last) = (0, 0); last < moments.Length; last++)
        {
            for (; moments[last] - moments[first] >= Window; first++)
            {
            }

            Assert.True(last - first + 1 <= High, $"{last - first + 1} mails in the minute up to {moments[last]:O}");
        }

        // The last window lies behind the change.
        Assert.InRange(moments.Count(at => at > moments[^1] - Window), 1, Low);
        world.EachOnce(world.Mail.Received.Count);
    }

    [Fact]
    public async Task Whoever_got_a_454_is_tried_again_and_nobody_is_skipped()
    {
        using var world = new StoryWorld();
        world.Mail.Services.Add(MadeUpWorld.Service(1));
        var refused = new HashSet<string>();
        world.Mail.Server = to =>
        {
            lock (refused)
            {
                return Task.FromResult(to.Contains('3', StringComparison.Ordinal) && refused.Add(to)
                    ? new Attempt(AttemptResult.Deferred, 454, "4.3.0", "4.3.0 Temporary system failure", "try later")
                    : MadeUpWorld.Accepted);
            }
        };
        await using var node = await world.StartAsync();

        await node.AskAsync<Accepted>(StoryWorld.Queue(100));

        Assert.Equal(100, (await StoryWorld.FinishedAsync(node)).Counts[(int)RecipientState.Sent]);
        Assert.Equal(19, refused.Count);
        world.EachOnce(100);
    }

    private static Task ArrivedAsync(StoryWorld world, int mails) =>
        Eventually.Async(() => world.Mail.OnTheWire.Count >= mails, StoryWorld.Patience, $"{mails} mails are out");

    private static async Task ChangeAsync(EngineNode node, StoryWorld world, Func<ServiceSettings, ServiceSettings> change)
    {
        world.Mail.Change(change);
        node.Lanes.Tell(new ServicesChanged(Lane));
        var wanted = world.Mail.Services[0];

        // The connections that the lane reports tell that the change has reached it; the pace is changed by the same message.
        await Eventually.Async(
            async () => (await node.Lanes.Ask<LaneReport>(new GetLane(Lane), EngineNode.Timeout)).Services is [{ } one] && one.Connections == wanted.Connections,
            StoryWorld.Patience,
            "the service has changed");
    }
}
