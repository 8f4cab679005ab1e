using Edm.Contracts;
using Edm.Engine.Services;
using Edm.Engine.Services.Limits;
using Edm.Engine.Services.Replies;

namespace Edm.Engine.Dispatch;

/// <summary>What a service may do from now on.</summary>
/// <param name="Credits">So many mails more than before may be bound to it.</param>
/// <param name="Standing">What the choice among services is to know of it; null: nothing new.</param>
/// <param name="NextAt">When to ask again if nothing happens before; null: nothing is known to wait for.</param>
internal readonly record struct Granting(int Credits, Standing? Standing, DateTimeOffset? NextAt);

/// <summary>
/// May a mail go through this service now, how many, and when the next: pace, gap, quota, windows, breaker, health and what each provider lets it do in one place, without
/// actor, clock or I/O.
/// The life of a mail: <see cref="Grant"/> → <see cref="Offered"/> → <see cref="TryStart"/> → <see cref="Started"/> → <see cref="Ended"/>, or out of it by
/// <see cref="Dropped"/> or <see cref="Refused"/>. The pace spaces mails when they are bound; what a limit allows is looked at again when a mail is about to start, so that
/// no minute, hour or day ever sees more starts than it may, however long the way there was. Not thread-safe.
/// </summary>
internal sealed partial class ServiceGate
{
    /// <summary>The choice among services waits so long for a credit without being told when it comes.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    private readonly CircuitBreaker breaker = new();
    private readonly LastMinute lastMinute = new();
    private readonly MailsInHand hand = new();
    private readonly StartLog starts;
    private readonly ServicePace pace;
    private readonly MinimumGap gap;

    private readonly HealthMeter health = new();

    /// <summary>By provider.</summary>
    private readonly ProviderGate[] providers;
    private ServiceSettings service;
    private ServiceQuota quota;
    private SendingWindows windows;
    private SuccessRate success;

    /// <summary>The <see cref="Rooms"/> of when its standing was last told; -1: what was told is not right any more.</summary>
    private int toldRoom = -1;

    /// <summary>It was last told to be without credit for long.</summary>
    private bool toldAway;
    private bool probing;
    private bool stopped;

    /// <summary>What was said when it last broke; null when it works, or nothing was.</summary>
    private string? faultWords;

    /// <param name="starts">What it has started so far, as far as the journal knows.</param>
    public ServiceGate(ServiceSettings service, StartLogSnapshot starts, Random random, DateTimeOffset now)
    {
        (this.service, this.starts) = (service, StartLog.From(starts));
        (quota, windows) = (new ServiceQuota(this.starts, service.Limits), new SendingWindows(service.Limits.Zone, service.Limits.Windows));
        pace = new ServicePace(service.PerMinute, now);
        gap = new MinimumGap(random, now);
        foreach (var (at, n) in service.PerMinute is null ? [] : this.starts.Seconds.Until(now))
        {
            lastMinute.Count(at, n);
        }

        providers = [.. Enumerable.Range(0, MailboxProviders.Count).Select(i => new ProviderGate((MailboxProvider)i, now))];
    }

    /// <summary>Until when it is left alone because it does not work; null while it does.</summary>
    public DateTimeOffset? LeftAloneUntil => breaker.OpenUntil;

    /// <summary>As many credits as can be used right now.</summary>
    /// <param name="free">Connections without a mail.</param>
    public Granting Grant(DateTimeOffset now, int free)
    {
        if (stopped || !service.Enabled)
        {
            return default;
        }

        if (probing && hand.IsEmpty)
        {
            // The probe never got as far as the service.
            probing = false;
            breaker.GaveUp();
        }

        var spare = free - hand.Credits;
        var credits = Math.Max(0, Math.Min(spare, Allowed(now)));
        if (breaker.State != BreakerState.Closed)
        {
            // One mail is the probe; the others wait for what it finds.
            credits = credits > 0 && !probing && breaker.TryPass(now) ? 1 : 0;
            probing |= credits > 0;
        }

        hand.Credits += credits;
        var rooms = Rooms(now);
        var next = spare > credits ? NextCredit(now) : null;
        var isAway = hand.Credits == 0 && spare > 0 && !(next - now < Soon);
        var isNew = credits > 0 || (hand.Credits > 0 && rooms != toldRoom) || isAway != toldAway;
        (toldRoom, toldAway) = isNew ? (rooms, isAway) : (toldRoom, toldAway);
        return new Granting(credits, isNew ? Standing(now, isAway ? next?.ToUnixTimeMilliseconds() ?? long.MaxValue : 0) : null, Next(next, now));
    }

    /// <summary>When one more credit can be granted or, for those that are, one more provider may be sent to, as far as time can tell; null when only something that happens can.</summary>
    public DateTimeOffset? NextAt(DateTimeOffset now) => Next(NextCredit(now), now);

