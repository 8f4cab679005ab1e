using Akka.Actor;
using Edm.Contracts;
using Edm.Engine.Campaigns;
using Edm.Engine.Content;
using Edm.Engine.Dispatch;
using Edm.Engine.Services;
using Edm.Engine.Services.Limits;
using Edm.Engine.Settings;
using Xunit;

namespace Edm.Engine.Tests.Dispatch;

/// <summary>Several services in one actor: whom a mail is for, what is told when, and how one of them ends while the others go on.</summary>
public sealed class SinkGroupTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly ServiceId A = new(1);
    private static readonly ServiceId B = new(2);

    private readonly ActorSystem system = ActorSystem.Create("sinks");
    private readonly MadeUpWorld world = new();
    private readonly Inbox lane;
    private readonly Inbox select;
    private readonly Queue<object> toLane = [];
    private readonly Queue<object> toSelect = [];
    private readonly IActorRef parent;

    public SinkGroupTests()
    {
        (lane, select) = (Inbox.Create(system), Inbox.Create(system));
        var rooms = new LaneRooms(world, world, world, world, world, new MailsInFlight(), new LaneDirectory(), new ThisProcess(), TimeProvider.System);
        parent = system.ActorOf(ActorProps.Of(() => new Parent(() => new SinkGroup(select.Receiver, rooms), lane.Receiver)));
    }

    public async ValueTask DisposeAsync() => await system.Terminate();

    [Fact]
    public void A_mail_goes_through_the_service_that_it_was_offered_to()
    {
        Add(A, B);

        parent.Tell(new Offer(B, Mail(1)));
        parent.Tell(new Offer(A, Mail(2)));

        Assert.Equal([(B, 1), (A, 2)], new[] { Heard<StartMail>(), Heard<StartMail>() }.Select(start => (start.Service, start.Mail.Key.Seq)));
        Assert.Empty(world.OnTheWire);
        parent.Tell(new Go([(B, Mail(1).Key), (A, Mail(2).Key)]));
        Assert.Equal(new HashSet<(ServiceId?, int)> { (B, 1), (A, 2) }, [.. new[] { Heard<MailEnded>(), Heard<MailEnded>() }.Select(end => (end.Mail.Outcome.Service, end.Mail.Outcome.Seq))]);
    }

    [Fact]
    public void What_is_said_is_told_together_and_in_order_when_it_is_delivered()
    {
        var group = Inbox.Create(system);
        var post = new SinkPost(group.Receiver, lane.Receiver, select.Receiver, system.Scheduler);
        object[] said = [new Revoke(A), new Rebound(Mail(1)), new Gone(A, group.Receiver)];

        foreach (var message in said)
        {
            post.ToSelect(message);
        }

        post.ToLane(new SinkEnded(A));
        post.Deliver();
        post.ToLane(new SinkEnded(B));

        // Once for what was said before, and once for what was said since.
        Assert.Equal([SinkPost.DeliverNow.Instance, SinkPost.DeliverNow.Instance], new[] { group.Receive(Patience), group.Receive(Patience) });
        Assert.Equal(said, Assert.IsType<SinkNews>(select.Receive(Patience)).Messages);
        Assert.Equal([new SinkEnded(A)], Assert.IsType<SinkNews>(lane.Receive(Patience)).Messages);
        post.Deliver();
        Assert.Equal([new SinkEnded(B)], Assert.IsType<SinkNews>(lane.Receive(Patience)).Messages);
        Assert.Throws<TimeoutException>(() => select.Receive(TimeSpan.FromMilliseconds(50)));
    }

    [Fact]
    public void A_deleted_service_ends_after_its_last_mail_and_the_others_go_on()
    {
        Add(A, B);
        parent.Tell(new Offer(A, Mail(1)));
        Heard<StartMail>();

        parent.Tell(new Retire(A));
        parent.Tell(new Forgotten(A));
        parent.Tell(new Offer(B, Mail(2)));
        Assert.Equal(B, Heard<StartMail>().Service);
        parent.Tell(new Go([(A, Mail(1).Key)]));

        var last = new[] { Heard<object>(), Heard<object>() };
        Assert.Equal(1, Assert.IsType<MailEnded>(last[0]).Mail.Outcome.Seq);
        Assert.Equal(new SinkEnded(A), last[1]);
        parent.Tell(new Refuse(B, Mail(2).Key));
        parent.Tell(new Offer(B, Mail(3)));
        Assert.Equal(3, Heard<StartMail>().Mail.Key.Seq);
    }

    [Fact]
    public void A_deleted_service_that_an_offer_may_be_on_its_way_to_waits_for_it()
    {
        Add(A);
        parent.Tell(new Retire(A));
        parent.Tell(new Offer(A, Mail(1)));

        Assert.Equal(1, Chosen<Rebound>().Mail.Key.Seq);
        parent.Tell(new Forgotten(A));
        Assert.Equal(A, Heard<SinkEnded>().Service);
    }

    [Fact]
    public void A_service_that_is_there_again_begins_anew()
    {
        Add(A);
        parent.Tell(new Retire(A));
        parent.Tell(new Forgotten(A));
        Assert.Equal(A, Heard<SinkEnded>().Service);
        Chosen<Gone>();

        Add(A);

        Assert.Equal(1, Chosen<Grant>().Credits);
        parent.Tell(new Offer(A, Mail(1)));
        Assert.Equal(1, Heard<StartMail>().Mail.Key.Seq);
    }

    [Fact]
    public void A_mail_for_a_service_that_has_ended_is_not_forgotten_silently()
    {
        Add(A);
        parent.Tell(new Retire(A));
        parent.Tell(new Forgotten(A));
        Heard<SinkEnded>();

        parent.Tell(new Offer(A, Mail(1)));

        // The lane begins anew, from what is durable.
        Assert.Contains("Service 1", Heard<InvalidOperationException>().Message, StringComparison.Ordinal);
    }

    private static Mail Mail(int seq) => new(
        new MailKey(new UserId(1), new LeaseNr(2), seq), new TaskContext(new TaskId(4), new UserId(1), new CampaignId(5), 1, new TemplateId(6), 1, new PoolId(7)), 1,
        new ContactCard(new ContactId(seq), $"r{seq}@example.com", null, null, null, null, null, null, null, new Dictionary<string, string>()));

    private static AddService Added(ServiceId service, int connections = 1) => new(MadeUpWorld.Service(service.Value, connections), new StartLogSnapshot(service, 0, [], []));

    private void Add(params ServiceId[] services)
    {
        foreach (var service in services)
        {
            parent.Tell(Added(service));
        }
    }

    /// <summary>What the lane hears next of this kind.</summary>
    private T Heard<T>() => Next<T>(lane, toLane);

    /// <summary>What the choice among services hears next of this kind.</summary>
    private T Chosen<T>() => Next<T>(select, toSelect);

    private static T Next<T>(Inbox inbox, Queue<object> unread)
    {
        while (true)
        {
            while (unread.TryDequeue(out var message))
            {
                if (message is T wanted and not ServiceReport)
                {
                    return wanted;
                }
            }

            var received = inbox.Receive(Patience);
            foreach (var message in received is SinkNews news ? news.Messages : [received])
            {
                unread.Enqueue(message);
            }
        }
    }

    /// <summary>In place of a lane: hands down what it is told, and tells what comes up or goes wrong.</summary>
    private sealed class Parent(Func<SinkGroup> make, IActorRef ear) : UntypedActor
    {
        private readonly IActorRef group = Context.ActorOf(ActorProps.Of(make));

        protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(fault =>
        {
            ear.Tell(fault);
            return Directive.Stop;
        });

        protected override void OnReceive(object message)
        {
            if (Sender.Equals(group))
            {
                ear.Tell(message);
                return;
            }

            group.Tell(message);
        }
    }
}
