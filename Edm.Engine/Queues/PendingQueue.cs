using Edm.Contracts;

namespace Edm.Engine.Queues;

/// <summary>The recipients of one task that wait for a retry, by due time and by age. How many there may be is bounded by <see cref="UserQueueLimits.MaxPending"/> for the whole user.</summary>
public sealed class PendingQueue
{
    private readonly Dictionary<int, PendingSnapshot> bySeq = [];
    private readonly SortedSet<(long DueMs, int Seq)> byDue = [];
    private readonly SortedSet<(long FirstMs, int Seq)> byFirst = [];

    public int Count => bySeq.Count;

    public long? NextDueMs => byDue.Count == 0 ? null : byDue.Min.DueMs;

    /// <summary>When the first try of the oldest was leased; null when nobody is pending.</summary>
    public long? OldestFirstMs => byFirst.Count == 0 ? null : byFirst.Min.FirstMs;

    public PendingSnapshot? Find(int seq) => bySeq.GetValueOrDefault(seq);

    public void Add(PendingSnapshot pending)
    {
        Remove(pending.Seq);
        bySeq.Add(pending.Seq, pending);
        byDue.Add((pending.DueMs, pending.Seq));
        byFirst.Add((pending.FirstMs, pending.Seq));
    }

    public bool Remove(int seq)
    {
        if (!bySeq.Remove(seq, out var pending))
        {
            return false;
        }

        byDue.Remove((pending.DueMs, seq));
        byFirst.Remove((pending.FirstMs, seq));
        return true;
    }

    /// <summary>What is due, the longest overdue first.</summary>
    public IEnumerable<PendingSnapshot> Due(long nowMs)
    {
        foreach (var (due, seq) in byDue)
        {
            if (due > nowMs)
            {
                yield break;
            }

            yield return bySeq[seq];
        }
    }

    /// <summary>Those whose first try was leased before <paramref name="firstMs"/>, the oldest first.</summary>
    public IEnumerable<int> OlderThan(long firstMs) => byFirst.TakeWhile(entry => entry.FirstMs < firstMs).Select(entry => entry.Seq);

    public IEnumerable<int> Seqs => bySeq.Keys;

    public PendingSnapshot[] ToSnapshot() => [.. byDue.Select(entry => bySeq[entry.Seq])];

    public void Clear()
    {
        bySeq.Clear();
        byDue.Clear();
        byFirst.Clear();
    }
}