    /// <summary>A mail was bound to the service, and its credit is spent.</summary>
    /// <returns>False: it can't take it now; it must be bound anew.</returns>
    public bool Offered(MailboxProvider provider, DateTimeOffset now)
    {
        if (hand.Credits == 0)
        {
            return false;
        }

        hand.Credits--;
        if (!Has(now, hand.Preparing + hand.Starting) || RoomFor(provider, now) <= 0 || !pace.TryTake(now))
        {
            // It was chosen before the choice knew.
            toldRoom = -1;
            return false;
        }

        providers[(int)provider].Pace.TryTake(now);
        hand.Bind(provider);
        return true;
    }

    /// <summary>The mail and its connection are ready: may it start?</summary>
    /// <returns>False: not any more; it must be bound anew.</returns>
    public bool TryStart(MailboxProvider provider, DateTimeOffset now)
    {
        var mayStart = Has(now, hand.Starting) && Quota(now).Left(provider, now) > hand.StartingFor(provider)
            && !pace.IsPaused(now) && !providers[(int)provider].IsClosed(now);
        if (!mayStart)
        {
            Dropped(provider);
            return false;
        }

        hand.Ready(provider);
        return true;
    }

    /// <summary>A bound mail is none any more, before it was ready.</summary>
    public void Dropped(MailboxProvider provider) => hand.Unbind(provider);

    /// <summary>A mail that was about to start doesn't.</summary>
    public void Refused(MailboxProvider provider) => hand.Unready(provider);

    /// <summary>The mail goes onto the wire.</summary>
    public void Started(MailboxProvider provider, DateTimeOffset now)
    {
        hand.Start(provider);
        starts.Count(now, provider);
        gap.Sent(now);
        if (service.PerMinute is not null)
        {
            lastMinute.Count(now);
        }
    }

    /// <summary>The mail is off the wire.</summary>
    /// <returns>True: the credits granted so far are void.</returns>
    public bool Ended(MailboxProvider provider, ServiceAnswer answer, DateTimeOffset now)
    {
        hand.End(provider);
        var there = providers[(int)provider];
        if (!answer.IsRecipients)
        {
            success = success.Count(answer.IsSent);
            there.Fit = there.Fit.Count(answer.IsSent);
            health.Count(!answer.IsIll, now);
        }

        var withdrawn = answer.IsTooFast && Throttled(answer.IsOfService ? pace : there.Pace, answer.RetryAfter, now);
        if (answer.IsUnwanted)
        {
            there.Rest.Refused(now, answer.Words);
        }
        else if (answer.IsSent)
        {
            there.Rest.Taken(now);
        }

        if (answer.Action == ReplyAction.Pause)
        {
            return Break(answer.Words, now) || withdrawn;
        }

        if (answer.IsAtWork)
        {
            breaker.Succeeded();
            (probing, faultWords) = (false, null);
        }
        else if (probing)
        {
            breaker.Faulted(now);
            probing = false;
        }

        return withdrawn;
    }

    /// <summary>The service could not be used: no mail was tried.</summary>
    /// <param name="words">What it said, for its owner.</param>
    /// <param name="reply">What its reply means, where there was one: a greeting that asks for a slower pace is obeyed.</param>
    /// <returns>True: the credits granted so far are void.</returns>
    public bool Faulted(DateTimeOffset now, string? words = null, ReplyVerdict? reply = null)
    {
        health.Count(false, now);
        var withdrawn = reply is { Class: ReplyClass.Throttled } && Throttled(pace, reply.RetryAfter, now);
        return Break(words, now) || withdrawn;
    }

    /// <summary>The service was changed; the credits granted so far are void. What it has sent and what providers complained about stays.</summary>
    public void Configure(ServiceSettings changed, DateTimeOffset now)
    {
        Withdraw();
        service = changed;
        (quota, windows) = (new ServiceQuota(starts, changed.Limits), new SendingWindows(changed.Limits.Zone, changed.Limits.Windows));
        pace.Change(changed.PerMinute, now);
        if (changed.PerMinute is null)
        {
            lastMinute.Clear();
        }

        breaker.Succeeded();
        (probing, faultWords) = (false, null);
    }

    /// <summary>Nothing is granted any more; the credits granted so far are void.</summary>
    public void Stop()
    {
        stopped = true;
        Withdraw();
    }

    /// <summary>A provider does not want the service as a sender, or did so and has taken no mail since.</summary>
    public bool IsUnwanted => Array.Exists(providers, there => there.Rest.Words is not null);

    private ServiceQuota Quota(DateTimeOffset now)
    {
        // At 0 it would never begin again; while the service does not work the breaker holds it up.
        quota.Health = ServiceHealth.Of(health.Rate(now), BreakerState.Closed);
        return quota;
    }

    /// <summary>What complains about the pace is the service or one provider.</summary>
    /// <returns>True: the credits granted so far are void.</returns>
    private bool Throttled(ServicePace slower, TimeSpan? asked, DateTimeOffset now)
    {
        slower.Throttled(now, asked);
        return slower == pace && pace.IsPaused(now) && Withdraw();
    }

    private bool Break(string? words, DateTimeOffset now)
    {
        faultWords = words ?? faultWords;
        breaker.Faulted(now);
        probing = false;
        return breaker.State == BreakerState.Open && Withdraw();
    }

