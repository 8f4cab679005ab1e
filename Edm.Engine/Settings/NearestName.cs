namespace Edm.Engine.Settings;

/// <summary>For errors that say what was probably meant.</summary>
internal static class NearestName
{
    /// <summary>The known name with the smallest edit distance (Levenshtein), case aside.</summary>
    public static string Of(string name, IEnumerable<string> known)
    {
        // Longer ones are not typing errors, and the distance takes quadratic time.
        var text = (name.Length > 64 ? name[..64] : name).ToLowerInvariant();
        return known.MinBy(candidate => Distance(text, candidate))!;
    }

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
