using Akka.Actor;
using Akka.Event;
using Edm.Contracts;

namespace Edm.Engine.Dispatch;

/// <summary>
/// The actor of many <see cref="ServiceSink"/>s of one lane. With an actor for each service, a thousand services made a thousand mailboxes with one message now and then; a few groups
/// have many messages at a time, and do what is alike in a row.
/// </summary>
internal sealed class SinkGroup : UntypedActor, IWithTimers
{
    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(2);

    private readonly LaneRooms rooms;
    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly SinkPost post;
    private readonly Dictionary<ServiceId, ServiceSink> sinks = [];

    public SinkGroup(IActorRef select, LaneRooms rooms)
    {
        this.rooms = rooms;
        post = new SinkPost(Self, Context.Parent, select, Context.System.Scheduler);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => Timers.StartPeriodicTimer(Check.Instance, Check.Instance, CheckEvery);

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case IForSink one:
                Hand(one);
                break;
            case Go go:
                foreach (var (service, mail) in go.Mails)
                {
                    Find(service).Go(mail);
                }

                break;
            case Refuse refuse:
                var refused = Find(refuse.Service);
                refused.Refuse(refuse.Mail);
                EndIfOver(refuse.Service, refused);
                break;
            case SinkPost.DeliverNow: post.Deliver(); break;
            case Check:
                foreach (var sink in sinks.Values)
                {
                    sink.Check();
                }

                break;
            case AddService add:
                sinks.Add(add.Settings.Id, new ServiceSink(add.Settings, add.Starts, rooms, post, log));
                break;
            case StopGranting:
                foreach (var sink in sinks.Values)
                {
                    sink.StopGranting();
                }

                break;
        }
    }

    private void Hand(IForSink message)
    {
        if (sinks.TryGetValue(message.Service, out var sink))
        {
            sink.Receive(message);
            EndIfOver(message.Service, sink);
        }
        else if (message is Offer or Prepared or Sent)
        {
            Find(message.Service);
        }
    }

    private void EndIfOver(ServiceId service, ServiceSink sink)
    {
        if (sink.HasEnded)
        {
            sink.Stop();
            sinks.Remove(service);
            post.ToLane(new SinkEnded(service));
        }
    }

    /// <exception cref="InvalidOperationException">It has ended with a mail on the way to it, which would be held for ever: the lane is to begin anew.</exception>
    private ServiceSink Find(ServiceId service) =>
        sinks.GetValueOrDefault(service) ?? throw new InvalidOperationException($"Service {service} has ended and is told of a mail.");

    protected override void PostStop()
    {
        foreach (var sink in sinks.Values)
        {
            sink.Stop();
        }

        base.PostStop();
    }

    private sealed class Check : INoSerializationVerificationNeeded
    {
        public static readonly Check Instance = new();
    }
}
