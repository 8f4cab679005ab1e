using Edm.Engine.Contacts.Ordinals;

namespace Edm.Engine.Contacts.Search;

/// <summary>A random choice that the same seed makes again: of contacts that came or went only as many places change as there are of them.</summary>
internal static class ContactSample
{
    /// <returns>At most <paramref name="count"/>, in random order.</returns>
    public static IReadOnlyList<int> Of(ContactSet set, long seed, int count)
    {
        // Those with the smallest hashes; the largest of them on top.
        var held = new PriorityQueue<int, ulong>(count + 1, Comparer<ulong>.Create((a, b) => b.CompareTo(a)));
        foreach (var ordinal in set.Ordinals)
        {
            var hash = Hash(ordinal, seed);
            if (held.Count < count)
            {
                held.Enqueue(ordinal, hash);
            }
            else if (held.TryPeek(out _, out var largest) && hash < largest)
            {
                held.DequeueEnqueue(ordinal, hash);
            }
        }

        var chosen = new List<int>(held.Count);
        while (held.TryDequeue(out var ordinal, out _))
        {
            chosen.Add(ordinal);
        }

        chosen.Reverse();
        return chosen;
    }

    // SplitMix64 (Steele, Lea and Flood 2014), twice so that near seeds give unlike choices.
    private static ulong Hash(int ordinal, long seed) => Mix(Mix(unchecked((ulong)seed)) + (ulong)ordinal);

    private static ulong Mix(ulong value)
    {
        unchecked
        {
            value += 0x9E3779B97F4A7C15;
            value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
            value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
            return value ^ (value >> 31);
        }
    }
}
