using Akka;
using Akka.Actor;
using Akka.Cluster.Hosting;
using Akka.Event;
using Akka.Hosting;
using Akka.Persistence.Query;
using Akka.Persistence.Sql.Query;
using Akka.Streams;
using Akka.Streams.Dsl;
using Edm.Contracts;

namespace Edm.Engine.Storage.Projections;

/// <summary>Follows the events of all UserQueues into <c>deliveries</c>: one in the cluster. It may lag behind the ledger by a poll; it never skips and never counts twice.</summary>
internal sealed class DeliveriesProjection(DeliveriesStore store, string tag) : ReceiveActor
{
    private const string PersistenceIdPrefix = "user-queue-";

    /// <summary>One transaction; an event holds up to 500 outcomes.</summary>
    private const int MaxBatch = 100;

    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly CancellationTokenSource stopping = new();

    protected override void PreStart()
    {
        var journal = PersistenceQuery.Get(Context.System).ReadJournalFor<SqlReadJournal>(SqlReadJournal.Identifier);
        var backoff = RestartSettings.Create(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), 0.2);

        // Each start reads the offset again, so a batch that failed half-way is read once more and one that was stored is not.
        RestartSource.OnFailuresWithBackoff(() => Follow(journal), backoff)
            .To(Sink.Ignore<Done>())
            .Run(Context.Materializer());
    }

    protected override void PostStop() => stopping.Cancel();

    private Source<Done, NotUsed> Follow(SqlReadJournal journal) =>
        Source.FromTask(store.OffsetAsync(stopping.Token))
            .ConcatMany(offset => journal.EventsByTag(tag, Offset.Sequence(offset)))
            // What comes while a batch is written makes the next one. A time limit instead would be a timer that ticks while nothing happens.
            .Batch(MaxBatch, envelope => new List<EventEnvelope> { envelope }, (batch, envelope) =>
            {
                batch.Add(envelope);
                return batch;
            })
            .SelectAsync(1, async batch =>
            {
                try
                {
                    await store.ApplyAsync([.. batch.Select(Read)], stopping.Token);
                }
                catch (Exception e) when (!stopping.IsCancellationRequested)
                {
                    log.Warning("Deliveries can't be written ({Reason}); what they show is late until they can", e.Message);
                    throw;
                }

                return Done.Instance;
            })
            .MapMaterializedValue(_ => NotUsed.Instance);

    private static ProjectedEvent Read(EventEnvelope envelope)
    {
        var id = envelope.PersistenceId.AsSpan(PersistenceIdPrefix.Length);
        return new ProjectedEvent(
            new UserId(long.Parse(id, System.Globalization.CultureInfo.InvariantCulture)), (IUserQueueEvent)envelope.Event, ((Sequence)envelope.Offset).Value);
    }
}

/// <summary>The key of the projection's singleton.</summary>
public sealed class DeliveriesProjectionKey;

public static class DeliveriesProjectionHosting
{
    /// <param name="tag">What the events of UserQueues are tagged with.</param>
    public static AkkaConfigurationBuilder AddDeliveriesProjection(this AkkaConfigurationBuilder builder, DeliveriesStore store, string tag) =>
        builder.WithSingleton<DeliveriesProjectionKey>("deliveries", Props.Create(() => new DeliveriesProjection(store, tag)), createProxyToo: false);
}
