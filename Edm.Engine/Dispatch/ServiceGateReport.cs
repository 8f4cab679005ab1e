using System.Globalization;
using Edm.Contracts;
using Edm.Engine.Services.Limits;

namespace Edm.Engine.Dispatch;

/// <summary>What the gate says of itself. The same state gives the same words: moments stand in them, and never how long it is until then.</summary>
internal sealed partial class ServiceGate
{
    /// <param name="connections">Those that it may have open at a time.</param>
    public ServiceReport Report(DateTimeOffset now, int connections)
    {
        ServiceReason[] reasons = [.. OfService(now), .. OfLimits(now), .. OfProviders(now), .. OfWork(connections)];
        var blocking = Array.Find(reasons, reason => reason.Blocks);
        var next = blocking is not null && service.Enabled && !stopped && NextCredit(now) is { } at && at > now ? at : (DateTimeOffset?)null;
        return new ServiceReport(
            service.Id, connections, hand.Sending, hand.Credits, next?.ToUnixTimeMilliseconds(), blocking?.Text, success.Rate, reasons,
            ServiceHealth.Of(health.Rate(now), breaker.State), PerHour(now), Quota(now).LeftToday(now));
    }

    private IEnumerable<ServiceReason> OfService(DateTimeOffset now)
    {
        var said = faultWords is null ? "." : $"; it says: {faultWords}";
        if (!service.Enabled)
        {
            yield return new ServiceReason("disabled", "The service is disabled.");
        }

        if (stopped)
        {
            yield return new ServiceReason("stopping", "Its lane ends here; it goes on where the lane starts again.");
        }

        if (breaker.OpenUntil is { } until)
        {
            yield return until > now
                ? Until("not-working", $"It does not work and is left alone until {UtcClock.Text(until)}{said}", until)
                : new ServiceReason("not-working", $"It did not work, and one mail at a time tries whether it does again{said}");
        }
        else if (faultWords is not null)
        {
            yield return new ServiceReason("last-try-failed", $"Its last try failed{said}", Blocks: false);
        }

        if (pace.IsPaused(now))
        {
            yield return Until("throttled", $"It asked to be left in peace until {UtcClock.Text(pace.PausedUntil)}.", pace.PausedUntil);
        }
        else if (pace.PerMinute(now) is { } slower && slower < (service.PerMinute ?? int.MaxValue))
        {
            yield return new ServiceReason("slowed", Text($"It said that it gets mails too fast: {slower:N0} a minute at present, and more with each quiet minute."), Blocks: false);
        }

        if (ServiceHealth.Of(health.Rate(now), BreakerState.Closed) is < 1 and var part)
        {
            yield return new ServiceReason("ailing", Text($"Too many of its last mails failed for reasons of its own: it is trusted with {part * 100:N0} % of its quota."), Blocks: false);
        }
    }

    private IEnumerable<ServiceReason> OfLimits(DateTimeOffset now)
    {
        if (windows.At(now) is (false, var opens))
        {
            yield return Until("window-closed", $"Its sending window is closed {Till(opens)}.", opens);
        }

        if (Quota(now).DayAt(now) is var day && day > now)
        {
            yield return Until("day-used-up", Text($"Its {quota.PerDay(now):N0} mails of today are used up {Till(day)}."), day);
        }

        if (quota.HourAt(now) is var hour && hour > now)
        {
            yield return Until("hour-used-up", Text($"Its {quota.PerHour:N0} mails an hour are used up {Till(hour)}."), hour);
        }

        if (lastMinute.NextAt(service.PerMinute, now) is var minute && minute > now)
        {
            yield return Until("minute-used-up", Text($"Its {service.PerMinute:N0} mails a minute are used up until {UtcClock.Text(minute)}."), minute);
        }

        if (hand.Credits == 0 && GapEnds(now) is var gapEnds && gapEnds > now)
        {
            yield return Until("gap", $"The least time between two mails is over at {UtcClock.Text(gapEnds)}.", gapEnds);
        }

        if (hand.Credits == 0 && !pace.IsPaused(now) && pace.NextAt(now) is var paced && paced > now)
        {
            yield return Until("pace", $"Its pace allows the next mail at {UtcClock.Text(paced)}.", paced);
        }
    }

    private IEnumerable<ServiceReason> OfProviders(DateTimeOffset now)
    {
        for (var i = 0; i < providers.Length; i++)
        {
            var (provider, there) = ((MailboxProvider)i, providers[i]);
            var name = provider == MailboxProvider.Other ? "other providers" : MailboxProviders.NameOf(provider);
            if (there.Rest.Words is { } words)
            {
                yield return there.Rest.Rests(now)
                    ? Until("provider-refuses", $"It is not wanted at {name} and leaves them in peace until {UtcClock.Text(there.Rest.Until)}; they say: {words}", there.Rest.Until, blocks: false)
                    : new ServiceReason("provider-refuses", $"It was not wanted at {name}, and one mail at a time tries whether it is again; they said: {words}", Blocks: false);
            }

            if (there.Pace.IsPaused(now))
            {
                yield return Until("provider-throttled", $"It was asked to leave {name} in peace until {UtcClock.Text(there.Pace.PausedUntil)}.", there.Pace.PausedUntil, blocks: false);
            }
            else if (there.Pace.PerMinute(now) is { } slower)
            {
                yield return new ServiceReason("provider-slowed", Text($"It was told that {name} gets mails too fast: {slower:N0} a minute at present, and more with each quiet minute."), Blocks: false);
            }

            if (quota.NextAt(provider, now) is var capped && capped > now)
            {
                yield return Until("provider-used-up", $"Its mails to {name} are used up {Till(capped)}.", capped, blocks: false);
            }
        }
    }

    private IEnumerable<ServiceReason> OfWork(int connections)
    {
        if (hand.Preparing + hand.Starting + hand.Sending >= connections)
        {
            yield return new ServiceReason("busy", Text($"All its connections are busy: {connections:N0}."), Blocks: false);
        }
        else if (hand.Credits > 0 && hand.Credits == hand.Reserved + hand.Sending && breaker.State == BreakerState.Closed)
        {
            yield return new ServiceReason("nothing-to-send", "It can send now, and has nothing to send.", Blocks: false);
        }
    }

    /// <summary>Mails an hour at the pace that it may have now; null where nothing limits it.</summary>
    private long? PerHour(DateTimeOffset now)
    {
        var gapped = service.Limits.Gap > TimeSpan.Zero ? (long)(TimeSpan.FromHours(1) / service.Limits.Gap) : (long?)null;
        return new[] { pace.PerMinute(now) * 60L, gapped, Quota(now).PerHour }.Min();
    }

    private static ServiceReason Until(string code, string text, DateTimeOffset at, bool blocks = true) =>
        new(code, text, at == DateTimeOffset.MaxValue ? null : at.ToUnixTimeMilliseconds(), blocks);

    private static string Till(DateTimeOffset at) => at == DateTimeOffset.MaxValue ? "for good" : $"until {UtcClock.Text(at)}";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
