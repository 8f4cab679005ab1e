using System.Buffers;
using System.Text;

namespace Edm.Engine.Services.Smtp;

/// <summary>Makes a server's words fit for the journal and for screens: one line, at most 500 characters, no e-mail addresses.</summary>
public static class ReplyText
{
    /// <summary>Enough for every honest reply (RFC 5321, 4.5.3.1.5: 512 octets a line), small enough to be stored a million times.</summary>
    public const int MaxLength = 500;

    private const string Cut = "<address>";

    private const string Recipient = "<recipient>";

    /// <summary>A single letter or digit says nothing of anybody, and stands in every status code.</summary>
    private const int MinWord = 2;

    // RFC 5322 atext and the dot. Any other script may stand in an internationalised address (RFC 6531) and counts as well.
    private static readonly SearchValues<char> LocalAscii =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~.");

    /// <summary>A quoted local part is searched this far back for its opening quote, which keeps a hostile reply at linear cost.</summary>
    private const int MaxQuotedLocal = 128;

    private const int MaxLiteral = 64;

    /// <summary>The words on one line, addresses replaced by <c>&lt;address&gt;</c>, cut to <see cref="MaxLength"/>.</summary>
    public static string Clean(string? words)
    {
        if (string.IsNullOrEmpty(words))
        {
            return "";
        }

        var text = OneLine(WithoutAddresses(words)).Trim();
        if (text.Length <= MaxLength)
        {
            return text;
        }

        // Never half a surrogate pair: stores refuse it.
        var end = char.IsHighSurrogate(text[MaxLength - 2]) ? MaxLength - 2 : MaxLength - 1;
        return string.Concat(text.AsSpan(0, end), "…");
    }

    /// <summary>
    /// Replaces everything that looks like an e-mail address by <c>&lt;address&gt;</c>, angle brackets around it included. Errs on the side of
    /// cutting too much: people must not end up in the journal. Linear in the length of the text.
    /// </summary>
    public static string WithoutAddresses(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var at = NextAt(text, 0, out var width);
        if (at < 0)
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        var done = 0;
        while (at >= 0)
        {
            var first = LocalStart(text, done, at);
            var last = DomainEnd(text, at + width);
            if (first < at)
            {
                if (first > done && text[first - 1] == '<' && last < text.Length && text[last] == '>')
                {
                    first--;
                    last++;
                }

                result.Append(text, done, first - done).Append(Cut);
                done = last;
            }

            // What follows an at-sign without a local part is no domain: an address may begin in it, or stand in its "[...]".
            at = NextAt(text, first < at ? Math.Max(last, at + width) : at + width, out width);
        }

        return result.Append(text, done, text.Length - done).ToString();
    }

    /// <summary>
    /// Replaces by <c>&lt;recipient&gt;</c> what the server says of the recipient without a whole address: "550 unknown user jane.doe". Whole words only, whatever their case;
    /// a person who is called as words of the reply are takes those along.
    /// </summary>
    /// <param name="address">Of the recipient.</param>
    /// <param name="names">By which the person is known besides.</param>
    public static string WithoutRecipient(string text, string address, params ReadOnlySpan<string?> names)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(address);
        text = WithoutWord(text, address[..Math.Max(address.LastIndexOf('@'), 0)].Trim('"'));
        foreach (var name in names)
        {
            text = WithoutWord(text, name?.Trim() ?? "");
        }

        return text;
    }

    private static string WithoutWord(string text, string word)
    {
        if (word.Length < MinWord)
        {
            return text;
        }

        for (var at = text.IndexOf(word, StringComparison.OrdinalIgnoreCase); at >= 0; at = text.IndexOf(word, at, StringComparison.OrdinalIgnoreCase))
        {
            var end = at + word.Length;
            if ((at == 0 || !char.IsLetterOrDigit(text[at - 1])) && (end == text.Length || !char.IsLetterOrDigit(text[end])))
            {
                text = string.Concat(text.AsSpan(0, at), Recipient, text.AsSpan(end));
                end = at + Recipient.Length;
            }

            at = end;
        }

        return text;
    }

    // Servers put addresses into the links of their replies, where the at-sign is written %40.
    private static int NextAt(string text, int from, out int width)
    {
        for (var i = from; i < text.Length; i++)
        {
            if (text[i] == '@')
            {
                width = 1;
                return i;
            }

            if (text[i] == '%' && i + 2 < text.Length && text[i + 1] == '4' && text[i + 2] == '0')
            {
                width = 3;
                return i;
            }
        }

        width = 0;
        return -1;
    }

    private static int LocalStart(string text, int from, int at)
    {
        var first = at;
        if (at > from && text[at - 1] == '"')
        {
            var lowest = Math.Max(from, at - MaxQuotedLocal);
            for (var i = at - 2; i >= lowest; i--)
            {
                if (text[i] == '"' && (i == from || text[i - 1] != '\\'))
                {
                    return i;
                }
            }

            first--;
        }

        while (first > from && (LocalAscii.Contains(text[first - 1]) || (text[first - 1] > '\x7f' && !char.IsWhiteSpace(text[first - 1]))))
        {
            first--;
        }

        return first;
    }

    private static int DomainEnd(string text, int from)
    {
        if (from < text.Length && text[from] == '[')
        {
            // An address literal such as [IPv6:2001:db8::1] (RFC 5321, 4.1.3).
            var close = text.AsSpan(from, Math.Min(MaxLiteral, text.Length - from)).IndexOf(']');
            return close < 0 ? from : from + close + 1;
        }

        var last = from;
        while (last < text.Length && (char.IsLetterOrDigit(text[last]) || text[last] is '.' or '-' or '_' || char.IsSurrogate(text[last])))
        {
            last++;
        }

        // The full stop or dash of the sentence around the address stays.
        while (last > from && (text[last - 1] is '.' or '-'))
        {
            last--;
        }

        return last;
    }

    private static string OneLine(string text)
    {
        var clean = true;
        foreach (var c in text)
        {
            clean &= !char.IsControl(c);
        }

        return clean ? text : string.Create(text.Length, text, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = char.IsControl(source[i]) ? ' ' : source[i];
            }
        });
    }
}
