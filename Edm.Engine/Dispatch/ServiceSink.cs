using Akka.Actor;
using Akka.Event;
using Edm.Contracts;
using Edm.Engine.Services;
using Edm.Engine.Services.Replies;

namespace Edm.Engine.Dispatch;

/// <summary>
/// One mail service at work: the shell around its <see cref="ServiceGate"/>. It grants the credits that the gate allows, and sends what it is offered.
/// The order of one mail: offered (a credit is spent) → connection ready, mail rendered → start journaled by the lane → sent → outcome told.
/// A service that can't be reached gives its mails back before anything was started, so they go through others and cost nobody a try.
/// </summary>
internal sealed class ServiceSink : UntypedActor, IWithTimers
{
    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(2);

    /// <summary>Servers hang up after five minutes or so (RFC 5321, 4.5.3.2.7); a connection that idles longer than this is more use to somebody else.</summary>
    private const long CloseIdleAfterMs = 30_000;

    /// <summary>A block may answer every mail; one line a minute tells of all.</summary>
    private static readonly TimeSpan AlertEvery = TimeSpan.FromMinutes(1);

    /// <summary>A timer of the runtime counts no further; the check every two seconds finds what comes later.</summary>
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(40);

    private readonly IActorRef select;
    private readonly LaneRooms rooms;
    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly CancellationTokenSource stopping = new();
    private readonly ServiceGate gate;
    private readonly Slots slots = new();
    private readonly PrepareMail prepare;
    private readonly SendMail send;

    /// <summary>Not Akka's clock, whose tick of 100 ms would cost a service of 5 mails a second a fifth of its pace.</summary>
    private readonly ITimer wake;
    private ServiceSettings service;

    /// <summary>Nothing more is granted, and it ends when its last mail has.</summary>
    private bool retired;

    /// <summary>No offer can be on its way any more.</summary>
    private bool forgotten;
    private bool hasError = true;
    private DateTimeOffset nextAlert;
    private ServiceReport? lastReport;

    public ServiceSink(ServiceSettings service, IActorRef select, StartLogSnapshot starts, LaneRooms rooms)
    {
        (this.service, this.select, this.rooms) = (service, select, rooms);
        prepare = new PrepareMail(rooms, stopping.Token);
        send = new SendMail(rooms.Time, log, stopping.Token);
        gate = new ServiceGate(service, starts, Random.Shared, Now);
        var self = Self;
        wake = rooms.Time.CreateTimer(_ => self.Tell(GrantAgain.Instance), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        slots.Resize(service.Connections);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private DateTimeOffset Now => rooms.Time.GetUtcNow();

    private long NowMs => Now.ToUnixTimeMilliseconds();

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(Check.Instance, Check.Instance, CheckEvery);
        GrantMore();
        Report();
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Offer offer: OnOffer(offer.Mail); break;
            case Prepared prepared: OnPrepared(prepared); break;
            case Go go: OnGo(go); break;
            case Refuse refuse: OnRefuse(refuse.Key); break;
            case Sent sent: OnSent(sent); break;
            case GrantAgain: GrantMore(); break;
            case Check: OnCheck(); break;
            case Configure configure: OnConfigure(configure.Settings); break;
            case StopGranting:
                gate.Stop();
                Revoke();
                Report();
                break;
            case Retire:
                gate.Stop();
                retired = true;
                select.Tell(new Revoke(service.Id, Gone: true));
                break;
            case Forgotten:
                forgotten = true;
                StopIfRetired();
                break;
            case ErrorStored stored when stored.Fault is not null:
                hasError = true;
                log.Debug("The last error of service {Service} could not be stored: {Reason}", service.Id, stored.Fault.Message);
                break;
        }
    }

    /// <summary>Tells what can be used right now, and sees to it that the gate is asked again when more can.</summary>
    private void GrantMore()
    {
        var now = Now;
        var granting = gate.Grant(now, slots.Free);
        if (granting.Standing is { } standing)
        {
            select.Tell(new Grant(service.Id, Self, standing, granting.Credits));
        }

        Wake(granting.NextAt, now);
    }

