using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Stage;
using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Services.Limits;

namespace Edm.Engine.Dispatch;

/// <summary>The service can take so many more mails right now; none, when only its standing has changed.</summary>
internal sealed record Grant(ServiceId Service, IActorRef Sink, Standing Standing, int Credits) : INoSerializationVerificationNeeded;

/// <summary>The service takes nothing any more; credits it had granted are void.</summary>
/// <param name="Gone">It will never grant again.</param>
internal sealed record Revoke(ServiceId Service, bool Gone = false) : INoSerializationVerificationNeeded;

/// <summary>How the parts of a score count from now on.</summary>
internal sealed record Weigh(SelectionWeights Weights) : INoSerializationVerificationNeeded;

/// <summary>The service was given this mail and can't take it; nothing was sent.</summary>
internal sealed record Rebound(Mail Mail) : INoSerializationVerificationNeeded;

/// <summary>The service tried this mail and was refused for who it is; the mail may fare better with another.</summary>
internal sealed record Unwanted(Mail Mail, ServiceId Service, EndedMail Ended) : INoSerializationVerificationNeeded;

/// <summary>Send this: one credit was spent on it.</summary>
internal sealed record Offer(Mail Mail) : INoSerializationVerificationNeeded;

/// <summary>
/// Where the lane's graph ends: binds each mail, at the last moment, to the best service that holds credit and may send to the recipient's provider. It pulls only while
/// somebody does, so no mail waits behind a slow service. A paused service stalls nobody, which a Partition or a hub would. Mails whose provider nobody may send
/// to now wait aside, so that they hold up nobody else; when there are many of them, or it takes long, they go back to their queue until it may be.
/// </summary>
/// <param name="lane">Is told of the mails that go back, with <see cref="MailEnded"/>.</param>
internal sealed class SelectService(IActorRef lane, TimeProvider time) : GraphStageWithMaterializedValue<SinkShape<Mail>, Task<IActorRef>>
{
    /// <summary>Mails that wait aside before nothing more is pulled: a batch of one user.</summary>
    private const int MaxAside = 64;

    /// <summary>Longer than caps of a minute need, shorter than anybody wants to wait for a pause.</summary>
    private const long MaxAsideMs = 5_000;

    /// <summary>Who waits for a provider's pace comes back spread over this at most: by then the pace may have recovered.</summary>
    private const long MaxSpreadMs = 600_000;

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
        private readonly CreditTable credits = new();
        private readonly Dictionary<ServiceId, IActorRef> sinks = [];

        /// <summary>
        /// By provider: mails that came back from a service, at most one a connection because each had a credit, and mails that nobody may send now.
        /// </summary>
        private readonly Queue<(Mail Mail, long SinceMs)>[] aside = [.. Enumerable.Range(0, MailboxProviders.Count).Select(_ => new Queue<(Mail, long)>())];

        /// <summary>By provider: the moment that the mail that went back last was given.</summary>
        private readonly long[] given = new long[MailboxProviders.Count];
        private readonly TaskCompletionSource<IActorRef> self = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Logic(SelectService stage, IActorRef lane, TimeProvider time) : base(stage.Shape)
        {
            (this.stage, this.lane, this.time) = (stage, lane, time);
            SetHandler(stage.inlet, this);
        }

        public Task<IActorRef> Ref => self.Task;

        private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

        private int Aside => aside.Sum(queue => queue.Count);

        public override void PreStart()
        {
            self.SetResult(GetStageActor(OnMessage).Ref);
            ScheduleRepeatedly(nameof(GiveBack), TimeSpan.FromSeconds(1));
        }

        public void OnPush()
        {
            Bind(Grab(stage.inlet), NowMs);
            Go();
        }

        public void OnUpstreamFinish() => CompleteStage();

        public void OnUpstreamFailure(Exception e) => FailStage(e);

