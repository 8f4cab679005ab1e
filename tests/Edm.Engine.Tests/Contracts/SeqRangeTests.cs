using CsCheck;
using Edm.Contracts;
using Xunit;

namespace Edm.Engine.Tests.Contracts;

public sealed class SeqRangeTests
{
    [Fact]
    public void Runs_hold_exactly_the_numbers_ascending_and_as_few_as_can_be() => Gen.Int[1, 40].Array[0, 60].Sample(seqs =>
    {
        var runs = SeqRange.Of(seqs);

        Assert.Equal(seqs.Distinct().Order(), runs.SelectMany(r => Enumerable.Range(r.First, r.Count)));
        Assert.All(runs.Zip(runs.Skip(1)), pair => Assert.True(pair.Item1.Last + 1 < pair.Item2.First));
    });

    [Fact]
    public void The_largest_number_is_a_number_like_any_other() =>
        Assert.Equal([new SeqRange(int.MaxValue - 1, int.MaxValue)], SeqRange.Of([int.MaxValue, int.MaxValue, int.MaxValue - 1]));

    [Fact]
    public void Both_ends_belong_to_it()
    {
        var range = new SeqRange(3, 5);

        Assert.Equal(3, range.Count);
        Assert.Equal([3, 4, 5], Enumerable.Range(1, 9).Where(range.Contains));
    }
}
