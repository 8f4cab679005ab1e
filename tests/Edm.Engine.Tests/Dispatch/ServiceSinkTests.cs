using System.Collections.Concurrent;
using Akka.Actor;
using Edm.Contracts;
using Edm.Engine.Dispatch;
using Edm.Engine.Services;
using Edm.Engine.Services.Limits;
using Edm.Engine.Services.Replies;
using Edm.Testing;
using Xunit;

namespace Edm.Engine.Tests.Dispatch;

/// <summary>What a service's limits mean on the wire, and what follows when it is not wanted; the decisions themselves are the gate's and are tested there.</summary>
public sealed class ServiceSinkTests : IDisposable
{
    private static readonly UserId User = new(1);
    private static readonly TaskId Task1 = new(11);

    private readonly TempFolder folder = new();
    private readonly MadeUpWorld world = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task After_so_many_mails_a_connection_is_closed_and_another_one_opened()
    {
        world.Services.Add(MadeUpWorld.Service(1, connections: 1) with { Limits = ServiceLimits.None with { PerConnection = 10 } });
        await SendAsync(95);

        Assert.Equal(10, world.Opened);
    }

    [Fact]
    public async Task Between_two_mails_lies_the_gap_whatever_the_connections()
    {
        var arrived = new ConcurrentQueue<long>();
        world.Services.Add(MadeUpWorld.Service(1, connections: 8) with { Limits = ServiceLimits.None with { Gap = TimeSpan.FromMilliseconds(100) } });
        world.Server = _ =>
        {
            arrived.Enqueue(Environment.TickCount64);
            return Task.FromResult(MadeUpWorld.Accepted);
        };
        await SendAsync(15);

        // The way from the start to here takes one mail longer than another.
        var times = arrived.ToArray();
        Assert.InRange(times[^1] - times[0], 14 * 100 - 50, long.MaxValue);
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.InRange(pair.Item2 - pair.Item1, 20, long.MaxValue));
    }

    [Fact]
    public async Task A_recipient_whose_provider_blocks_one_service_is_reached_through_another()
    {
        world.Services.Add(MadeUpWorld.Service(1));
        world.Services.Add(MadeUpWorld.Service(2));
        world.Domain = "gmail.com";
        world.ServerOf = (service, _) => Task.FromResult(service == new ServiceId(1)
            ? new Attempt(AttemptResult.Rejected, 550, "5.7.1", "5.7.1 Our system has blocked your IP address because of its reputation", "refused", ReplyStage.Rcpt)
            : MadeUpWorld.Accepted);
        // The delay after a block is half an hour: it is for who has nowhere else to go.
        await SendAsync(40, RetryRules.Default);

        Assert.Equal(40, world.Received.Count);
    }

    [Fact]
    public async Task The_error_on_a_services_page_goes_with_the_first_mail_and_nothing_is_stored_where_none_is()
    {
        world.Services.Add(MadeUpWorld.Service(1) with { HasError = true });
        world.Services.Add(MadeUpWorld.Service(2));
        await SendAsync(40);

        Assert.Equal([(new ServiceId(1), null)], world.Errors);
        Assert.Equal(2, world.OnTheWire.Select(mail => mail.Service).Distinct().Count());
    }

    [Fact]
    public async Task A_service_that_is_back_before_its_last_mail_has_ended_goes_on_when_that_has()
    {
        var service = MadeUpWorld.Service(1, connections: 1);
        var answer = new TaskCompletionSource<Attempt>();
        world.Services.Add(service);
        world.Server = _ => answer.Task;
        await using var node = await EngineNode.StartAsync(folder.Path, world);
        await QueueAsync(node, 5, new RetryRules(20, 0, 0, 3600));
        await Eventually.Async(() => world.OnTheWire.Count == 1, EngineNode.Timeout, "the first mail is on the wire");

        // Gone, and there again, as the lane is told each time.
        foreach (var services in new ServiceSettings[][] { [], [service], [service with { Version = 2 }] })
        {
            lock (world.Services)
            {
                world.Services.Clear();
                world.Services.AddRange(services);
            }

            node.Lanes.Tell(new ServicesChanged(service.Lane));
            await node.Lanes.Ask<LaneReport>(new GetLane(service.Lane), EngineNode.Timeout);
        }

        answer.SetResult(MadeUpWorld.Accepted);
        await SentAsync(node, 5);
        Assert.Equal(5, world.OnTheWire.Count);
    }

    private async Task SendAsync(int recipients, RetryRules? retry = null)
    {
        await using var node = await EngineNode.StartAsync(folder.Path, world);
        await QueueAsync(node, recipients, retry ?? new RetryRules(20, 0, 0, 3600));
        await SentAsync(node, recipients);
    }

    private static Task<object> QueueAsync(EngineNode node, int recipients, RetryRules retry) =>
        node.AskAsync<object>(new QueueTask(User, Task1, new PoolId(1), 1, 1, [new Segment(new SeqRange(1, recipients))], retry, UnknownPolicy.Hold));

    private static Task SentAsync(EngineNode node, int recipients) =>
        Eventually.Async(async () => (await node.LedgerAsync(User, Task1)).Counts[(int)RecipientState.Sent] == recipients, EngineNode.Timeout, "all are sent");
}
