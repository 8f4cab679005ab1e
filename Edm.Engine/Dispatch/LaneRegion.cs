using Akka.Cluster.Sharding;
using Edm.Contracts;

namespace Edm.Engine.Dispatch;

/// <summary>The key under which the shard region of the CentralQueues is registered: ask for <c>IRequiredActor&lt;LaneRegion&gt;</c>.</summary>
public sealed class LaneRegion
{
    public const string TypeName = "lane";

    /// <summary>Ten times the nodes we expect at most; never changes in the life of the data.</summary>
    public const int Shards = 50;

    public static readonly IMessageExtractor Extractor = HashCodeMessageExtractor.Create(Shards, message => (message as IForLane)?.Lane.ToString(), message => message);
}
