using System.Globalization;
using System.Text.RegularExpressions;

namespace Edm.Engine.Imports;

/// <summary>What the values of a column are.</summary>
internal enum ColumnType
{
    Text,
    Number,
    Percent,
    Date,
    Boolean,
}

/// <summary>
/// The type of a column, and how its values are stored: numbers as plain decimals (<c>1.3M</c> is <c>1300000</c>, <c>4.5%</c> is <c>4.5</c>), dates as ISO 8601, booleans as
/// <c>true</c> and <c>false</c>. A type is given only where all the sampled values agree; a later value that doesn't is stored as it stands.
/// </summary>
internal sealed partial class ColumnForm
{
    private const int MaxSampled = 200;
    private const int MaxLength = 40;

    public static readonly ColumnForm Text = new(ColumnType.Text, null, default);

    private static readonly string[][] DateFormats =
    [
        ["yyyy-M-d", "yyyy/M/d", "yyyy.M.d", "yyyy年M月d日"],
        ["d.M.yyyy", "d/M/yyyy", "d-M-yyyy"],
        ["M/d/yyyy", "M-d-yyyy"],
        ["d MMM yyyy", "d MMMM yyyy", "MMM d, yyyy", "MMMM d, yyyy", "d-MMM-yyyy"],
    ];

    private static readonly string[] Times = ["H:mm", "H:mm:ss", "H:mm:ss.FFFFFFF"];
    private static readonly HashSet<string> Yes = Words("true yes y t on ja oui sí si sim да вкл 是 はい 예 ya ✓ ✔");
    private static readonly HashSet<string> No = Words("false no n f off nein non não nao нет выкл 否 いいえ 아니요 아니오 tidak ✗ ✘");

    private readonly string[]? _formats;
    private readonly Marks _marks;

    private ColumnForm(ColumnType type, string[]? formats, Marks marks) => (Type, _formats, _marks) = (type, formats, marks);

    /// <summary>Which characters group thousands, and which begins the fraction.</summary>
    private enum Marks
    {
        /// <summary>1,234.5</summary>
        English,

        /// <summary>1.234,5</summary>
        Continental,
    }

    public ColumnType Type { get; }

    /// <summary>As the API and people call it.</summary>
    public string Name => Type switch
    {
        ColumnType.Text => "text",
        ColumnType.Number => "number",
        ColumnType.Percent => "percent",
        ColumnType.Date => "date",
        ColumnType.Boolean => "boolean",
        _ => throw new InvalidOperationException($"The type {Type} has no name."),
    };

    /// <summary>Whether a value is stored as it stands, without more ado than a look at it; if not, <see cref="Normal"/> may still change nothing.</summary>
    public bool IsNormal(ReadOnlySpan<char> value) => Type switch
    {
        ColumnType.Text => true,
        ColumnType.Number => !value.ContainsAnyExceptInRange('0', '9'),
        _ => false,
    };

    /// <summary>As it is stored.</summary>
    public string Normal(string value) => Type switch
    {
        ColumnType.Number => IsNormal(value) ? value : Number(value, _marks) ?? value,
        ColumnType.Percent => value.EndsWith('%') ? Number(value[..^1].TrimEnd(), _marks) ?? value : value,
        ColumnType.Date => Date(value, _formats!) ?? value,
        ColumnType.Boolean => Yes.Contains(value) ? "true" : No.Contains(value) ? "false" : value,
        _ => value,
    };

    /// <param name="values">From one column, trimmed; empty ones and placeholders aside.</param>
    public static ColumnForm Guess(IEnumerable<string> values)
    {
        var sample = values.Take(MaxSampled).ToList();
        if (sample.Count == 0 || sample.Exists(v => v.Length > MaxLength))
        {
            return Text;
        }

        if (sample.TrueForAll(v => Yes.Contains(v) || No.Contains(v)))
        {
            // A column of nothing but NO may be one of Norwegians.
            return (sample.Exists(Yes.Contains) && sample.Exists(No.Contains)) || sample.Exists(v => v.Length >= 4) ? new ColumnForm(ColumnType.Boolean, null, default) : Text;
        }

        if (sample.TrueForAll(v => v.EndsWith('%')))
        {
            var numbers = sample.ConvertAll(v => v[..^1].TrimEnd());
            return MarksOf(numbers) is { } marks && numbers.TrueForAll(v => Number(v, marks) is not null) ? new ColumnForm(ColumnType.Percent, null, marks) : Text;
        }

        if (IsNumeric(sample) is { } found)
        {
            return new ColumnForm(ColumnType.Number, null, found);
        }

        return Dates(sample) is { } formats ? new ColumnForm(ColumnType.Date, formats, default) : Text;
    }

    private static Marks? IsNumeric(List<string> sample)
    {
        // Postal codes, telephone numbers and identifiers: what a number would lose.
        if (sample.Exists(v => v.Length > 15 || v[0] == '+' || LeadingZero().IsMatch(v)))
        {
            return null;
        }

        return MarksOf(sample) is { } marks && sample.TrueForAll(v => Number(v, marks) is not null) ? marks : null;
    }

    /// <summary>What a comma and a dot mean, by the values that leave no choice; null when they contradict each other.</summary>
    private static Marks? MarksOf(List<string> values)
    {
        var continental = values.Exists(v => Continental().IsMatch(v));
        var english = values.Exists(v => English().IsMatch(v));
        return continental && english ? null : continental ? Marks.Continental : Marks.English;
    }

