namespace Edm.Engine.Contacts.Addresses;

/// <summary>How many slips of the hand lie between two words.</summary>
internal static class TypoDistance
{
    /// <summary>Longer words are not compared: no name of a provider is, and the work is their product.</summary>
    private const int MaxLength = 32;

    /// <summary>
    /// The Damerau-Levenshtein distance (optimal string alignment): a letter too many, missing, wrong, or two in the wrong order count one each.
    /// </summary>
    /// <returns>More than <paramref name="bound"/> as soon as that is certain.</returns>
    public static int Of(ReadOnlySpan<char> one, ReadOnlySpan<char> other, int bound)
    {
        if (Math.Abs(one.Length - other.Length) > bound || one.Length > MaxLength || other.Length > MaxLength)
        {
            return bound + 1;
        }

        Span<int> beforeLast = stackalloc int[MaxLength + 1];
        Span<int> last = stackalloc int[MaxLength + 1];
        Span<int> current = stackalloc int[MaxLength + 1];
        for (var j = 0; j <= other.Length; j++)
        {
            last[j] = j;
        }

        for (var i = 1; i <= one.Length; i++)
        {
            current[0] = i;
            var least = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var value = Math.Min(Math.Min(last[j], current[j - 1]) + 1, last[j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                {
                    value = Math.Min(value, beforeLast[j - 2] + 1);
                }

                current[j] = value;
                least = Math.Min(least, value);
            }

            if (least > bound)
            {
                return bound + 1;
            }

            last.CopyTo(beforeLast);
            current.CopyTo(last);
        }

        return last[other.Length];
    }
}