    /// <summary>Always true, for those who return it.</summary>
    private bool Withdraw()
    {
        // What the choice was told of the future is void with them.
        (hand.Credits, toldRoom, toldAway) = (0, -1, false);
        return true;
    }

    /// <summary>Credits that limits allow beside those that are granted; may be less than none.</summary>
    private int Allowed(DateTimeOffset now)
    {
        if (!windows.At(now).Open)
        {
            return 0;
        }

        var allowed = Math.Min(Left(now) - hand.Reserved, (long)pace.Available(now) - hand.Credits);
        if (service.Limits.Gap > TimeSpan.Zero)
        {
            // One after the other: the gap is counted from when a mail started.
            allowed = hand.Reserved > 0 || GapEnds(now) > now ? 0 : Math.Min(allowed, 1);
        }

        return (int)Math.Clamp(allowed, int.MinValue, int.MaxValue);
    }

    /// <summary>Mails that may start now, those that are reserved among them.</summary>
    private long Left(DateTimeOffset now) => Math.Min(Quota(now).Left(now), lastMinute.Left(service.PerMinute, now));

    /// <summary>One more than these may start now.</summary>
    private bool Has(DateTimeOffset now, int others) => windows.At(now).Open && Left(now) > others;

    private DateTimeOffset GapEnds(DateTimeOffset now) => gap.NextAt(service.Limits.Gap, service.Limits.GapJitter, now);

    private Standing Standing(DateTimeOffset now, long nextMs)
    {
        var each = new ProviderStanding[MailboxProviders.Count];
        for (var i = 0; i < each.Length; i++)
        {
            var room = RoomFor((MailboxProvider)i, now);
            var next = room > 0 ? now : RoomAt((MailboxProvider)i, now);
            each[i] = new ProviderStanding(
                room, providers[i].Fit.Rate, next == DateTimeOffset.MaxValue ? long.MaxValue : next.ToUnixTimeMilliseconds(), providers[i].Every(now).TotalMilliseconds);
        }

        var limits = service.Limits;
        return new Standing(ServiceScore.PaceMs(service.PerMinute, limits.PerHour, Quota(now).PerDay(now), limits.Gap), quota.Share(now), success.Rate, each, nextMs);
    }

    /// <summary>
    /// Two bits a provider: it has room; and it has none only for the mails in hand, so that no moment is known yet at which it has some. When the last of them has started
    /// there is one, and the choice has to hear of it.
    /// </summary>
    private int Rooms(DateTimeOffset now)
    {
        var bits = 0;
        for (var i = 0; i < MailboxProviders.Count; i++)
        {
            bits = (bits << 2) | (RoomFor((MailboxProvider)i, now) > 0 ? 1 : RoomAt((MailboxProvider)i, now) <= now ? 2 : 0);
        }

        return bits;
    }

    /// <summary>Mails to this provider that may be bound now, by its cap, less those that are on the way to their start, and by itself; <see cref="int.MaxValue"/> without a limit.</summary>
    private int RoomFor(MailboxProvider provider, DateTimeOffset now)
    {
        var byCap = Quota(now).Left(provider, now) is var left and < int.MaxValue ? Math.Max(0, left - hand.WaitingFor(provider)) : int.MaxValue;
        return Math.Min(byCap, providers[(int)provider].Room(now, hand.BoundFor(provider)));
    }

    private DateTimeOffset RoomAt(MailboxProvider provider, DateTimeOffset now) => Later(quota.NextAt(provider, now), providers[(int)provider].NextAt(now));

    /// <summary>A credit that could be granted now waits for something else than time.</summary>
    private DateTimeOffset? Next(DateTimeOffset? credit, DateTimeOffset now) => NextRoom(now) is { } room && !(credit > now && credit < room) ? room : credit;

    private DateTimeOffset? NextCredit(DateTimeOffset now)
    {
        var byQuota = Quota(now).NextAt(now);
        if (byQuota > now)
        {
            // What its health takes away comes back sooner, maybe.
            byQuota = Earlier(byQuota, health.RisesAt(now));
        }

        var next = Later(Later(pace.NextAt(now, hand.Credits + 1), lastMinute.NextAt(service.PerMinute, now)), Later(GapEnds(now), byQuota));
        next = next < DateTimeOffset.MaxValue ? windows.NextAt(next) : next;
        return next < DateTimeOffset.MaxValue && breaker.NextAt(now) is { } byBreaker ? Later(next, byBreaker) : null;
    }

    /// <summary>While credits lie there: when a provider without room has some again.</summary>
    private DateTimeOffset? NextRoom(DateTimeOffset now)
    {
        DateTimeOffset? next = null;
        for (var i = 0; i < MailboxProviders.Count && hand.Credits > 0; i++)
        {
            if (RoomFor((MailboxProvider)i, now) <= 0 && RoomAt((MailboxProvider)i, now) is var at && at > now && at < DateTimeOffset.MaxValue)
            {
                next = next < at ? next : at;
            }
        }

        return next;
    }

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
