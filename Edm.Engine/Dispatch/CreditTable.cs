using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Services.Limits;

namespace Edm.Engine.Dispatch;

/// <summary>
/// Which service takes the next mail: the best score among those that hold credit and have room for the recipient's provider. A credit is one mail that pace,
/// quota and a free connection of the service allow right now; taking it here, in one thread, is the reservation. Pure. Its work a mail grows with the number of
/// services that hold credit, and not with that of all.
/// </summary>
internal sealed class CreditTable
{
    private readonly Dictionary<ServiceId, Entry> services = [];

    /// <summary>Those with credit, in no order.</summary>
    private readonly List<Entry> holders = [];

    public SelectionWeights Weights { get; set; } = new();

    public int Credits { get; private set; }

    public void Grant(ServiceId service, Standing standing, int credits)
    {
        if (!services.TryGetValue(service, out var entry))
        {
            services.Add(service, entry = new Entry(service, standing));
        }

        entry.Learn(standing);
        Change(entry, credits);
    }

    public void Revoke(ServiceId service)
    {
        if (services.TryGetValue(service, out var entry))
        {
            Change(entry, -entry.Credits);
            entry.IsRevoked = true;
        }
    }

    /// <summary>Whoever has no credit any more and gets none is forgotten with its last moment.</summary>
    public void Forget(ServiceId service)
    {
        Revoke(service);
        services.Remove(service);
    }

    public bool CanTake(MailboxProvider provider) => holders.Exists(entry => entry.Room[(int)provider] > 0);

    /// <summary>
    /// When a mail to this provider may next be bound, as far as caps, paces and rests of providers go: 0 where a service has room and only lacks credit;
    /// <see cref="long.MaxValue"/> when nobody can tell.
    /// </summary>
    public long NextMs(MailboxProvider provider) =>
        services.Values.Where(entry => !entry.IsRevoked).Select(entry => entry.NextFor(provider)).DefaultIfEmpty(long.MaxValue).Min();

    /// <summary>Time between two mails to this provider, over all services that it holds back; 0 where one of them is not told a pace.</summary>
    public double EveryMs(MailboxProvider provider)
    {
        var paces = services.Values.Where(entry => !entry.IsRevoked && entry.NextFor(provider) < long.MaxValue).Select(entry => entry.Standing.Providers[(int)provider].EveryMs).ToList();
        return paces.Count == 0 || paces.Contains(0) ? 0 : 1 / paces.Sum(every => 1 / every);
    }

    /// <summary>Some service does not work, or has just been changed: nobody knows when it is back.</summary>
    public bool HasRevoked => services.Values.Any(entry => entry.IsRevoked);

    /// <summary>Takes one credit of the best service; among equals of the one with most credits, so that the load spreads. Null when nobody can take it.</summary>
    public (ServiceId Service, Choice Why)? Take(MailboxProvider provider, long nowMs)
    {
        (Entry? best, double bestScore, Entry? second, double secondScore) = (null, 0, null, 0);
        foreach (var entry in holders)
        {
            if (entry.Room[(int)provider] <= 0)
            {
                continue;
            }

            var score = entry.Standing.Score(Weights, provider, nowMs - entry.LastMs);
            if (best is null || (score, entry.Credits).CompareTo((bestScore, best.Credits)) > 0)
            {
                (second, secondScore) = (best, bestScore);
                (best, bestScore) = (entry, score);
            }
            else if (second is null || score > secondScore)
            {
                (second, secondScore) = (entry, score);
            }
        }

        if (best is null)
        {
            return null;
        }

        best.LastMs = nowMs;
        if (best.Room[(int)provider] != int.MaxValue)
        {
            best.Room[(int)provider]--;
        }

        Change(best, -1);
        return (best.Id, new Choice(Thousandths(bestScore), second?.Id, second is null ? null : Thousandths(secondScore)));
    }

    private static int Thousandths(double score) => (int)Math.Round(score * 1000);

    private void Change(Entry entry, int by)
    {
        entry.Credits += by;
        Credits += by;
        if (entry.Credits > 0 && entry.Place < 0)
        {
            entry.Place = holders.Count;
            holders.Add(entry);
        }
        else if (entry.Credits == 0 && entry.Place >= 0)
        {
            // The last one takes its place.
            var last = holders[^1];
            holders[entry.Place] = last;
            last.Place = entry.Place;
            holders.RemoveAt(holders.Count - 1);
            entry.Place = -1;
        }
    }

    private sealed class Entry(ServiceId id, Standing standing)
    {
        public ServiceId Id { get; } = id;

        public Standing Standing { get; private set; } = standing;

        public int Credits { get; set; }

        /// <summary>It has taken its credits back and granted none since: what its standing says of the future is void.</summary>
        public bool IsRevoked { get; set; }

        /// <summary>In <see cref="holders"/>; -1: not there.</summary>
        public int Place { get; set; } = -1;

        /// <summary>When a mail was last bound to it.</summary>
        public long LastMs { get; set; }

        public int[] Room { get; } = new int[MailboxProviders.Count];

        /// <summary>When a mail to this provider may be bound to it; 0: it only lacks a credit that may come at any moment.</summary>
        public long NextFor(MailboxProvider provider) => Math.Max(Standing.NextMs, Room[(int)provider] > 0 ? 0 : Standing.Providers[(int)provider].NextMs);

        public void Learn(Standing now)
        {
            (Standing, IsRevoked) = (now, false);
            for (var i = 0; i < Room.Length; i++)
            {
                Room[i] = now.Providers[i].Room;
            }
        }
    }
}
