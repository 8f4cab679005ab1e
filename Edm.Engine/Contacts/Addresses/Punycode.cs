using System.Text;

namespace Edm.Engine.Contacts.Addresses;

/// <summary>RFC 3492, for one label without its prefix. The runtime's IdnMapping goes by IDNA 2003 and takes what no registry does.</summary>
internal static class Punycode
{
    private const int Base = 36;
    private const int TMin = 1;
    private const int TMax = 26;
    private const int Skew = 38;
    private const int Damp = 700;
    private const int InitialBias = 72;
    private const int InitialN = 128;

    /// <param name="label">Whole characters only, at most a label's length and some.</param>
    public static string Encode(string label)
    {
        var points = label.EnumerateRunes().Select(r => r.Value).ToArray();
        var result = new StringBuilder();
        foreach (var point in points.Where(p => p < InitialN))
        {
            result.Append((char)point);
        }

        var basic = result.Length;
        var handled = basic;
        if (basic > 0)
        {
            result.Append('-');
        }

        var (n, delta, bias) = (InitialN, 0L, InitialBias);
        while (handled < points.Length)
        {
            var next = points.Where(p => p >= n).Min();
            delta += (long)(next - n) * (handled + 1);
            n = next;
            foreach (var point in points)
            {
                if (point < n)
                {
                    delta++;
                }
                else if (point == n)
                {
                    var rest = delta;
                    for (var k = Base; ; k += Base)
                    {
                        var threshold = Threshold(k, bias);
                        if (rest < threshold)
                        {
                            break;
                        }

                        result.Append(Digit((int)(threshold + (rest - threshold) % (Base - threshold))));
                        rest = (rest - threshold) / (Base - threshold);
                    }

                    result.Append(Digit((int)rest));
                    bias = Adapt(delta, handled + 1, handled == basic);
                    delta = 0;
                    handled++;
                }
            }

            delta++;
            n++;
        }

        return result.ToString();
    }

    /// <returns>Null when it is not the code of anything.</returns>
    public static string? Decode(ReadOnlySpan<char> code)
    {
        var delimiter = code.LastIndexOf('-');
        List<int> points = [];
        foreach (var character in code[..Math.Max(delimiter, 0)])
        {
            points.Add(character);
        }

        var (n, i, bias) = ((long)InitialN, 0L, InitialBias);
        for (var position = delimiter + 1; position < code.Length;)
        {
            var (start, weight) = (i, 1L);
            for (var k = Base; ; k += Base)
            {
                if (position == code.Length || Value(code[position++]) is not (>= 0 and var digit))
                {
                    return null;
                }

                i += digit * weight;
                var threshold = Threshold(k, bias);
                if (digit < threshold)
                {
                    break;
                }

                weight *= Base - threshold;
                if (i > int.MaxValue || weight > int.MaxValue)
                {
                    return null;
                }
            }

            var length = points.Count + 1;
            bias = Adapt(i - start, length, start == 0);
            n += i / length;
            i %= length;
            if (n > 0x10ffff || !Rune.IsValid((int)n))
            {
                return null;
            }

            points.Insert((int)i++, (int)n);
        }

        var result = new StringBuilder();
        foreach (var point in points)
        {
            result.Append(new Rune(point));
        }

        return result.ToString();
    }

    private static int Threshold(int k, int bias) => Math.Clamp(k - bias, TMin, TMax);

    private static int Adapt(long delta, int length, bool first)
    {
        delta = first ? delta / Damp : delta / 2;
        delta += delta / length;
        var k = 0;
        while (delta > (Base - TMin) * TMax / 2)
        {
            delta /= Base - TMin;
            k += Base;
        }

        return (int)(k + (Base - TMin + 1) * delta / (delta + Skew));
    }

    private static char Digit(int value) => (char)(value < 26 ? 'a' + value : '0' + value - 26);

    private static int Value(char digit) => digit switch
    {
        >= 'a' and <= 'z' => digit - 'a',
        >= '0' and <= '9' => digit - '0' + 26,
        _ => -1,
    };
}
