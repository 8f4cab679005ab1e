using Edm.Contracts;

namespace Edm.Engine.Queues;

/// <summary>
/// Recipients of one task that wait for their first try and that a lane gave back, because none of its services may send to their provider before a certain moment. They wait
/// like all others, but that lane gets none of them before, so that nobody waits behind them: one moment for all of a lane and a provider, and a bit a recipient, whatever their
/// number. A lane that has not said so itself may have them at any time. Counts nothing: everybody here is <see cref="RecipientState.Waiting"/> in the ledger.
/// </summary>
public sealed class ParkedRecipients
{
    private readonly int planned;
    private readonly SortedDictionary<int, SeqSet> byProvider = [];

    /// <summary>Until when a lane can't send to a provider, in ms; also moments that are over. No more than lanes times providers.</summary>
    private readonly SortedDictionary<(int Provider, int Lane), long> closed = [];

    /// <param name="planned">Recipients of the task.</param>
    public ParkedRecipients(int planned) => this.planned = planned;

    public ParkedRecipients(int planned, ParkedSnapshot[] snapshot) : this(planned)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        foreach (var parked in snapshot)
        {
            byProvider.Add(parked.Provider, new SeqSet(planned, parked.Seqs));
            foreach (var lane in parked.Closed)
            {
                closed.Add((parked.Provider, lane.Lane), lane.UntilMs);
            }
        }
    }

    public int Count => byProvider.Values.Sum(set => set.Count);

    public bool Contains(int seq) => byProvider.Values.Any(set => set.Contains(seq));

    /// <param name="provider">By its stored number.</param>
    /// <param name="untilMs">What the lane says now holds for all of the provider's recipients: the last word counts.</param>
    public void Add(int seq, int provider, int lane, long untilMs)
    {
        if (!byProvider.TryGetValue(provider, out var set))
        {
            byProvider.Add(provider, set = new SeqSet(planned));
        }

        set.Add(seq);
        closed[(provider, lane)] = untilMs;
    }

    /// <returns>False when it was not there.</returns>
    public bool Remove(int seq) => byProvider.Values.Any(set => set.Remove(seq));

    /// <summary>The first run from <paramref name="from"/> to <paramref name="last"/> that the lane may have now, at most <paramref name="max"/> long.</summary>
    public SeqRange? Open(int lane, long nowMs, int from, int last, int max)
    {
        SeqRange? earliest = null;
        foreach (var (provider, set) in byProvider)
        {
            if (set.Count > 0 && closed.GetValueOrDefault((provider, lane)) <= nowMs && set.First(from, earliest?.First - 1 ?? last) is { } first)
            {
                var end = first;
                while (end < last && end - first + 1 < max && set.Contains(end + 1))
                {
                    end++;
                }

                earliest = new SeqRange(first, end);
            }
        }

        return earliest;
    }

    /// <summary>The first from <paramref name="from"/> to <paramref name="last"/>, whoever may have it; null when none is there.</summary>
    public int? First(int from, int last) => byProvider.Values.Min(set => set.First(from, last));

    /// <summary>When a lane may next have somebody whom it can't have now; null when there is no such moment.</summary>
    public long? NextOpeningMs(long nowMs) => closed.Where(lane => lane.Value > nowMs && byProvider[lane.Key.Provider].Count > 0).Min(lane => (long?)lane.Value);

    /// <returns>Null when there is nobody.</returns>
    public ParkedSnapshot[]? ToSnapshot() => byProvider.Count == 0 ? null :
    [
        .. byProvider.Select(provider => new ParkedSnapshot(
            provider.Key, provider.Value.ToBytes(),
            [.. closed.Where(lane => lane.Key.Provider == provider.Key).Select(lane => new ClosedLane(lane.Key.Lane, lane.Value))])),
    ];
}
