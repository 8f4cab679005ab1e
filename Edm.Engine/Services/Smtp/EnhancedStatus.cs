using System.Diagnostics.CodeAnalysis;

namespace Edm.Engine.Services.Smtp;

/// <summary>Enhanced status codes, <c>class.subject.detail</c> (RFC 3463), as they stand in front of a reply's words (RFC 2034).</summary>
public static class EnhancedStatus
{
    /// <summary>Finds the code at the beginning of a reply's text, such as <c>5.1.1</c> in <c>5.1.1 no such user</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out string? status)
    {
        status = null;
        if (text.Length < 5 || text[0] is not ('2' or '4' or '5') || text[1] != '.')
        {
            return false;
        }

        var subject = Digits(text[2..]);
        if (subject == 0 || 2 + subject >= text.Length || text[2 + subject] != '.')
        {
            return false;
        }

        var detail = Digits(text[(3 + subject)..]);
        var end = 3 + subject + detail;
        if (detail == 0 || (end < text.Length && text[end] is not (' ' or '\t' or '\r' or '\n')))
        {
            return false;
        }

        // Nearly every reply of a working service: no string for each mail.
        status = text[..end] is "2.0.0" ? "2.0.0" : text[..end].ToString();
        return true;
    }

    /// <returns>How many digits stand here: 1 to 3, or 0 where there is no number or a longer one.</returns>
    private static int Digits(ReadOnlySpan<char> text)
    {
        var count = 0;
        while (count < text.Length && char.IsAsciiDigit(text[count]))
        {
            count++;
        }

        return count <= 3 ? count : 0;
    }
}
