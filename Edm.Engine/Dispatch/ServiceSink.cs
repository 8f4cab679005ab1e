using Akka.Actor;
using Akka.Event;
using Edm.Contracts;
using Edm.Engine.Services;
using Edm.Engine.Services.Replies;

namespace Edm.Engine.Dispatch;

/// <summary>
/// One mail service at work, in the actor of its <see cref="SinkGroup"/>: the shell around its <see cref="ServiceGate"/>. It grants the credits that the gate allows, and sends
/// what it is offered.
/// The order of one mail: offered (a credit is spent) → connection ready, mail rendered → start journaled by the lane → sent → outcome told.
/// A service that can't be reached gives its mails back before anything was started, so they go through others and cost nobody a try.
/// </summary>
internal sealed class ServiceSink
{
    /// <summary>Servers hang up after five minutes or so (RFC 5321, 4.5.3.2.7); a connection that idles longer than this is more use to somebody else.</summary>
    private const long CloseIdleAfterMs = 30_000;

    /// <summary>A block may answer every mail; one line a minute tells of all.</summary>
    private static readonly TimeSpan AlertEvery = TimeSpan.FromMinutes(1);

    /// <summary>A timer of the runtime counts no further; the regular check finds what comes later.</summary>
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(40);

    private readonly SinkPost post;
    private readonly LaneRooms rooms;
    private readonly ILoggingAdapter log;
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

    /// <summary>The service's page says so.</summary>
    private bool hasError;
    private DateTimeOffset nextAlert;
    private ServiceReport? lastReport;

    public ServiceSink(ServiceSettings service, StartLogSnapshot starts, LaneRooms rooms, SinkPost post, ILoggingAdapter log)
    {
        (this.service, this.rooms, this.post, this.log) = (service, rooms, post, log);
        prepare = new PrepareMail(rooms, stopping.Token);
        send = new SendMail(rooms.Time, log, stopping.Token);
        gate = new ServiceGate(service, starts, Random.Shared, Now);
        var again = new GrantAgain(service.Id);
        wake = rooms.Time.CreateTimer(_ => post.Self.Tell(again), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        hasError = service.HasError;
        slots.Resize(service.Connections);
        GrantMore();
        Report();
    }

    /// <summary>It was deleted, and nothing can reach it any more.</summary>
    public bool HasEnded => retired && forgotten && slots.AllFree;

    private DateTimeOffset Now => rooms.Time.GetUtcNow();

    private long NowMs => Now.ToUnixTimeMilliseconds();

    public void Receive(IForSink message)
    {
        switch (message)
        {
            case Offer offer: OnOffer(offer.Mail); break;
            case Prepared prepared: OnPrepared(prepared); break;
            case Sent sent: OnSent(sent); break;
            case GrantAgain: GrantMore(); break;
            case Configure configure: OnConfigure(configure.Settings); break;
            case Retire when !retired:
                gate.Stop();
                retired = true;
                post.ToSelect(new Gone(service.Id, post.Self));
                break;
            case Forgotten: forgotten = true; break;
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
            post.ToSelect(new Grant(service.Id, post.Self, standing, granting.Credits));
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
    private void Revoke() => post.ToSelect(new Revoke(service.Id));

    private void OnOffer(Mail mail)
    {
        var now = Now;
        if (slots.FindFree() is not { } slot || !gate.Offered(mail.Provider, now))
        {
            // First what it can't take, so that the mail does not come back at once.
            GrantMore();
            post.ToSelect(new Rebound(mail));
            return;
        }

        slot.Mail = mail;
        slot.Connection ??= rooms.Transport.Open(service);
        var prepared = prepare.PrepareAsync(slot.Connection, mail, service);
        if (prepared.IsCompletedSuccessfully)
        {
            // Most often: the connection is open and the template is at hand.
            OnPrepared(prepared.Result);
        }
        else
        {
            prepared.PipeTo(post.Self);
        }

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
            post.ToLane(new StartMail(mail, service.Id));
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
            post.ToLane(new MailEnded(mail.Ended(OutcomeKind.Failed, NowMs, null, reason)));
        }
        else if (prepared.ServiceFault is { } fault)
        {
            if (gate.Faulted(Now, fault.Message, fault.Reply is { } reply ? ReplyClassifier.Of(reply) : null))
            {
                Revoke();
            }

            TellFault(fault.Message);
            post.ToSelect(new Rebound(mail));
        }
        else if (ready)
        {
            GrantMore();
            post.ToSelect(new Rebound(mail));
        }
        else
        {
            // The database was away when the template was wanted, or we are stopping: nothing was sent. A moment's patience, then again.
            if (prepared.Other is { } other)
            {
                log.Warning("Service {Service} could not prepare a mail ({Reason})", service.Id, other.Message);
            }

            post.ToSelect(new Rebound(mail), TimeSpan.FromMilliseconds(stale ? 1 : 500));
        }

        GrantMore();
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
        .PipeTo(post.Self, success: () => new ErrorStored(service.Id, null), failure: fault => new ErrorStored(service.Id, fault));

    /// <summary>The start is durable: send it now.</summary>
    public void Go(MailKey key)
    {
        if (slots.BusyWith(key) is { Mail: { } mail, Message: { } message, Connection: { } connection } slot)
        {
            // Here and not where the lane commits: a sink that ends before it gets this far has put nothing on the wire, and must not be waited for.
            var outcome = rooms.InFlight.Begin(service.Lane, key);
            var now = Now;
            slot.IsSending = true;
            slot.Mails++;
            gate.Started(mail.Provider, now);
            send.SendAsync(connection, message, mail, service, outcome).PipeTo(post.Self);
            Wake(gate.NextAt(now), now);
        }
        else
        {
            throw new InvalidOperationException($"Service {service.Id} was told to send {key}, which it is not busy with.");
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
            post.ToSelect(new Unwanted(mail, service.Id, sent.Ended));
        }
        else
        {
            post.ToLane(new MailEnded(sent.Ended));
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
    }

    /// <summary>It may not be sent after all.</summary>
    public void Refuse(MailKey key)
    {
        if (slots.BusyWith(key) is { Mail: { } mail } slot)
        {
            gate.Refused(mail.Provider);
            slots.Release(slot, NowMs);
            GrantMore();
        }
    }

    private void OnConfigure(ServiceSettings changed)
    {
        service = changed;
        gate.Configure(changed, Now);
        Revoke();
        slots.Renew();
        slots.Resize(service.Connections);
        hasError |= changed.HasError;
        GrantMore();
        Report();
    }

    /// <summary>Every few seconds.</summary>
    public void Check()
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
            post.ToLane(report);
        }
    }

    /// <summary>Nothing is granted any more: the lane ends.</summary>
    public void StopGranting()
    {
        gate.Stop();
        Revoke();
        Report();
    }

    public void Stop()
    {
        stopping.Cancel();
        wake.Dispose();
        slots.CloseAllButSending();
    }

    private sealed record ErrorStored(ServiceId Service, Exception? Fault) : IForSink;

    private sealed record GrantAgain(ServiceId Service) : IForSink;
}
