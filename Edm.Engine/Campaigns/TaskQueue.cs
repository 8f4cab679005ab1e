using Akka.Actor;
using Akka.Hosting;
using Edm.Contracts;
using Edm.Engine.Queues;
using Edm.Engine.Settings;

namespace Edm.Engine.Campaigns;

/// <summary>Speaks with the UserQueues. Whatever is answered is durable there.</summary>
public sealed class TaskQueue(IRequiredActor<UserQueueRegion> region, EdmSettings settings)
{
    /// <returns>What the queue answers: the reply that belongs to the question, or <see cref="Refused"/>.</returns>
    /// <exception cref="AskTimeoutException">No answer in time: sharding may lose a message, and a queue may be on its way to another node.</exception>
    public async Task<IEdmMessage> AskAsync(IForUserQueue question, CancellationToken cancellation)
    {
        var actor = await region.GetAsync(cancellation);
        return await actor.Ask<IEdmMessage>(question, settings.Http.AskTimeout, cancellation);
    }
}
