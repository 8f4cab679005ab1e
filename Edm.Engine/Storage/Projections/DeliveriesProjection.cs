using System.Globalization;
using Akka;
using Akka.Actor;
using Akka.Cluster.Hosting;
using Akka.Event;
using Akka.Hosting;
using Akka.Streams;
using Akka.Streams.Dsl;
using Akka.Util;
using Edm.Contracts;
using Edm.Engine.Settings;
using Edm.Engine.Storage.Journal;

namespace Edm.Engine.Storage.Projections;

/// <summary>Follows the events of all UserQueues into <c>deliveries</c>: one in the cluster. It may lag behind the ledger by a poll; it never skips and never counts twice.</summary>
internal sealed class DeliveriesProjection(EdmDatabase database, DeliveriesStore store) : ReceiveActor
{
    private const string PersistenceIdPrefix = "user-queue-";

    /// <summary>How far the deliveries on the screen may lag behind the ledger, and what looking costs while nothing happens.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>Many times what a transaction of the journal takes.</summary>
    private static readonly TimeSpan HoleLookEvery = TimeSpan.FromMilliseconds(100);

    /// <summary>From then on it is said that somebody keeps a transaction open.</summary>
    private const int HoleLooksBeforeWarning = 100;

    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly Akka.Serialization.Serialization serialization = Context.System.Serialization;
    private readonly CancellationTokenSource stopping = new();

    protected override void PreStart()
    {
        var backoff = RestartSettings.Create(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), 0.2);

        // Each start reads the offset again, so a page that failed half-way is read once more and one that was stored is not.
        RestartSource.OnFailuresWithBackoff(Follow, backoff)
            .To(Sink.Ignore<Done>())
            .Run(Context.Materializer());
    }

    protected override void PostStop() => stopping.Cancel();

    private Source<Done, NotUsed> Follow()
    {
        var reader = new JournalReader(database, PersistenceIdPrefix, DeliveryChanges.Unwanted);
        return Source.FromTask(store.OffsetAsync(stopping.Token))
            .ConcatMany(offset => Source.UnfoldAsync(new JournalPage([], offset, JournalRest.More), async last =>
            {
                var page = await NextAsync(reader, last.Position, last.Rest);
                return Option<(JournalPage, JournalPage)>.Create((page, page));
            }))
            // One is written while the next is read.
            .SelectAsync(1, async page =>
            {
                try
                {
                    await store.ApplyAsync([.. page.Events.Select(Read)], page.Position, stopping.Token);
                }
                catch (Exception e) when (!stopping.IsCancellationRequested)
                {
                    log.Warning("Deliveries can't be written ({Reason}); what they show is late until they can", e.Message);
                    throw;
                }

                return Done.Instance;
            })
            .MapMaterializedValue(_ => NotUsed.Instance);
    }

    /// <returns>The next page with anything new.</returns>
    private async Task<JournalPage> NextAsync(JournalReader reader, long position, JournalRest rest)
    {
        for (var holes = 0; ;)
        {
            if (rest != JournalRest.More)
            {
                await Task.Delay(rest == JournalRest.Hole ? HoleLookEvery : LookEvery, stopping.Token);
            }

            var page = await reader.ReadAsync(position, stopping.Token);
            if (page.Position > position)
            {
                return page;
            }

            rest = page.Rest;
            if (rest == JournalRest.Hole && ++holes % HoleLooksBeforeWarning == 0)
            {
                log.Warning("Deliveries wait at {Position} for a transaction that has written to the journal and does not end; what they show is late until it does", position);
            }
        }
    }

    private ProjectedEvent Read(JournaledEvent journaled) => new(
        new UserId(long.Parse(journaled.PersistenceId.AsSpan(PersistenceIdPrefix.Length), CultureInfo.InvariantCulture)),
        (IUserQueueEvent)serialization.Deserialize(journaled.Event, EdmSerializer.SerializerId, journaled.Manifest),
        journaled.Ordering);
}

/// <summary>The key of the projection's singleton.</summary>
public sealed class DeliveriesProjectionKey;

public static class DeliveriesProjectionHosting
{
    public static AkkaConfigurationBuilder AddDeliveriesProjection(this AkkaConfigurationBuilder builder, EdmDatabase database, DeliveriesStore store) =>
        builder.WithSingleton<DeliveriesProjectionKey>("deliveries", ActorProps.Of(() => new DeliveriesProjection(database, store)), createProxyToo: false);
}
