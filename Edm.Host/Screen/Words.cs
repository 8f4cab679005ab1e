using System.Globalization;
using System.Text;

namespace Edm.Host.Screen;

/// <summary>Numbers, times and foreign text as a person reads them.</summary>
internal static class Words
{
    private const int BarWidth = 24;
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>1,234,567.</summary>
    public static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>The noun with its number: 1 row, 2 rows.</summary>
    public static string Count(long number, string noun) => $"{Count(number)} {noun}{(number == 1 ? "" : "s")}";

    /// <summary>132.9 KiB.</summary>
    public static string Size(long bytes)
    {
        var unit = 0;
        double size = bytes;
        for (; size >= 1024 && unit < Units.Length - 1; unit++)
        {
            size /= 1024;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{(unit == 0 ? $"{bytes}" : $"{size:0.0}")} {Units[unit]}");
    }

    /// <summary>0:07, 12:34, 1:02:03.</summary>
    public static string Clock(TimeSpan span)
    {
        var whole = TimeSpan.FromSeconds(Math.Ceiling(Math.Max(span.TotalSeconds, 0)));
        return whole.TotalHours >= 1
            ? string.Create(CultureInfo.InvariantCulture, $"{(int)whole.TotalHours}:{whole.Minutes:00}:{whole.Seconds:00}")
            : string.Create(CultureInfo.InvariantCulture, $"{whole.Minutes}:{whole.Seconds:00}");
    }

    /// <summary>0.8 s, 12 s, 3:20.</summary>
    public static string Span(TimeSpan span) => span.TotalSeconds switch
    {
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.0} s"),
        < 100 => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0} s"),
        _ => Clock(span),
    };

    /// <summary>[#####-----]  48 %.</summary>
    public static string Bar(double share)
    {
        share = double.IsFinite(share) ? Math.Clamp(share, 0, 1) : 0;
        var full = (int)(share * BarWidth);
        return string.Create(CultureInfo.InvariantCulture, $"[{new string('#', full)}{new string('-', BarWidth - full)}] {Math.Floor(share * 100),3:0} %");
    }

    /// <summary>The time that is left when the rest goes as fast as the part so far; null while nothing can be said.</summary>
    public static TimeSpan? Left(TimeSpan elapsed, double share) => share is > 0 and <= 1 ? elapsed * ((1 - share) / share) : null;

    /// <summary>A value out of somebody's file, quoted: cut, on one line, and with nothing in it that a terminal would obey.</summary>
    public static string Foreign(string text, int max = 60)
    {
        var shown = new StringBuilder("\"");
        foreach (var rune in text.EnumerateRunes())
        {
            if (shown.Length > max)
            {
                return shown.Append("…\"").ToString();
            }

            var harmless = Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
            shown.Append(harmless ? rune.ToString() : " ");
        }

        return shown.Append('"').ToString();
    }
}
