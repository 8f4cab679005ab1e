using Akka;
using Akka.Actor;
using Akka.Cluster.Hosting;
using Akka.Event;
using Akka.Hosting;
using Edm.Contracts;
using Edm.Engine.Settings;

namespace Edm.Engine.Dispatch;

public static class LaneHosting
{
    /// <summary>The region of the CentralQueues: remembered while they hold work; StopLane makes one drain before it moves.</summary>
    public static AkkaConfigurationBuilder AddLanes(this AkkaConfigurationBuilder builder, LaneRooms rooms) =>
        builder.WithShardRegion<LaneRegion>(
            LaneRegion.TypeName,
            (_, _, _) => id => ActorProps.Of(() => new CentralQueue(LaneId.Parse(id), rooms)),
            LaneRegion.Extractor,
            new ShardOptions { RememberEntities = true, HandOffStopMessage = StopLane.Instance, ShouldPassivateIdleEntities = false });

    /// <summary>
    /// On shutdown, before anything else stops: no mail starts any more on this node, those on the wire end, and the journal is settled. What has not
    /// ended within <paramref name="atMost"/> is left in doubt.
    /// </summary>
    public static AkkaConfigurationBuilder AddDrain(this AkkaConfigurationBuilder builder, LaneDirectory directory, ThisProcess process, TimeSpan atMost) =>
        builder.AddStartup((system, _) => CoordinatedShutdown.Get(system).AddTask(CoordinatedShutdown.PhaseBeforeServiceUnbind, "drain-lanes", async () =>
        {
            process.Drain();
            try
            {
                await Task.WhenAll(directory.All.Select(lane => lane.Ask<Drained>(DrainLane.Instance, atMost)));
            }
            catch (Exception e) when (e is AskTimeoutException or TaskCanceledException)
            {
                system.Log.Warning("Some mails did not end within {Time}; what became of them will be unknown", atMost);
            }

            return Done.Instance;
        }));
}
