using Edm.Contracts;
using Edm.Engine.Services.Limits;

namespace Edm.Engine.Dispatch;

/// <summary>What the choice of a service looks at in a mail.</summary>
internal interface IMailToBind
{
    MailboxProvider Provider { get; }

    int Attempt { get; }

    /// <summary>As <see cref="RetryItem.RefusedBy"/>.</summary>
    ServiceId[] RefusedBy { get; }
}

/// <summary>
/// Binds each mail, at the last moment, to the best service that holds credit and may send to the recipient's provider. Mails whose provider nobody may send to now wait aside,
/// so that they hold up nobody else; when there are many of them, or it takes long, they go back to their queue until it may be. Pure.
/// </summary>
/// <param name="offer">Is told to whom a mail goes, and why; one credit was spent on it.</param>
/// <param name="giveBack">Is told of a mail that goes back, and when it is of use to come again: in ms.</param>
internal sealed class MailBinding<TMail>(Action<TMail, ServiceId, Choice> offer, Action<TMail, long> giveBack)
    where TMail : IMailToBind
{
    /// <summary>Mails that wait aside before some go back: two batches.</summary>
    private const int MaxAside = 128;

    /// <summary>Of each provider so many stay then, if it opens soon: they are there when it does. All providers together keep fewer than <see cref="MaxAside"/>.</summary>
    private const int Keep = 16;

    /// <summary>Longer than caps of a minute need, shorter than anybody wants to wait for a pause.</summary>
    private const long MaxAsideMs = 5_000;

    /// <summary>A crowd that comes and goes costs some journal writes each time.</summary>
    private const long LeastMs = 1_000;

    /// <summary>Who waits for a provider's pace comes back spread over this at most: by then the pace may have recovered.</summary>
    private const long MaxSpreadMs = 600_000;

    /// <summary>
    /// By provider: mails that came back from a service, at most one a connection because each had a credit, and mails that nobody may send now.
    /// </summary>
    private readonly Queue<(TMail Mail, long SinceMs)>[] aside = [.. Enumerable.Range(0, MailboxProviders.Count).Select(_ => new Queue<(TMail, long)>())];

    /// <summary>By provider: the moment that the mail that went back last was given.</summary>
    private readonly long[] given = new long[MailboxProviders.Count];

    /// <summary>Of all providers.</summary>
    private int inAside;

    public CreditTable Credits { get; } = new();

    /// <summary>Another mail can be bound, or at least put aside.</summary>
    public bool WantsMore => Credits.Credits > 0 && inAside < MaxAside;

    /// <summary>To be bound, if not now then as soon as it can be.</summary>
    public void Bind(TMail mail, long nowMs) => Bind(mail, nowMs, nowMs);

    /// <summary>A service had it and can't take it; to be bound with the next <see cref="Go"/>.</summary>
    public void PutAside(TMail mail, long nowMs) => PutAside(mail, nowMs, aside[(int)mail.Provider]);

    /// <summary>Binds those aside who can be, and gives back others where they hold up what comes.</summary>
    public void Go(long nowMs)
    {
        for (var provider = 0; inAside > 0 && provider < aside.Length && Credits.Credits > 0; provider++)
        {
            // Who spares a service goes back to the end and holds up nobody.
            for (var left = aside[provider].Count; left > 0 && Credits.CanTake((MailboxProvider)provider); left--)
            {
                var (mail, sinceMs) = Dequeue(aside[provider]);
                Bind(mail, sinceMs, nowMs);
            }
        }

        if (inAside >= MaxAside)
        {
            GiveBack(nowMs);
        }
    }

    /// <summary>Those that wait for their provider and not for credit, once they have waited long, or hold up the others.</summary>
    public void GiveBack(long nowMs)
    {
        if (Credits.Credits == 0)
        {
            return;
        }

        var crowded = inAside >= MaxAside;
        foreach (var queue in aside)
        {
            var keep = crowded && queue.TryPeek(out var first) && Credits.NextMs(first.Mail.Provider) <= nowMs + MaxAsideMs ? Keep : 0;
            for (var left = queue.Count; left > 0; left--)
            {
                var (mail, sinceMs) = Dequeue(queue);
                var stays = crowded ? keep-- > 0 : nowMs - sinceMs < MaxAsideMs;
                if (stays || Credits.CanTake(mail.Provider, nowMs, mail.RefusedBy))
                {
                    PutAside(mail, sinceMs, queue);
                }
                else
                {
                    giveBack(mail, mail.Attempt == 1 ? Opening(mail.Provider, nowMs) : Turn(mail.Provider, nowMs));
                }
            }
        }
    }

    /// <summary>When a service may have this mail that its recipient's server has not refused, now that it has refused this one; null when none is known.</summary>
    public long? ElsewhereMs(TMail mail, ServiceId refused, long nowMs) =>
        Credits.NextMs(mail.Provider, [.. mail.RefusedBy, refused]) is < long.MaxValue and var next ? Math.Max(next, nowMs) : null;

    private void PutAside(TMail mail, long sinceMs, Queue<(TMail, long)> queue)
    {
        queue.Enqueue((mail, sinceMs));
        inAside++;
    }

    private (TMail Mail, long SinceMs) Dequeue(Queue<(TMail, long)> queue)
    {
        inAside--;
        return queue.Dequeue();
    }

    private void Bind(TMail mail, long sinceMs, long nowMs)
    {
        // Between the wish for a mail and its coming the last credit may have been revoked or gone to another.
        if (Credits.Take(mail.Provider, nowMs, mail.RefusedBy) is { } taken)
        {
            offer(mail, taken.Service, taken.Why);
        }
        else
        {
            PutAside(mail, sinceMs, aside[(int)mail.Provider]);
        }
    }

    /// <summary>
    /// When the provider may be sent to, for those who have not been tried: they wait in one crowd, of which some batches are handed out then. Where it is slow but open, a crowd
    /// comes when those who have stayed are gone.
    /// </summary>
    private long Opening(MailboxProvider provider, long nowMs) =>
        Math.Max(NextMs(provider, nowMs), nowMs + Math.Clamp((long)(Keep * Credits.EveryMs(provider)), LeastMs, MaxAsideMs));

    /// <summary>For those who have been tried, each of whom is due at a moment of its own: not before those that went back earlier have had their turn at the provider's pace.</summary>
    private long Turn(MailboxProvider provider, long nowMs)
    {
        var next = Math.Max(NextMs(provider, nowMs), nowMs + MaxAsideMs);
        if (Credits.EveryMs(provider) is > 0 and var every)
        {
            next = Math.Max(next, Math.Min(given[(int)provider] + (long)every, nowMs + MaxSpreadMs));
            given[(int)provider] = next;
        }

        return next;
    }

    private long NextMs(MailboxProvider provider, long nowMs)
    {
        var next = Credits.NextMs(provider) is < long.MaxValue and var known ? known : nowMs + MaxAsideMs;
        return Credits.HasRevoked ? Math.Min(next, nowMs + MaxSpreadMs) : next;
    }
}
