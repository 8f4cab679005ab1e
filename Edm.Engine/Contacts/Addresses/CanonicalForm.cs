using System.Globalization;
using System.Text;

namespace Edm.Engine.Contacts.Addresses;

/// <summary>
/// NFC (UAX 15). The runtime's <see cref="string.Normalize(NormalizationForm)"/> gives every text back unchanged where globalization is invariant, as it is here, so that
/// é in one code point and é in two would be two people.
/// </summary>
internal static class CanonicalForm
{
    // UAX 15 and the Unicode standard, 3.12: syllables of Hangul are computed.
    private const int SBase = 0xac00;
    private const int LBase = 0x1100;
    private const int VBase = 0x1161;
    private const int TBase = 0x11a7;
    private const int LCount = 19;
    private const int VCount = 21;
    private const int TCount = 28;
    private const int SCount = LCount * VCount * TCount;

    private static readonly Lazy<Tables> Shared = new(() => new Tables());

    /// <param name="text">Without lone surrogates.</param>
    public static string Of(string text)
    {
        if (Ascii.IsValid(text))
        {
            return text;
        }

        List<int> points = [];
        foreach (var rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, points);
        }

        Order(points);
        Compose(points);
        var result = new StringBuilder(text.Length);
        foreach (var point in points)
        {
            result.Append(new Rune(point));
        }

        return result.ToString();
    }

    /// <summary>The canonical combining class; 9 is that of viramas.</summary>
    public static int CombiningClass(int point) => point < 0x300 ? 0 : Shared.Value.Classes.GetValueOrDefault(point);

    private static void Decompose(int point, List<int> into)
    {
        if (point is >= SBase and < SBase + SCount)
        {
            var index = point - SBase;
            into.Add(LBase + index / (VCount * TCount));
            into.Add(VBase + index % (VCount * TCount) / TCount);
            if (index % TCount > 0)
            {
                into.Add(TBase + index % TCount);
            }
        }
        else if (point >= 0x80 && Shared.Value.Parts.TryGetValue(point, out var parts))
        {
            // A part can have parts again, four deep at most.
            foreach (var part in parts)
            {
                Decompose(part, into);
            }
        }
        else
        {
            into.Add(point);
        }
    }

    /// <summary>Marks stand in the order of their classes; those of one class keep theirs.</summary>
    private static void Order(List<int> points)
    {
        for (var i = 1; i < points.Count; i++)
        {
            var (point, own) = (points[i], CombiningClass(points[i]));
            var at = i;
            while (own > 0 && at > 0 && CombiningClass(points[at - 1]) > own)
            {
                points[at] = points[at - 1];
                at--;
            }

            points[at] = point;
        }
    }

    private static void Compose(List<int> points)
    {
        var (starter, last, length) = (-1, 0, 0);
        foreach (var point in points.ToArray())
        {
            var own = CombiningClass(point);

            // Nothing between it and its starter may be of the same class or a higher one.
            if (starter >= 0 && (starter == length - 1 || (last < own && last > 0)) && Composed(points[starter], point) is { } composed)
            {
                points[starter] = composed;
                continue;
            }

            if (own == 0)
            {
                starter = length;
            }

            last = own;
            points[length++] = point;
        }

        points.RemoveRange(length, points.Count - length);
    }

    private static int? Composed(int first, int second) => (first, second) switch
    {
        (>= LBase and < LBase + LCount, >= VBase and < VBase + VCount) => SBase + ((first - LBase) * VCount + second - VBase) * TCount,
        (>= SBase and < SBase + SCount, > TBase and < TBase + TCount) when (first - SBase) % TCount == 0 => first + second - TBase,
        _ => Shared.Value.Pairs.TryGetValue((first, second), out var composed) ? composed : null,
    };

    private sealed class Tables
    {
        public Tables()
        {
            foreach (var line in TableResource.Lines("canonical.txt"))
            {
                var fields = line.Split(' ');
                if (fields[0] == "c")
                {
                    var range = fields[1].Split('-');
                    for (var point = Number(range[0]); point <= Number(range[^1]); point++)
                    {
                        Classes[point] = byte.Parse(fields[2], CultureInfo.InvariantCulture);
                    }

                    continue;
                }

                var composes = fields[^1] == "+";
                int[] parts = [.. fields[2..(composes ? fields.Length - 1 : fields.Length)].Select(Number)];
                Parts[Number(fields[1])] = parts;
                if (composes)
                {
                    Pairs[(parts[0], parts[1])] = Number(fields[1]);
                }
            }
        }

        public Dictionary<int, byte> Classes { get; } = [];

        public Dictionary<int, int[]> Parts { get; } = [];

        public Dictionary<(int First, int Second), int> Pairs { get; } = [];

        private static int Number(string hex) => int.Parse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }
}
