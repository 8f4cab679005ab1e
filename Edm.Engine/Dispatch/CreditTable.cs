using Edm.Contracts;

namespace Edm.Engine.Dispatch;

/// <summary>
/// Which service takes the next mail: the best score among those that hold credit. A credit is one mail that pace, quota and a free connection of the
/// service allow right now; taking it here, in one thread, is the reservation. Pure.
/// </summary>
internal sealed class CreditTable
{
    private readonly Dictionary<ServiceId, Entry> services = [];

    public int Credits { get; private set; }

    public void Grant(ServiceId service, double score, int credits)
    {
        var entry = services.GetValueOrDefault(service);
        services[service] = new Entry(score, entry.Credits + credits);
        Credits += credits;
    }

    public void Revoke(ServiceId service)
    {
        if (services.Remove(service, out var entry))
        {
            Credits -= entry.Credits;
        }
    }

    /// <summary>Takes one credit of the best service; among equals the one with most credits, so that the load spreads. Null when nobody holds any.</summary>
    public ServiceId? Take()
    {
        (ServiceId Id, Entry Entry)? best = null;
        foreach (var (id, entry) in services)
        {
            if (entry.Credits > 0 && (best is not { } b || (entry.Score, entry.Credits).CompareTo((b.Entry.Score, b.Entry.Credits)) > 0))
            {
                best = (id, entry);
            }
        }

        if (best is not { } chosen)
        {
            return null;
        }

        services[chosen.Id] = chosen.Entry with { Credits = chosen.Entry.Credits - 1 };
        Credits--;
        return chosen.Id;
    }

    private readonly record struct Entry(double Score, int Credits);
}