    private void Wake(DateTimeOffset? next, DateTimeOffset now)
    {
        if (next > now && next - now < LongestTimer)
        {
            wake.Change(next.Value - now, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>What was granted is void. Offers that cross this on the way are rebound.</summary>
    private void Revoke() => select.Tell(new Revoke(service.Id));

    private void OnOffer(Mail mail)
    {
        var now = Now;
        if (slots.FindFree() is not { } slot || !gate.Offered(mail.Provider, now))
        {
            // First what it can't take, so that the mail does not come back at once.
            GrantMore();
            select.Tell(new Rebound(mail));
            return;
        }

        slot.Mail = mail;
        slot.Connection ??= rooms.Transport.Open(service);
        prepare.PrepareAsync(slot.Connection, mail, service).PipeTo(Self);
        Wake(gate.NextAt(now), now);
    }

    private void OnPrepared(Prepared prepared)
    {
        if (slots.BusyWith(prepared.Key) is not { Mail: { } mail } slot)
        {
            return;
        }

        var stale = slot.IsStale;
        var ready = prepared.Message is not null && !stale;
        if (ready && gate.TryStart(mail.Provider, Now))
        {
            slot.Message = prepared.Message;
            Context.Parent.Tell(new StartMail(mail, service.Id));
            return;
        }

        if (!ready)
        {
            gate.Dropped(mail.Provider);
        }

        prepared.Message?.Dispose();
        slots.Release(slot, NowMs);
        if (prepared.BadMail is { } reason)
        {
            Context.Parent.Tell(new MailEnded(mail.Ended(OutcomeKind.Failed, NowMs, null, reason)));
        }
        else if (prepared.ServiceFault is { } fault)
        {
            if (gate.Faulted(Now, fault.Message, fault.Reply is { } reply ? ReplyClassifier.Of(reply) : null))
            {
                Revoke();
            }

            TellFault(fault.Message);
            select.Tell(new Rebound(mail));
        }
        else if (ready)
        {
            GrantMore();
            select.Tell(new Rebound(mail));
        }
        else
        {
            // The database was away when the template was wanted, or we are stopping: nothing was sent. A moment's patience, then again.
            if (prepared.Other is { } other)
            {
                log.Warning("Service {Service} could not prepare a mail ({Reason})", service.Id, other.Message);
            }

            Context.System.Scheduler.ScheduleTellOnce(TimeSpan.FromMilliseconds(stale ? 1 : 500), select, new Rebound(mail), Self);
        }

        GrantMore();
        StopIfRetired();
    }

    /// <summary>The service does not work: its owner reads on its page what it said.</summary>
    private void TellFault(string words)
    {
        if (gate.LeftAloneUntil is { } until)
        {
            log.Warning("Service {Service} is left alone until {Until}: {Words}", service.Id, until, words);
        }

        hasError = true;
        StoreError(words);
    }

    /// <summary>The owner reads on the service's page what is wrong with its standing, until a mail is answered otherwise; not more often than once in a while.</summary>
    /// <param name="words">Null: nothing is wrong.</param>
    private void TellOwner(string? words)
    {
        if (words is null ? !hasError : Now < nextAlert)
        {
            return;
        }

        if (words is not null)
        {
            nextAlert = Now + AlertEvery;
            log.Warning("Service {Service} is not wanted as a sender: {Words}", service.Id, words);
        }

        hasError = words is not null;
        StoreError(words);
    }

    private void StoreError(string? words) => rooms.Services.SetLastErrorAsync(service.Id, words, stopping.Token)
        .PipeTo(Self, success: () => new ErrorStored(null), failure: fault => new ErrorStored(fault));

    private void OnGo(Go go)
    {
        if (slots.BusyWith(go.Key) is { Mail: { } mail, Message: { } message, Connection: { } connection } slot)
        {
            // Here and not where the lane commits: a sink that ends before it gets this far has put nothing on the wire, and must not be waited for.
            var outcome = rooms.InFlight.Begin(service.Lane, go.Key);
            var now = Now;
            slot.IsSending = true;
            slot.Mails++;
            gate.Started(mail.Provider, now);
            send.SendAsync(connection, message, mail, service, outcome).PipeTo(Self);
            Wake(gate.NextAt(now), now);
        }
        else
        {
            throw new InvalidOperationException($"Service {service.Id} was told to send {go.Key}, which it is not busy with.");
        }
    }

    private void OnSent(Sent sent)
    {
        if (slots.BusyWith(sent.Key) is not { Mail: { } mail } slot)
        {
            throw new InvalidOperationException($"Service {service.Id} has sent {sent.Key}, which it is not busy with.");
        }

        if (sent.Answer.IsUnwanted)
        {
            // Whoever chooses among the services knows whether another may take it, and tells the lane.
            select.Tell(new Unwanted(mail, service.Id, sent.Ended));
        }
        else
        {
            Context.Parent.Tell(new MailEnded(sent.Ended));
        }

        slot.IsStale |= slot.Mails >= service.Limits.PerConnection;
        slots.Release(slot, NowMs);
        var answer = sent.Answer;
        if (gate.Ended(mail.Provider, answer, Now))
        {
            Revoke();
        }

        if (answer.Action == ReplyAction.Pause)
        {
            TellFault(answer.Words);
        }
        else if (answer.IsUnwanted)
        {
            TellOwner(answer.Words);
        }
        else if (answer.IsAtWork && !gate.IsUnwanted)
        {
            TellOwner(null);
        }

        GrantMore();
        StopIfRetired();
    }

    private void OnRefuse(MailKey key)
    {
        if (slots.BusyWith(key) is { Mail: { } mail } slot)
        {
            gate.Refused(mail.Provider);
            slots.Release(slot, NowMs);
            GrantMore();
            StopIfRetired();
        }
    }

    private void OnConfigure(ServiceSettings changed)
    {
        service = changed;
        gate.Configure(changed, Now);
        Revoke();
        slots.Renew();
        slots.Resize(service.Connections);
        hasError = true;
        GrantMore();
        Report();
    }

    private void OnCheck()
    {
        slots.CloseIdle(NowMs - CloseIdleAfterMs);
        GrantMore();
        Report();
    }

    /// <summary>Tells the lane what has changed since it was told last.</summary>
    private void Report()
    {
        var report = gate.Report(Now, slots.Count);
        var isSame = lastReport is { } last && last with { Reasons = null } == report with { Reasons = null } && last.Reasons.AsSpan().SequenceEqual(report.Reasons);
        if (!isSame)
        {
            lastReport = report;
            Context.Parent.Tell(report);
        }
    }

    private void StopIfRetired()
    {
        // An offer that meets nobody would be a mail that is held for ever: so it is not enough that no mail is left.
        if (retired && forgotten && slots.AllFree)
        {
            Context.Stop(Self);
        }
    }

    protected override void PostStop()
    {
        stopping.Cancel();
        wake.Dispose();
        slots.CloseAllButSending();
        base.PostStop();
    }

    private sealed record ErrorStored(Exception? Fault) : INoSerializationVerificationNeeded;

    private sealed class GrantAgain : INoSerializationVerificationNeeded
    {
        public static readonly GrantAgain Instance = new();
    }

    private sealed class Check : INoSerializationVerificationNeeded
    {
        public static readonly Check Instance = new();
    }
}
