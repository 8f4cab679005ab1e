using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Stage;
using Edm.Contracts;

namespace Edm.Engine.Dispatch;

/// <summary>The service can take so many more mails right now.</summary>
/// <param name="Score">How good a choice it is, 0 to 1; counts from now on for all its credits.</param>
internal sealed record Grant(ServiceId Service, IActorRef Sink, double Score, int Credits) : INoSerializationVerificationNeeded;

/// <summary>The service takes nothing any more; credits it had granted are void.</summary>
internal sealed record Revoke(ServiceId Service) : INoSerializationVerificationNeeded;

/// <summary>The service was given this mail and can't take it; nothing was sent.</summary>
internal sealed record Rebound(Mail Mail) : INoSerializationVerificationNeeded;

/// <summary>Send this: one credit was spent on it.</summary>
internal sealed record Offer(Mail Mail) : INoSerializationVerificationNeeded;

/// <summary>
/// Where the lane's graph ends: binds each mail, at the last moment, to the best service that holds credit. It pulls only while somebody does, so no mail
/// waits behind a slow service. A paused service stalls nobody, which a Partition or a hub would.
/// </summary>
internal sealed class SelectService : GraphStageWithMaterializedValue<SinkShape<Mail>, Task<IActorRef>>
{
    private readonly Inlet<Mail> inlet = new("SelectService.in");

    public override SinkShape<Mail> Shape => new(inlet);

    public override ILogicAndMaterializedValue<Task<IActorRef>> CreateLogicAndMaterializedValue(Attributes inheritedAttributes)
    {
        var logic = new Logic(this);
        return new LogicAndMaterializedValue<Task<IActorRef>>(logic, logic.Ref);
    }

    private sealed class Logic : InGraphStageLogic
    {
        private readonly SelectService stage;
        private readonly CreditTable credits = new();
        private readonly Dictionary<ServiceId, IActorRef> sinks = [];

        /// <summary>Mails that came back from a service; at most one a connection, because each had a credit.</summary>
        private readonly Queue<Mail> rebounds = new();
        private readonly TaskCompletionSource<IActorRef> self = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Logic(SelectService stage) : base(stage.Shape)
        {
            this.stage = stage;
            SetHandler(stage.inlet, this);
        }

        public Task<IActorRef> Ref => self.Task;

        public override void PreStart() => self.SetResult(GetStageActor(OnMessage).Ref);

        public override void OnPush()
        {
            Bind(Grab(stage.inlet));
            Go();
        }

        private void OnMessage((IActorRef Sender, object Message) received)
        {
            switch (received.Message)
            {
                case Grant grant:
                    sinks[grant.Service] = grant.Sink;
                    credits.Grant(grant.Service, grant.Score, grant.Credits);
                    break;
                case Revoke revoke:
                    credits.Revoke(revoke.Service);
                    sinks.Remove(revoke.Service);
                    break;
                case Rebound rebound:
                    rebounds.Enqueue(rebound.Mail);
                    break;
            }

            Go();
        }

        private void Go()
        {
            while (credits.Credits > 0 && rebounds.TryDequeue(out var mail))
            {
                Bind(mail);
            }

            if (credits.Credits > 0 && !HasBeenPulled(stage.inlet) && !IsClosed(stage.inlet))
            {
                Pull(stage.inlet);
            }
        }

        private void Bind(Mail mail)
        {
            // Between pull and push the last credit may have been revoked or gone to a rebound.
            if (credits.Take() is { } service)
            {
                sinks[service].Tell(new Offer(mail));
            }
            else
            {
                rebounds.Enqueue(mail);
            }
        }
    }
}
