using System.Globalization;
using System.Text.RegularExpressions;

namespace Edm.Engine.Contacts.Filters;

/// <summary>
/// Attributes are stored as the text that an import brought; a filter that compares with a number or a day reads them as such. <see cref="ContactFilterSql"/> says
/// the same in PostgreSQL's words, and on SQLite calls these.
/// </summary>
internal static partial class AttributeValue
{
    /// <summary>
    /// <c>12</c>, <c>-1.5</c>, <c>1,300,000</c>, <c>1.2M</c>, <c>10k</c>, <c>5.2%</c>. The percent sign is a unit and left out: 5.2% is 5.2, as the same column of another
    /// file may have no sign. The digits are bounded so that a double holds them exactly.
    /// </summary>
    public const string NumberPattern = "^[+-]?([0-9]{1,15}|[0-9]{1,3}(,[0-9]{3}){1,4})([.][0-9]{1,9})?[kKmMbB%]?$";

    /// <summary>A day, alone or with a time behind it that is left out: <c>2026-01-31</c>, <c>2026/01/31 10:00</c>.</summary>
    public const string DayPattern = "^[0-9]{4}[-/.][0-9]{2}[-/.][0-9]{2}";

    private const int MaxNumber = 40;

    public static bool TryNumber(string? text, out double number)
    {
        number = 0;
        // A plain count, the common case, without any more ado.
        if (text is null || text.Length is 0 or > MaxNumber)
        {
            return false;
        }

        if (text.Length <= 15 && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            number = count;
            return true;
        }

        if (text[^1] == '\n' || !Number().IsMatch(text))
        {
            return false;
        }

        var factor = char.ToLowerInvariant(text[^1]) switch { 'k' => 1e3, 'm' => 1e6, 'b' => 1e9, _ => 1d };
        var digits = text.TrimEnd('k', 'K', 'm', 'M', 'b', 'B', '%').Replace(",", "", StringComparison.Ordinal);
        number = double.Parse(digits, NumberStyles.Float, CultureInfo.InvariantCulture) * factor;
        return true;
    }

    /// <param name="day">yyyymmdd. The 31st of February is a number like any other.</param>
    public static bool TryDay(string? text, out int day)
    {
        day = 0;
        if (text is null || text.Length < 10 || !Mark(text[4]) || !Mark(text[7]))
        {
            return false;
        }

        for (var i = 0; i < 10; i++)
        {
            if (i is 4 or 7)
            {
                continue;
            }

            if (!char.IsAsciiDigit(text[i]))
            {
                return false;
            }

            day = (day * 10) + (text[i] - '0');
        }

        return true;

        static bool Mark(char character) => character is '-' or '/' or '.';
    }

    /// <summary>As a number that sorts as the double does, for columns of whole numbers. -0 is 0.</summary>
    public static long Sortable(double number)
    {
        var bits = BitConverter.DoubleToInt64Bits(number + 0d);
        return bits >= 0 ? bits : bits ^ long.MaxValue;
    }

    [GeneratedRegex(NumberPattern, RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}
