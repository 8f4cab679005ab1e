using Edm.Contracts;

namespace Edm.Engine.Queues;

/// <summary>The recipients of one task that wait for a retry, by due time. How many there may be is bounded by <see cref="UserQueueLimits.MaxPending"/> for the whole user.</summary>
public sealed class PendingQueue
{
    private readonly Dictionary<int, PendingSnapshot> bySeq = [];
    private readonly SortedSet<(long DueMs, int Seq)> byDue = [];

    public int Count => bySeq.Count;

    public long? NextDueMs => byDue.Count == 0 ? null : byDue.Min.DueMs;

    public PendingSnapshot? Find(int seq) => bySeq.GetValueOrDefault(seq);

    public void Add(PendingSnapshot pending)
    {
        if (bySeq.Remove(pending.Seq, out var older))
        {
            byDue.Remove((older.DueMs, older.Seq));
        }

        bySeq.Add(pending.Seq, pending);
        byDue.Add((pending.DueMs, pending.Seq));
    }

    public bool Remove(int seq)
    {
        if (!bySeq.Remove(seq, out var pending))
        {
            return false;
        }

        byDue.Remove((pending.DueMs, seq));
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

    public IEnumerable<int> Seqs => bySeq.Keys;

    public PendingSnapshot[] ToSnapshot() => [.. byDue.Select(entry => bySeq[entry.Seq])];

    public void Clear()
    {
        bySeq.Clear();
        byDue.Clear();
    }
}