        private void OnMessage((IActorRef Sender, object Message) received)
        {
            switch (received.Message)
            {
                case Grant grant:
                    sinks[grant.Service] = grant.Sink;
                    credits.Grant(grant.Service, grant.Standing, grant.Credits);
                    break;
                case Revoke { Gone: true } gone:
                    credits.Forget(gone.Service);
                    sinks.Remove(gone.Service);
                    break;
                case Revoke revoke:
                    credits.Revoke(revoke.Service);
                    break;
                case Weigh weigh:
                    credits.Weights = weigh.Weights;
                    break;
                case Rebound rebound:
                    aside[(int)rebound.Mail.Provider].Enqueue((rebound.Mail, NowMs));
                    break;
                case Unwanted unwanted:
                    lane.Tell(new MailEnded(Elsewhere(unwanted)));
                    break;
            }

            Go();
        }

        protected override void OnTimer(object timerKey)
        {
            GiveBack();
            Go();
        }

        private void Go()
        {
            for (var provider = 0; provider < aside.Length && credits.Credits > 0; provider++)
            {
                // Who spares a service goes back to the end and holds up nobody.
                for (var left = aside[provider].Count; left > 0 && credits.CanTake((MailboxProvider)provider); left--)
                {
                    var (mail, since) = aside[provider].Dequeue();
                    Bind(mail, since);
                }
            }

            if (Aside >= MaxAside)
            {
                GiveBack();
            }

            if (credits.Credits > 0 && Aside < MaxAside && !HasBeenPulled(stage.inlet) && !IsClosed(stage.inlet))
            {
                Pull(stage.inlet);
            }
        }

        private void Bind(Mail mail, long sinceMs)
        {
            // Between pull and push the last credit may have been revoked or gone to a rebound.
            if (credits.Take(mail.Provider, NowMs, mail.RefusedBy) is { } taken)
            {
                sinks[taken.Service].Tell(new Offer(mail with { Choice = taken.Why }));
            }
            else
            {
                aside[(int)mail.Provider].Enqueue((mail, sinceMs));
            }
        }

        /// <summary>With the moment at which a service may have it that this recipient's server has not refused.</summary>
        private EndedMail Elsewhere(Unwanted unwanted)
        {
            var (mail, ended) = (unwanted.Mail, unwanted.Ended);
            var next = credits.NextMs(mail.Provider, [.. mail.RefusedBy, unwanted.Service]);
            return next == long.MaxValue ? ended : ended with { Outcome = ended.Outcome with { ElsewhereMs = Math.Max(next, NowMs) } };
        }

        /// <summary>Those that wait for their provider and not for credit, once they have waited long, or hold up the others.</summary>
        private void GiveBack()
        {
            if (credits.Credits == 0)
            {
                return;
            }

            var now = NowMs;
            var crowded = Aside >= MaxAside;
            for (var provider = 0; provider < aside.Length; provider++)
            {
                while (aside[provider].TryPeek(out var oldest) && (crowded || now - oldest.SinceMs >= MaxAsideMs) && !credits.CanTake((MailboxProvider)provider, now, oldest.Mail.RefusedBy))
                {
                    aside[provider].Dequeue();
                    var name = MailboxProviders.NameOf((MailboxProvider)provider);
                    lane.Tell(new MailEnded(oldest.Mail.Postponed(now, Moment(provider, now), $"no service may send to {name} now")));
                }
            }
        }

        /// <summary>When to come again: when the provider may be sent to, and not before those that went back earlier have had their turn at its pace.</summary>
        private long Moment(int provider, long now)
        {
            var next = credits.NextMs((MailboxProvider)provider);
            next = next == long.MaxValue ? now + MaxAsideMs : Math.Max(next, now + MaxAsideMs);
            if (credits.HasRevoked)
            {
                next = Math.Min(next, now + MaxSpreadMs);
            }

            if (credits.EveryMs((MailboxProvider)provider) is > 0 and var every)
            {
                next = Math.Max(next, Math.Min(given[provider] + (long)every, now + MaxSpreadMs));
                given[provider] = next;
            }

            return next;
        }
    }
}
