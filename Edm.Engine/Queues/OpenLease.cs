using Edm.Contracts;

namespace Edm.Engine.Queues;

/// <param name="Attempt">From 1.</param>
/// <param name="FirstMs">When the first try was leased.</param>
/// <param name="RefusedBy">As <see cref="RetryItem.RefusedBy"/>.</param>
public readonly record struct LeasedTry(int Attempt, long FirstMs, ServiceId[]? RefusedBy = null)
{
    /// <summary>With the service of this outcome, if it was refused.</summary>
    public ServiceId[]? RefusedAfter(Outcome outcome) =>
        outcome is { Unwanted: true, Service: { } service } && !(RefusedBy ?? []).Contains(service) ? [.. RefusedBy ?? [], service] : RefusedBy;
}

/// <summary>Recipients that were handed to one lane, in answer to one pull, and are not settled yet.</summary>
public sealed class OpenLease
{
    private readonly SortedDictionary<int, LeasedTry> tries = [];

    public OpenLease(BatchLeased leased)
    {
        (Nr, Lane, Epoch, PullNr, Task, AtMs) = (leased.Lease, leased.Lane, leased.Epoch, leased.PullNr, leased.Task, leased.AtMs);
        foreach (var range in leased.Fresh)
        {
            for (var seq = range.First; seq <= range.Last; seq++)
            {
                tries[seq] = new LeasedTry(1, leased.AtMs);
            }
        }

        foreach (var retry in leased.Retries)
        {
            tries[retry.Seq] = new LeasedTry(retry.Attempt, retry.FirstMs, retry.RefusedBy);
        }
    }

    public LeaseNr Nr { get; }
    public LaneId Lane { get; }
    public long Epoch { get; }
    public long PullNr { get; }
    public TaskId Task { get; }
    public long AtMs { get; }
    public int Count => tries.Count;

    public bool TryGet(int seq, out LeasedTry found) => tries.TryGetValue(seq, out found);

    /// <summary>It had waited for its first try. One that was postponed since then is for try 1 too, but has an age to keep.</summary>
    public bool IsFresh(LeasedTry leased) => leased.Attempt == 1 && leased.FirstMs == AtMs;

    public void Settle(int seq) => tries.Remove(seq);

    public IEnumerable<int> Seqs => tries.Keys;

    /// <summary>What is still open, in the shape of the event that opened it.</summary>
    public (SeqRange[] Fresh, RetryItem[] Retries) Open() =>
        (SeqRange.Of(tries.Where(t => IsFresh(t.Value)).Select(t => t.Key)),
            [.. tries.Where(t => !IsFresh(t.Value)).Select(t => new RetryItem(t.Key, t.Value.Attempt, t.Value.FirstMs, t.Value.RefusedBy))]);

    public LeaseSnapshot ToSnapshot()
    {
        var (fresh, retries) = Open();
        return new LeaseSnapshot(Nr, Lane, Epoch, PullNr, Task, fresh, retries, AtMs);
    }

    public static OpenLease From(LeaseSnapshot s) => new(new BatchLeased(s.Lease, s.Lane, s.Epoch, s.PullNr, s.Task, s.Fresh, s.Retries, s.AtMs));
}