    /// <summary>Null when it is none.</summary>
    private static string? Number(string value, Marks marks)
    {
        if (value.Length is 0 or > MaxLength || !NumberShape().IsMatch(value) || (marks == Marks.English ? Continental() : English()).IsMatch(value))
        {
            return null;
        }

        var factor = char.ToLowerInvariant(value[^1]) switch
        {
            'k' => 1e3m,
            'm' => 1e6m,
            'b' => 1e9m,
            '万' or '萬' => 1e4m,
            '亿' or '億' => 1e8m,
            _ => 1m,
        };
        var digits = (factor == 1m ? value : value[..^1].TrimEnd()).Replace(marks == Marks.English ? "," : ".", "", StringComparison.Ordinal).Replace(',', '.');
        digits = Spaces().Replace(digits, "");
        if (!decimal.TryParse(digits, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var number)
            || Math.Abs(number) > decimal.MaxValue / 1e9m)
        {
            return null;
        }

        number *= factor;
        // What is written is kept, except for zeros that a suffix brought.
        return factor == 1m ? number.ToString(CultureInfo.InvariantCulture) : number.ToString("0.############", CultureInfo.InvariantCulture);
    }

    private static string[]? Dates(List<string> sample)
    {
        if (!sample.TrueForAll(v => v.Length >= 8 && v.AsSpan().IndexOfAnyInRange('0', '9') >= 0))
        {
            return null;
        }

        var fitting = DateFormats.Where(formats => sample.TrueForAll(v => Date(v, formats) is not null)).ToList();
        // 03/04/2024 in every row: nobody can know whether it is March or April.
        return fitting.Count == 1 ? fitting[0] : null;
    }

    /// <summary>Null when it is none of these. An offset is kept, and none is invented.</summary>
    private static string? Date(string value, string[] formats)
    {
        if (value.Length > MaxLength)
        {
            return null;
        }

        var split = value.Length > 10 && value[10] == 'T' ? 10 : value.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon ? value.LastIndexOf(' ', colon) : -1;
        var day = split < 0 ? value : value[..split].TrimEnd(',', ' ');
        if (!DateOnly.TryParseExact(day, formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
        {
            return null;
        }

        if (split < 0)
        {
            return date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        }

        var (time, zone) = Zone(value[(split + 1)..].Trim());
        return zone is not null && TimeOnly.TryParseExact(time, Times, CultureInfo.InvariantCulture, DateTimeStyles.None, out var clock)
            ? $"{date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}T{clock.ToString("HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture)}{zone}"
            : null;
    }

    private static (string Time, string? Zone) Zone(string text)
    {
        if (text.EndsWith('Z') || text.EndsWith(" UTC", StringComparison.Ordinal))
        {
            return (text.EndsWith('Z') ? text[..^1] : text[..^4], "Z");
        }

        var match = Offset().Match(text);
        return match.Success ? (text[..match.Index].TrimEnd(), $"{match.Groups[1].Value}:{match.Groups[2].Value}") : (text, "");
    }

    private static HashSet<string> Words(string words) => new(words.Split(' '), StringComparer.OrdinalIgnoreCase);

    [GeneratedRegex(@"^-?0[0-9]", RegexOptions.CultureInvariant)]
    private static partial Regex LeadingZero();

    // 1.234,5 or 1.234.567 or 12,5: a fraction after a comma, or groups after dots.
    [GeneratedRegex(@"^-?[0-9]+(\.[0-9]{3})*,([0-9]{1,2}|[0-9]{4,})( ?[kKmMbB])?$|^-?[0-9]{1,3}(\.[0-9]{3})+,[0-9]+|^-?[1-9][0-9]{0,2}(\.[0-9]{3}){2,}$|^-?0,[0-9]+$|^-?[0-9]+,[0-9]+ ?[kKmMbB]$", RegexOptions.CultureInvariant)]
    private static partial Regex Continental();

    // 1,234.5 or 1,234,567 or 12.5.
    [GeneratedRegex(@"^-?[0-9]{1,3}(,[0-9]{3})*\.([0-9]{1,2}|[0-9]{4,})( ?[kKmMbB])?$|^-?[0-9]{1,3}(,[0-9]{3})+\.[0-9]+|^-?[1-9][0-9]{0,2}(,[0-9]{3}){2,}$|^-?0\.[0-9]+$|^-?[0-9]+\.[0-9]+( ?[kKmMbB])$", RegexOptions.CultureInvariant)]
    private static partial Regex English();

    [GeneratedRegex(@"^-?([0-9]+|[0-9]{1,3}([,.' \u00A0\u2009\u202F][0-9]{3})+)([.,][0-9]+)?([eE][+-]?[0-9]{1,2})?(\s?[kKmMbB万萬亿億])?$", RegexOptions.CultureInvariant)]
    private static partial Regex NumberShape();

    [GeneratedRegex(@"[' \u00A0\u2009\u202F]", RegexOptions.CultureInvariant)]
    private static partial Regex Spaces();

    [GeneratedRegex(@"\s?([+-][0-9]{2}):?([0-9]{2})$", RegexOptions.CultureInvariant)]
    private static partial Regex Offset();
}
