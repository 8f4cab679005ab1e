using CsCheck;
using Edm.Engine.Contacts.Ordinals;
using Xunit;

namespace Edm.Engine.Tests.Contacts.Ordinals;

public sealed class ContactSetTests
{
    private static readonly int[] Borders = [0, 63, 64, 8191, 8192, 16383, 16384, 1_000_000];

    /// <summary>Close together, far apart, and at the borders of words and chunks.</summary>
    private static readonly Gen<int[]> Ordinals = Gen.OneOf(
        Gen.Int[0, 200].Array[0, 60],
        Gen.Int[0, 40_000].Array[0, 60],
        Gen.Int[0, Borders.Length - 1].Select(i => Borders[i]).Array[0, 6]);

    [Fact]
    public void A_set_answers_as_a_plain_set_does() => Gen.Select(Ordinals, Ordinals).Sample((left, right) =>
    {
        Check(set => set.UnionWith(ContactSet.Of(right)), set => set.UnionWith(right));
        Check(set => set.IntersectWith(ContactSet.Of(right)), set => set.IntersectWith(right));
        Check(set => set.ExceptWith(ContactSet.Of(right)), set => set.ExceptWith(right));
        Assert.Equal(left.ToHashSet().Overlaps(right), ContactSet.Of(left).Overlaps(ContactSet.Of(right)));

        void Check(Action<ContactSet> ours, Action<SortedSet<int>> model)
        {
            var (set, plain) = (ContactSet.Of(left), new SortedSet<int>(left));
            ours(set);
            model(plain);
            AssertSame(plain, set);
        }
    });

    [Fact]
    public void Add_and_remove_say_whether_they_changed_anything() => Gen.Select(Gen.Int[0, 300], Gen.Bool).Array[0, 200].Sample(steps =>
    {
        var (set, plain) = (new ContactSet(), new SortedSet<int>());
        foreach (var (ordinal, add) in steps)
        {
            Assert.Equal(add ? plain.Add(ordinal) : plain.Remove(ordinal), add ? set.Add(ordinal) : set.Remove(ordinal));
        }

        AssertSame(plain, set);
    });

    [Fact]
    public void A_range_is_each_of_its_ordinals() => Gen.Select(Gen.Int[0, 20_000], Gen.Int[0, 20_000]).Sample((first, count) =>
    {
        var set = new ContactSet();
        set.AddRange(first, count);
        Assert.Equal(Enumerable.Range(first, count), set.Ordinals);
    });

    [Fact]
    public void After_goes_on_behind_an_ordinal() => Gen.Select(Ordinals, Gen.Int[-1, 41_000]).Sample((ordinals, after) =>
        Assert.Equal(ordinals.Where(o => o > after).Distinct().Order(), ContactSet.Of(ordinals).After(after)));

    [Fact]
    public void The_bytes_of_a_chunk_are_its_bits_from_the_lowest_on()
    {
        var set = ContactSet.Of(0, 9, 8191, 8192);

        var bytes = ContactChunk.ToBytes(set.Bits(0));

        Assert.Equal((1024, 0x01, 0x02, 0x80), (bytes.Length, bytes[0], bytes[1], bytes[1023]));
        Assert.Equal(set.Bits(0), ContactChunk.FromBytes(bytes));
        Assert.Throws<InvalidDataException>(() => ContactChunk.FromBytes(bytes.AsSpan(1)));
    }

    private static void AssertSame(SortedSet<int> expected, ContactSet actual)
    {
        Assert.Equal(expected, actual.Ordinals);
        Assert.Equal(expected.Count, actual.Count);
        Assert.Equal(expected.Count == 0, actual.IsEmpty);
        Assert.Equal(expected.Select(ContactChunk.Of).Distinct(), actual.Chunks);
        Assert.All(expected, ordinal => Assert.True(actual.Contains(ordinal)));
    }
}
