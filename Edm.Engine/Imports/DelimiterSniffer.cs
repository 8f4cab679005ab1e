namespace Edm.Engine.Imports;

/// <summary>Finds out what divides the columns.</summary>
internal static class DelimiterSniffer
{
    private const int Records = 20;
    private static readonly char[] Candidates = [',', ';', '\t', '|'];

    /// <summary>
    /// The delimiter that divides the header into the most columns, of those by which the following records fit the header best. A comma when none divides anything.
    /// </summary>
    /// <param name="start">The first characters of the file; the last record may be cut off.</param>
    public static char Sniff(ReadOnlySpan<char> start)
    {
        var best = (Delimiter: ',', Fit: 0.0, Columns: 1);
        foreach (var candidate in Candidates)
        {
            var counts = Count(start, candidate);
            if (counts.Count == 0 || counts[0] < 2)
            {
                continue;
            }

            var fit = counts.Count(c => c == counts[0]) / (double)counts.Count;
            if (fit > best.Fit + 0.2 || (fit > best.Fit - 0.2 && counts[0] > best.Columns))
            {
                best = (candidate, fit, counts[0]);
            }
        }

        return best.Delimiter;
    }

    /// <summary>The columns of each of the first records, blank ones aside.</summary>
    private static List<int> Count(ReadOnlySpan<char> text, char delimiter)
    {
        var counts = new List<int>(Records);
        var (columns, quoted, blank, atStart) = (1, false, true, true);
        foreach (var character in text)
        {
            if (quoted)
            {
                // A doubled quote closes and opens again, which comes to the same.
                quoted = character != '"';
                continue;
            }

            if (character is '\n' or '\r')
            {
                if (!blank)
                {
                    counts.Add(columns);
                    if (counts.Count == Records)
                    {
                        return counts;
                    }
                }

                (columns, blank, atStart) = (1, true, true);
                continue;
            }

            if (character == delimiter)
            {
                columns++;
                (blank, atStart) = (false, true);
                continue;
            }

            // A quote elsewhere than at the start of a value is a character like others.
            quoted = character == '"' && (atStart || text.IsEmpty);
            blank &= character == ' ';
            atStart = false;
        }

        if (counts.Count == 0 && !blank)
        {
            counts.Add(columns);
        }

        return counts;
    }
}
