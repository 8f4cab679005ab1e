using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Sharding;
using Akka.Hosting;
using Edm.Contracts.Http;
using Edm.Engine.Dispatch;
using Edm.Engine.Queues;
using Edm.Engine.Settings;
using Edm.Host.Http;

namespace Edm.Host.Api;

internal static class ClusterApi
{
    public static void MapCluster(this IEndpointRouteBuilder v1) =>
        v1.MapGet("/cluster", GetAsync).WithTags("Cluster").WithSummary("The nodes and how much each of them runs")
            .RequireAuthorization(Policies.Admin).Produces<ClusterView>().Fails(403);

    private static async Task<ClusterView> GetAsync(
        ActorSystem system, IRequiredActor<UserQueueRegion> userQueues, IRequiredActor<LaneRegion> lanes, EdmSettings settings, CancellationToken cancellation)
    {
        var cluster = Cluster.Get(system);
        var counts = await Task.WhenAll(
            CountAsync(await userQueues.GetAsync(cancellation), settings.Http.AskTimeout, cancellation),
            CountAsync(await lanes.GetAsync(cancellation), settings.Http.AskTimeout, cancellation));
        var unreachable = cluster.State.Unreachable.Select(member => member.UniqueAddress).ToHashSet();
        return new ClusterView(
        [
            .. cluster.State.Members.Select(member =>
            {
                var (queuesHere, lanesHere) = (counts[0].GetValueOrDefault(member.Address), counts[1].GetValueOrDefault(member.Address));
                var status = unreachable.Contains(member.UniqueAddress) ? "unreachable" : member.Status.ToString().ToLowerInvariant();
                return new NodeView(member.Address.ToString(), status, queuesHere + lanesHere, queuesHere, lanesHere, member.UniqueAddress.Equals(cluster.SelfUniqueAddress));
            }),
        ]);
    }

    private static async Task<Dictionary<Address, int>> CountAsync(IActorRef region, TimeSpan timeout, CancellationToken cancellation)
    {
        // A node that does not answer is left out by half of our own patience.
        var stats = await region.Ask<ClusterShardingStats>(new GetClusterShardingStats(timeout / 2), timeout, cancellation);
        return stats.Regions.ToDictionary(region => region.Key, region => region.Value.Stats.Values.Sum());
    }
}
