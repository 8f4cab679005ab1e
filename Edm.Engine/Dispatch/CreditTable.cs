using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Services.Limits;

namespace Edm.Engine.Dispatch;

/// <summary>
/// Which service takes the next mail: the best score among those that hold credit and have room for the recipient's provider. A credit is one mail that pace,
/// quota and a free connection of the service allow right now; taking it here, in one thread, is the reservation. Pure. Its work a mail grows with the number of
/// services that hold credit, and not with that of all: see <see cref="CreditHolders"/>.
/// </summary>
internal sealed class CreditTable
{
    private readonly Dictionary<ServiceId, CreditHolder> services = [];

    private readonly CreditHolders holders = new();

    public SelectionWeights Weights
    {
        get => holders.Weights;
        set
        {
            holders.Weights = value;
            foreach (var entry in services.Values)
            {
                holders.Update(entry);
            }
        }
    }

    public int Credits { get; private set; }

    public void Grant(ServiceId service, Standing standing, int credits)
    {
        if (!services.TryGetValue(service, out var entry))
        {
            services.Add(service, entry = new CreditHolder(service, standing));
        }

        entry.Learn(standing);
        Change(entry, credits);
        holders.Update(entry);
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

    public bool CanTake(MailboxProvider provider) => holders.HasRoom(provider);

    /// <summary>The same for one recipient; see <see cref="Take"/>.</summary>
    public bool CanTake(MailboxProvider provider, long nowMs, ServiceId[] refusedBy) =>
        refusedBy.Length == 0 ? CanTake(provider) : holders.Best(provider, nowMs, Spared(provider, nowMs, refusedBy)) is not null;

    /// <summary>
    /// When a mail to this provider may next be bound, as far as caps, paces and rests of providers go: 0 where a service has room and only lacks credit;
    /// <see cref="long.MaxValue"/> when nobody can tell.
    /// </summary>
    /// <param name="but">Not these services.</param>
    public long NextMs(MailboxProvider provider, params ServiceId[] but) =>
        services.Values.Where(entry => !entry.IsRevoked && !but.Contains(entry.Id)).Select(entry => entry.NextFor(provider)).DefaultIfEmpty(long.MaxValue).Min();

    /// <summary>Time between two mails to this provider, over all services that it holds back; 0 where one of them is not told a pace.</summary>
    public double EveryMs(MailboxProvider provider)
    {
        var paces = services.Values.Where(entry => !entry.IsRevoked && entry.NextFor(provider) < long.MaxValue).Select(entry => entry.Standing.Providers[(int)provider].EveryMs).ToList();
        return paces.Count == 0 || paces.Contains(0) ? 0 : 1 / paces.Sum(every => 1 / every);
    }

    /// <summary>Some service does not work, or has just been changed: nobody knows when it is back.</summary>
    public bool HasRevoked => services.Values.Any(entry => entry.IsRevoked);

    /// <summary>Takes one credit of the best service; among equals of the one with most credits, so that the load spreads. Null when nobody can take it.</summary>
    /// <param name="refusedBy">Services that were refused by this recipient's server: none of them takes it while another may, if not at this moment.</param>
    public (ServiceId Service, Choice Why)? Take(MailboxProvider provider, long nowMs, params ServiceId[] refusedBy)
    {
        if (holders.Best(provider, nowMs, Spared(provider, nowMs, refusedBy)) is not { } found)
        {
            return null;
        }

        var (best, bestScore, second, secondScore) = found;
        best.LastMs = nowMs;
        if (best.Room[(int)provider] != int.MaxValue)
        {
            best.Room[(int)provider]--;
        }

        Change(best, -1);
        holders.Update(best);
        return (best.Id, new Choice(Thousandths(bestScore), second?.Id, second is null ? null : Thousandths(secondScore)));
    }

    private ServiceId[] Spared(MailboxProvider provider, long nowMs, ServiceId[] refusedBy) =>
        refusedBy.Length > 0 && NextMs(provider, refusedBy) <= nowMs ? refusedBy : [];

    private static int Thousandths(double score) => (int)Math.Round(score * 1000);

    private void Change(CreditHolder entry, int by)
    {
        entry.Credits += by;
        Credits += by;
        if (entry.Credits > 0 && entry.Place < 0)
        {
            holders.Add(entry);
        }
        else if (entry.Credits == 0 && entry.Place >= 0)
        {
            holders.Remove(entry);
        }
    }
}
