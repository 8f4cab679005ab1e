using CsCheck;
using Edm.Contracts;
using Edm.Engine.Queues;
using Xunit;

namespace Edm.Engine.Tests.Queues;

public sealed class PendingQueueTests
{
    /// <summary>Few seqs and few times, so that they meet: seq, due (null: remove).</summary>
    private static readonly Gen<(int Seq, long? Due)[]> Changes =
        Gen.Select(Gen.Int[1, 12], Gen.OneOf(Gen.Long[0, 9].Select(due => (long?)due), Gen.Const((long?)null))).Array[0, 60];

    [Fact]
    public void It_holds_what_a_plain_dictionary_would_hold_in_the_order_of_the_times() => Gen.Select(Changes, Gen.Long[-1, 10]).Sample((changes, now) =>
    {
        var queue = new PendingQueue();
        var model = new Dictionary<int, PendingSnapshot>();
        foreach (var (seq, due) in changes)
        {
            if (due is { } dueMs)
            {
                model[seq] = new PendingSnapshot(seq, 2 + (int)dueMs, dueMs, 0);
                queue.Add(model[seq]);
            }
            else
            {
                Assert.Equal(model.Remove(seq), queue.Remove(seq));
            }

            Assert.Equal(model.Count, queue.Count);
            Assert.Equal(model.Count == 0 ? null : model.Values.Min(p => p.DueMs), queue.NextDueMs);
        }

        var ordered = model.Values.OrderBy(p => (p.DueMs, p.Seq)).ToArray();
        Assert.Equal(ordered, queue.ToSnapshot());
        Assert.Equal(ordered.Where(p => p.DueMs <= now), queue.Due(now));
        Assert.Equal(model.Keys.Order(), queue.Seqs.Order());
        Assert.All(Enumerable.Range(1, 12), seq => Assert.Equal(model.GetValueOrDefault(seq), queue.Find(seq)));
    });

    [Fact]
    public void Clearing_leaves_nothing()
    {
        var queue = new PendingQueue();
        queue.Add(new PendingSnapshot(1, 2, 3, 0));

        queue.Clear();

        Assert.Equal((0, null), (queue.Count, queue.NextDueMs));
        Assert.Empty(queue.Due(long.MaxValue));
        Assert.False(queue.Remove(1));
    }
}
