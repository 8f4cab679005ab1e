using Akka.Actor;
using Akka.Cluster.Hosting;
using Akka.Event;
using Akka.Hosting;
using Edm.Engine.Settings;

namespace Edm.Engine.Storage.Journal;

/// <summary>Trims the journal from time to time: one in the cluster. A round that fails is made good by the next one.</summary>
internal sealed class JournalTrimming : ReceiveActor, IWithTimers
{
    private readonly JournalTrim trim;
    private readonly TimeSpan every;
    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly CancellationTokenSource stopping = new();

    public JournalTrimming(JournalTrim trim, TimeSpan every)
    {
        (this.trim, this.every) = (trim, every);
        Receive<Begin>(_ => trim.RunAsync(stopping.Token).PipeTo(Self, success: gone => new Ended(gone)));
        Receive<Ended>(ended =>
        {
            if (ended.Events > 0)
            {
                log.Info("{Events} events that no queue, lane or projection needs any more have gone from the journal", ended.Events);
            }

            Wait();
        });
        Receive<Status.Failure>(failed =>
        {
            if (!stopping.IsCancellationRequested)
            {
                log.Warning("The journal was not trimmed ({Reason}); it will be in {Every}", failed.Cause.Message, every);
                Wait();
            }
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => Wait();

    protected override void PostStop() => stopping.Cancel();

    // After a round has ended, so that there is never a second one beside it.
    private void Wait() => Timers.StartSingleTimer(Begin.Instance, Begin.Instance, every);

    private sealed class Begin : INoSerializationVerificationNeeded
    {
        public static readonly Begin Instance = new();
    }

    private sealed record Ended(long Events) : INoSerializationVerificationNeeded;
}

/// <summary>The key of the trimming's singleton.</summary>
public sealed class JournalTrimmingKey;

public static class JournalTrimmingHosting
{
    /// <param name="every">How long after one round the next one begins; null: never.</param>
    /// <param name="projections">The names of all that read the journal, as they stand in <c>projection_offsets</c>.</param>
    public static AkkaConfigurationBuilder AddJournalTrimming(
        this AkkaConfigurationBuilder builder, JournalTrimStore store, IReadOnlyList<string> projections, TimeSpan? every, TrimRules rules, TimeProvider time) =>
        every is { } period
            ? builder.WithSingleton<JournalTrimmingKey>(
                "journal-trimming", ActorProps.Of(() => new JournalTrimming(new JournalTrim(store, projections, rules, time), period)), createProxyToo: false)
            : builder;
}
