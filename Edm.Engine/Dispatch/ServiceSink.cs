using Akka.Actor;
using Akka.Event;
using Edm.Contracts;
using Edm.Engine.Services;
using Edm.Engine.Services.Limits;
using Edm.Engine.Services.Replies;

namespace Edm.Engine.Dispatch;

/// <summary>
/// One mail service at work: grants credit while pace, quota, breaker and a free connection allow a mail right now, and sends what it is offered.
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

    /// <summary>RFC 5321, 4.2.2: "service not available, closing transmission channel".</summary>
    private const int ServiceClosing = 421;

    private readonly IActorRef select;
    private readonly LaneRooms rooms;
    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly CancellationTokenSource stopping = new();
    private readonly CircuitBreaker breaker = new();
    private readonly ServicePace pace;
    private readonly MinimumGap gap;
    private readonly StartLog starts;
    private readonly Slots slots = new();
    private readonly PrepareMail prepare;
    private readonly SendMail send;

    /// <summary>Not Akka's clock, whose tick of 100 ms would cost a service of 5 mails a second a fifth of its pace.</summary>
    private readonly ITimer wake;
    private ServiceSettings service;
    private ServiceQuota quota;
    private SendingWindows windows;
    private SuccessRate success;

    /// <summary>By provider.</summary>
    private readonly SuccessRate[] fits = new SuccessRate[MailboxProviders.Count];

    /// <summary>The providers to which it could send when its standing was last told, a bit each.</summary>
    private int toldRoom = -1;

    /// <summary>Credits granted and not spent; each has taken a token.</summary>
    private int granted;
    private bool probing;
    private bool stopped;
    private bool retired;
    private bool hasError = true;
    private DateTimeOffset nextAlert;
    private ServiceReport? lastReport;

    public ServiceSink(ServiceSettings service, IActorRef select, StartLogSnapshot starts, LaneRooms rooms)
    {
        (this.service, this.select, this.rooms) = (service, select, rooms);
        prepare = new PrepareMail(rooms, stopping.Token);
        send = new SendMail(rooms.Time, log, stopping.Token);
        this.starts = StartLog.From(starts);
        (quota, windows) = (new ServiceQuota(this.starts, service.Limits), new SendingWindows(service.Limits.Zone, service.Limits.Windows));
        pace = new ServicePace(service.PerMinute, Now);
        gap = new MinimumGap(Random.Shared, Now);
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
                stopped = true;
                Withdraw();
                break;
            case Retire:
                (stopped, retired, granted) = (true, true, 0);
                select.Tell(new Revoke(service.Id, Gone: true));
                StopIfRetired();
                break;
            case ErrorStored stored when stored.Fault is not null:
                hasError = true;
                log.Debug("The last error of service {Service} could not be stored: {Reason}", service.Id, stored.Fault.Message);
                break;
        }
    }

    /// <summary>Grants as many credits as can be used right now, and sees to it that it is asked again when more can.</summary>
    private void GrantMore()
    {
        if (stopped || !service.Enabled)
        {
            return;
        }

        var now = Now;
        var free = slots.Free - granted;
        var room = (int)Math.Min(free, (long)quota.Left(now) - Reserved);
        if (!windows.At(now).Open)
        {
            room = 0;
        }
        else if (service.Limits.Gap > TimeSpan.Zero)
        {
            // One after the other: the gap is counted from when a mail was bound.
            room = granted + slots.Preparing > 0 || GapEnds(now) > now ? 0 : Math.Min(room, 1);
        }

        if (breaker.State != BreakerState.Closed)
        {
            // One mail is the probe; the others wait for what it finds.
            if (room <= 0 || probing || !breaker.TryPass(now))
            {
                Wake(now);
                return;
            }

            (probing, room) = (true, 1);
        }

        var credits = 0;
        while (credits < room && pace.TryTake(now))
        {
            credits++;
        }

        var standing = Standing(now, out var hasRoom);
        if (credits > 0 || (granted > 0 && hasRoom != toldRoom))
        {
            granted += credits;
            toldRoom = hasRoom;
            select.Tell(new Grant(service.Id, Self, standing, credits));
        }
        else if (probing && granted == 0 && slots.AllFree)
        {
            probing = false;
            breaker.GaveUp();
        }

        if (free > credits)
        {
            Wake(now);
        }
    }

    private void Wake(DateTimeOffset now)
    {
        // A check every two seconds finds what comes later than the timer can count.
        if (NextCredit(now) is { } next && next > now && next < now.AddDays(40))
        {
            wake.Change(next - now, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>When pace, quota, window, gap and breaker next allow a mail; null when only the end of a probe can tell.</summary>
    private DateTimeOffset? NextCredit(DateTimeOffset now)
    {
        var next = Later(Later(pace.NextAt(now), GapEnds(now)), quota.NextAt(now));
        if (next < DateTimeOffset.MaxValue)
        {
            next = windows.NextAt(next);
        }

        return breaker.NextAt(now) is { } byBreaker ? Later(next, byBreaker) : null;
    }

    private DateTimeOffset GapEnds(DateTimeOffset now) => gap.NextAt(service.Limits.Gap, service.Limits.GapJitter, now);

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    /// <param name="hasRoom">The providers to which it may send now, a bit each.</param>
    private Standing Standing(DateTimeOffset now, out int hasRoom)
    {
        var providers = new ProviderStanding[MailboxProviders.Count];
        hasRoom = 0;
        for (var i = 0; i < providers.Length; i++)
        {
            var provider = (MailboxProvider)i;
            var room = RoomFor(provider, now);
            hasRoom |= room > 0 ? 1 << i : 0;
            var next = room > 0 ? now : quota.NextAt(provider, now);
            providers[i] = new ProviderStanding(room, fits[i].Rate, next == DateTimeOffset.MaxValue ? long.MaxValue : next.ToUnixTimeMilliseconds());
        }

        var limits = service.Limits;
        return new Standing(ServiceScore.PaceMs(service.PerMinute, limits.PerHour, quota.PerDay(now), limits.Gap), quota.Share(now), success.Rate, providers);
    }

    /// <summary>Mails to this provider that its own cap allows, less those that are on the way to their start.</summary>
    private int RoomFor(MailboxProvider provider, DateTimeOffset now) =>
        quota.Left(provider, now) is var left and < int.MaxValue ? Math.Max(0, left - slots.PreparingFor(provider)) : int.MaxValue;

    /// <summary>Takes back what was granted. Offers that cross this on the way are rebound.</summary>
    private void Withdraw()
    {
        select.Tell(new Revoke(service.Id));
        granted = 0;
    }

    /// <summary>Places of the quota that are spoken for: credits, and mails that are on the way to their start. A start counts in the hour in which it happens.</summary>
    private int Reserved => granted + slots.Preparing;

    private void OnOffer(Mail mail)
    {
        var slot = granted > 0 ? slots.FindFree() : null;
        if (slot is null)
        {
            select.Tell(new Rebound(mail));
            return;
        }

        granted--;
        if (RoomFor(mail.Provider, Now) <= 0)
        {
            // It was chosen before the choice knew that there is no room for its provider any more.
            toldRoom = -1;
            select.Tell(new Rebound(mail));
            GrantMore();
            return;
        }

        gap.Sent(Now);
        slot.Mail = mail;
        slot.Connection ??= rooms.Transport.Open(service);
        prepare.PrepareAsync(slot.Connection, mail, service).PipeTo(Self);
    }

    private void OnPrepared(Prepared prepared)
    {
        if (slots.BusyWith(prepared.Key) is not { Mail: { } mail } slot)
        {
            return;
        }

        if (prepared.Message is not null && !slot.IsStale)
        {
            slot.Message = prepared.Message;
            Context.Parent.Tell(new StartMail(mail, service.Id));
            return;
        }

        var stale = slot.IsStale;
        slots.Release(slot, NowMs);
        if (prepared.BadMail is { } reason)
        {
            Context.Parent.Tell(new MailEnded(mail.Ended(OutcomeKind.Failed, NowMs, null, reason)));
        }
        else if (prepared.ServiceFault is { } fault)
        {
            OnFault(fault.Message);
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

    private void OnFault(string words)
    {
        breaker.Faulted(Now);
        probing = false;
        if (breaker.State == BreakerState.Open)
        {
            Withdraw();
            log.Warning("Service {Service} is left alone until {Until}: {Words}", service.Id, breaker.OpenUntil, words);
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
            slot.IsSending = true;
            starts.Count(Now, mail.Provider);
            slot.Mails++;
            send.SendAsync(connection, message, mail, service, outcome).PipeTo(Self);
        }
        else
        {
            throw new InvalidOperationException($"Service {service.Id} was told to send {go.Key}, which it is not busy with.");
        }
    }

    private void OnSent(Sent sent)
    {
        Context.Parent.Tell(new MailEnded(sent.Ended));
        var outcome = sent.Ended.Outcome;
        var (isSent, counts) = (outcome.Kind == OutcomeKind.Sent, !sent.IsRecipients);
        success = counts ? success.Count(isSent) : success;
        if (slots.BusyWith(sent.Key) is { Mail: { } mail } slot)
        {
            var fit = fits[(int)mail.Provider];
            fits[(int)mail.Provider] = counts ? fit.Count(isSent) : fit;
            slot.IsStale |= slot.Mails >= service.Limits.PerConnection;
            slots.Release(slot, NowMs);
        }

        if (sent.IsTooFast)
        {
            pace.Throttled(Now, outcome.RetryAfterSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
            if (pace.IsPaused(Now))
            {
                Withdraw();
            }
        }

        if (sent.Action == ReplyAction.Pause)
        {
            OnFault($"{outcome.ReplyCode} {outcome.Reply}");
        }
        else if (outcome.ReplyCode is { } code && code != ServiceClosing)
        {
            // It answers, whatever it says of this mail.
            breaker.Succeeded();
            probing = false;
            TellOwner(sent.Action == ReplyAction.Alert ? $"{outcome.ReplyCode} {outcome.Reply}" : null);
        }
        else if (probing)
        {
            breaker.Faulted(Now);
            probing = false;
        }

        GrantMore();
        StopIfRetired();
    }

    private void OnRefuse(MailKey key)
    {
        if (slots.BusyWith(key) is { } slot)
        {
            slots.Release(slot, NowMs);
            GrantMore();
            StopIfRetired();
        }
    }

    private void OnConfigure(ServiceSettings changed)
    {
        Withdraw();
        service = changed;
        (quota, windows) = (new ServiceQuota(starts, changed.Limits), new SendingWindows(changed.Limits.Zone, changed.Limits.Windows));
        pace.Change(changed.PerMinute, Now);
        slots.Renew();
        breaker.Succeeded();
        (probing, hasError) = (false, true);
        slots.Resize(service.Connections);
        GrantMore();
    }

    private void OnCheck()
    {
        slots.CloseIdle(NowMs - CloseIdleAfterMs);
        GrantMore();
        var report = Report();
        if (report != lastReport)
        {
            lastReport = report;
            Context.Parent.Tell(report);
        }
    }

    private ServiceReport Report()
    {
        var now = Now;
        var next = NextCredit(now);
        var blocked = !service.Enabled ? "disabled"
            : stopped ? "stopping"
            : breaker.OpenUntil is not null ? "the service does not work; it is tried again from time to time"
            : !windows.At(now).Open ? "its sending window is closed"
            : quota.Left(now) == 0 ? "quota used up"
            : null;
        return new ServiceReport(
            service.Id, slots.Count, slots.Sending, granted, blocked is not null && next > now ? next?.ToUnixTimeMilliseconds() : null, blocked, success.Rate);
    }

    private void StopIfRetired()
    {
        if (retired && slots.AllFree)
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
