using System.Globalization;
using System.Text.RegularExpressions;

namespace Edm.Engine.Contacts;

/// <summary>
/// Counts as creator tools and people write them: <c>1300000</c>, <c>1,300,000</c>, <c>1.300.000</c>, <c>1 300 000</c>, <c>1.3M</c>, <c>97K</c>,
/// <c>2.1b</c>, <c>12.5万</c>, <c>10k+</c>, <c>1.3E+06</c>.
/// </summary>
public static partial class CompactNumber
{
    private const int MaxLength = 40;

    /// <summary>Never throws. Fractions that remain after the suffix are rounded; negative numbers, numbers beyond <see cref="ContactLimits.Followers"/> and anything else are refused.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out long value)
    {
        value = 0;
        text = text.Trim();
        if (text.Length is 0 or > MaxLength)
        {
            return false;
        }

        // The common case, a plain count, without any more ado.
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value))
        {
            return value <= ContactLimits.Followers;
        }

        if (text[^1] == '+')
        {
            text = text[..^1].TrimEnd();
        }

        var factor = Factor(ref text);
        var plain = text.ToString();
        var grouped = Grouped().IsMatch(plain);
        if (grouped && factor > 1 && plain.IndexOf('.', StringComparison.Ordinal) is var dot && dot >= 0 && dot == plain.LastIndexOf('.'))
        {
            // 1.234M has a decimal point, 1,234K a group mark.
            grouped = false;
        }

        var digits = grouped ? GroupMarks().Replace(plain, "") : factor > 1 ? plain.Replace(',', '.') : plain;
        if (!Decimal().IsMatch(digits) || !double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        number = Math.Round(number * factor, MidpointRounding.AwayFromZero);
        if (number is not (>= 0 and < 1e18))
        {
            return false;
        }

        value = (long)number;
        return true;
    }

    private static double Factor(ref ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
        {
            return 1;
        }

        var factor = char.ToLowerInvariant(text[^1]) switch
        {
            'k' => 1e3,
            'm' => 1e6,
            'b' => 1e9,
            '万' or '萬' => 1e4,
            '亿' or '億' => 1e8,
            _ => 1,
        };
        if (factor > 1)
        {
            text = text[..^1].TrimEnd();
        }

        return factor;
    }

    // 1,300,000 or 1.300.000 or 1 300 000 (also with a no-break, thin or narrow space) or 1'300'000: one mark throughout, groups of three.
    [GeneratedRegex(@"^[1-9][0-9]{0,2}([,. '\u00A0\u2009\u202F])[0-9]{3}(\1[0-9]{3})*$", RegexOptions.CultureInvariant)]
    private static partial Regex Grouped();

    [GeneratedRegex(@"[,. '\u00A0\u2009\u202F]", RegexOptions.CultureInvariant)]
    private static partial Regex GroupMarks();

    [GeneratedRegex(@"^[0-9]+(\.[0-9]+)?([eE]\+?[0-9]{1,2})?$", RegexOptions.CultureInvariant)]
    private static partial Regex Decimal();
}
