using Edm.Contracts;

namespace Edm.Engine.Queues;

/// <summary>Recipients that were handed to one lane, in answer to one pull, and are not settled yet.</summary>
public sealed class OpenLease
{
    private readonly SortedDictionary<int, int> attempts = [];

    public OpenLease(BatchLeased leased)
    {
        (Nr, Lane, Epoch, PullNr, Task, AtMs) = (leased.Lease, leased.Lane, leased.Epoch, leased.PullNr, leased.Task, leased.AtMs);
        foreach (var range in leased.Fresh)
        {
            for (var seq = range.First; seq <= range.Last; seq++)
            {
                attempts[seq] = 1;
            }
        }

        foreach (var retry in leased.Retries)
        {
            attempts[retry.Seq] = retry.Attempt;
        }
    }

    public LeaseNr Nr { get; }
    public LaneId Lane { get; }
    public long Epoch { get; }
    public long PullNr { get; }
    public TaskId Task { get; }
    public long AtMs { get; }
    public int Count => attempts.Count;

    public bool TryGetAttempt(int seq, out int attempt) => attempts.TryGetValue(seq, out attempt);

    public void Settle(int seq) => attempts.Remove(seq);

    public IEnumerable<int> Seqs => attempts.Keys;

    /// <summary>What is still open, in the shape of the event that opened it.</summary>
    public (SeqRange[] Fresh, RetryItem[] Retries) Open() =>
        (SeqRange.Of(attempts.Where(a => a.Value == 1).Select(a => a.Key)), [.. attempts.Where(a => a.Value > 1).Select(a => new RetryItem(a.Key, a.Value))]);

    public LeaseSnapshot ToSnapshot()
    {
        var (fresh, retries) = Open();
        return new LeaseSnapshot(Nr, Lane, Epoch, PullNr, Task, fresh, retries, AtMs);
    }

    public static OpenLease From(LeaseSnapshot s) => new(new BatchLeased(s.Lease, s.Lane, s.Epoch, s.PullNr, s.Task, s.Fresh, s.Retries, s.AtMs));
}
