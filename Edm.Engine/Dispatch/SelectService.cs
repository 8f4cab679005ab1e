using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Stage;
using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Services.Limits;

namespace Edm.Engine.Dispatch;

/// <summary>The service can take so many more mails right now; none, when only its standing has changed.</summary>
/// <param name="Group">Where it lives.</param>
internal sealed record Grant(ServiceId Service, IActorRef Group, Standing Standing, int Credits);

/// <summary>The service takes nothing any more; credits it had granted are void.</summary>
internal sealed record Revoke(ServiceId Service);

/// <summary>The service takes nothing any more and will never grant again; answered with <see cref="Forgotten"/>.</summary>
/// <param name="Group">Where it lives.</param>
internal sealed record Gone(ServiceId Service, IActorRef Group);

/// <summary>The answer to a service that is gone: whatever it was offered has been said before this.</summary>
internal sealed record Forgotten(ServiceId Service) : IForSink;

/// <summary>How the parts of a score count from now on.</summary>
internal sealed record Weigh(SelectionWeights Weights) : INoSerializationVerificationNeeded;

/// <summary>The service was given this mail and can't take it; nothing was sent.</summary>
internal sealed record Rebound(Mail Mail) : INoSerializationVerificationNeeded;

/// <summary>The service tried this mail and was refused for who it is; the mail may fare better with another.</summary>
internal sealed record Unwanted(Mail Mail, ServiceId Service, EndedMail Ended);

/// <summary>Send this: one credit was spent on it.</summary>
internal sealed record Offer(ServiceId Service, Mail Mail) : IForSink;

/// <summary>
/// Where the lane's graph ends, around <see cref="MailBinding{TMail}"/>. It pulls only while somebody holds credit, so no mail waits behind a slow service. A paused service stalls
/// nobody, which a Partition or a hub would.
/// </summary>
/// <param name="lane">Is told, with <see cref="MailEnded"/>, of the mails that go back and of those that a service was refused with.</param>
internal sealed class SelectService(IActorRef lane, TimeProvider time) : GraphStageWithMaterializedValue<SinkShape<Mail>, Task<IActorRef>>
{
    private readonly Inlet<Mail> inlet = new("SelectService.in");

    public override SinkShape<Mail> Shape => new(inlet);

    public override ILogicAndMaterializedValue<Task<IActorRef>> CreateLogicAndMaterializedValue(Attributes inheritedAttributes)
    {
        var logic = new Logic(this, lane, time);
        return new LogicAndMaterializedValue<Task<IActorRef>>(logic, logic.Ref);
    }

    private sealed class Logic : TimerGraphStageLogic, IInHandler
    {
        private readonly SelectService stage;
        private readonly IActorRef lane;
        private readonly TimeProvider time;
        private readonly MailBinding<Mail> binding;
        private readonly Dictionary<ServiceId, IActorRef> groups = [];
        private readonly TaskCompletionSource<IActorRef> self = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Logic(SelectService stage, IActorRef lane, TimeProvider time) : base(stage.Shape)
        {
            (this.stage, this.lane, this.time) = (stage, lane, time);
            binding = new MailBinding<Mail>(Offer, GiveBack);
            SetHandler(stage.inlet, this);
        }

        public Task<IActorRef> Ref => self.Task;

        private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

        public override void PreStart()
        {
            self.SetResult(GetStageActor(OnMessage).Ref);
            ScheduleRepeatedly(nameof(GiveBack), TimeSpan.FromSeconds(1));
        }

        public void OnPush()
        {
            binding.Bind(Grab(stage.inlet), NowMs);
            Go();
        }

        public void OnUpstreamFinish() => CompleteStage();

        public void OnUpstreamFailure(Exception e) => FailStage(e);

        private void OnMessage((IActorRef Sender, object Message) received)
        {
            if (received.Message is SinkNews news)
            {
                foreach (var message in news.Messages)
                {
                    Hear(message);
                }
            }
            else
            {
                Hear(received.Message);
            }

            Go();
        }

        private void Hear(object message)
        {
            switch (message)
            {
                case Grant grant:
                    groups[grant.Service] = grant.Group;
                    binding.Credits.Grant(grant.Service, grant.Standing, grant.Credits);
                    break;
                case Gone gone:
                    binding.Credits.Forget(gone.Service);
                    groups.Remove(gone.Service);
                    gone.Group.Tell(new Forgotten(gone.Service));
                    break;
                case Revoke revoke:
                    binding.Credits.Revoke(revoke.Service);
                    break;
                case Weigh weigh:
                    binding.Credits.Weights = weigh.Weights;
                    break;
                case Rebound rebound:
                    binding.PutAside(rebound.Mail, NowMs);
                    break;
                case Unwanted unwanted:
                    var outcome = unwanted.Ended.Outcome with { ElsewhereMs = binding.ElsewhereMs(unwanted.Mail, unwanted.Service, NowMs) };
                    lane.Tell(new MailEnded(unwanted.Ended with { Outcome = outcome }));
                    break;
            }
        }

        protected override void OnTimer(object timerKey)
        {
            binding.GiveBack(NowMs);
            Go();
        }

        private void Go()
        {
            binding.Go(NowMs);
            if (binding.WantsMore && !HasBeenPulled(stage.inlet) && !IsClosed(stage.inlet))
            {
                Pull(stage.inlet);
            }
        }

        private void Offer(Mail mail, ServiceId service, Choice why) => groups[service].Tell(new Offer(service, mail with { Choice = why }));

        private void GiveBack(Mail mail, long notBeforeMs) =>
            lane.Tell(new MailEnded(mail.Postponed(NowMs, notBeforeMs, $"no service may send to {MailboxProviders.NameOf(mail.Provider)} now")));
    }
}
