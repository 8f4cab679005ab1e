using System.Globalization;

namespace Edm.Engine.Services.Replies;

/// <summary>Finds the codes of a reply wherever they stand in a text that may hold IP addresses, sizes, dates and a whole conversation.</summary>
internal static class ReplyCodes
{
    /// <summary>What makes a number of three digits a quantity.</summary>
    private static readonly string[] Units =
        ["s", "sec", "secs", "second", "seconds", "min", "mins", "minute", "minutes", "hour", "hours", "day", "days", "byte", "bytes", "kb", "mb", "messages", "mails", "recipients"];

    /// <summary>The first reply code and the first enhanced one. A success counts only where it opens the text: elsewhere it is an earlier line of a conversation.</summary>
    public static (int? Code, string? Enhanced) Find(string text)
    {
        int? code = null;
        string? enhanced = null;
        var opening = OpeningOf(text);
        for (var i = 0; i < text.Length && (code is null || enhanced is null); i++)
        {
            if (!char.IsAsciiDigit(text[i]) || !IsStart(text, i))
            {
                continue;
            }

            if (EnhancedAt(text, i) is var length and > 0)
            {
                // Subjects go up to 7 (RFC 3463, 3); Yahoo's own numbers look alike. In front of a success stands at most its reply code.
                var isCode = text.IndexOf('.', i + 2) == i + 3 && text[i + 2] <= '7' && (text[i] is '4' or '5' || i <= opening + 4);
                enhanced ??= isCode ? text.Substring(i, length) : null;
                i += length - 1;
            }
            else if (code is null && IsCodeAt(text, i) && (text[i] is '4' or '5' || i == opening))
            {
                code = int.Parse(text.AsSpan(i, 3), NumberStyles.None, CultureInfo.InvariantCulture);
                i += 2;
            }
        }

        return (code, enhanced);
    }

    /// <summary>A number can begin here: it is not the rest of a word, of a longer number or of an IP address.</summary>
    public static bool IsStart(string text, int at) => at == 0 || !(char.IsLetterOrDigit(text[at - 1]) || text[at - 1] is '.' or '_');

    /// <returns>How long the enhanced code is that stands here; 0 when none does.</returns>
    public static int EnhancedAt(string text, int at)
    {
        if (text[at] is not ('2' or '4' or '5') || at + 1 >= text.Length || text[at + 1] != '.')
        {
            return 0;
        }

        var subject = Digits(text, at + 2);
        var dot = at + 2 + subject;
        if (subject == 0 || dot >= text.Length || text[dot] != '.')
        {
            return 0;
        }

        var detail = Digits(text, dot + 1);
        var end = dot + 1 + detail;
        return detail == 0 || IsPartOfMore(text, end) ? 0 : end - at;
    }

    private static bool IsPartOfMore(string text, int end) =>
        end < text.Length && (char.IsLetterOrDigit(text[end]) || text[end] == '_' || (text[end] == '.' && end + 1 < text.Length && char.IsAsciiDigit(text[end + 1])));

    private static bool IsCodeAt(string text, int at)
    {
        if (text[at] is < '2' or > '5' || at + 2 >= text.Length || text[at + 1] is < '0' or > '7' || !char.IsAsciiDigit(text[at + 2]))
        {
            return false;
        }

        var rest = text.AsSpan(at + 3);
        return rest.IsEmpty || ((rest[0] is '-' or ':' or ';' or ',' or ')' or ']' or '<' or '(' || char.IsWhiteSpace(rest[0])) && !IsQuantity(rest.TrimStart()));
    }

    private static bool IsQuantity(ReadOnlySpan<char> rest)
    {
        foreach (var unit in Units)
        {
            if (rest.StartsWith(unit, StringComparison.OrdinalIgnoreCase) && (rest.Length == unit.Length || !char.IsLetterOrDigit(rest[unit.Length])))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Where the text begins behind a report's own word for its kind, <c>smtp;</c> (RFC 3464, 2.3.6).</summary>
    private static int OpeningOf(string text)
    {
        var at = text.IndexOf(';', StringComparison.Ordinal) is var colon and > 0 and < 20 && !text.AsSpan(0, colon).ContainsAnyInRange('0', '9') ? colon + 1 : 0;
        while (at < text.Length && char.IsWhiteSpace(text[at]))
        {
            at++;
        }

        return at;
    }

    /// <returns>1 to 3, or 0 where there is no number or a longer one.</returns>
    private static int Digits(string text, int at)
    {
        var count = 0;
        while (at + count < text.Length && char.IsAsciiDigit(text[at + count]) && count < 4)
        {
            count++;
        }

        return count <= 3 ? count : 0;
    }
}
