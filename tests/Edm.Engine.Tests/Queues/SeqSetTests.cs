using CsCheck;
using Edm.Engine.Queues;
using Xunit;

namespace Edm.Engine.Tests.Queues;

public sealed class SeqSetTests
{
    [Fact]
    public void It_holds_what_was_added_and_not_removed_also_as_bytes() =>
        Gen.Int[1, 400].SelectMany(planned => Gen.Select(Gen.Const(planned), Gen.Select(Gen.Bool, Gen.Int[1, planned]).Array[0, 60], Gen.Int[1, planned], Gen.Int[1, planned]))
            .Sample((planned, steps, from, last) =>
            {
                var (set, model) = (new SeqSet(planned), new SortedSet<int>());
                foreach (var (add, seq) in steps)
                {
                    if (add)
                    {
                        set.Add(seq);
                        model.Add(seq);
                    }
                    else
                    {
                        Assert.Equal(model.Remove(seq), set.Remove(seq));
                    }
                }

                foreach (var one in new[] { set, new SeqSet(planned, set.ToBytes()) })
                {
                    Assert.Equal(model.Count, one.Count);
                    Assert.Equal(model, Enumerable.Range(1, planned).Where(one.Contains));
                    Assert.Equal(model.Where(seq => seq >= from && seq <= last).Select(seq => (int?)seq).FirstOrDefault(), one.First(from, last));
                }
            });
}
