using Akka.Cluster.Sharding;
using Edm.Contracts;

namespace Edm.Engine.Queues;

/// <summary>The key under which the shard region of the UserQueues is registered: ask for <c>IRequiredActor&lt;UserQueueRegion&gt;</c>.</summary>
public sealed class UserQueueRegion
{
    public const string TypeName = "user-queue";

    /// <summary>Ten times the nodes we expect at most; never changes in the life of the data.</summary>
    public const int Shards = 50;

    public static readonly IMessageExtractor Extractor = HashCodeMessageExtractor.Create(Shards, message => (message as IForUserQueue)?.User.ToString(), message => message);
}
