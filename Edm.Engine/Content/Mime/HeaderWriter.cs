using System.Buffers;
using System.Globalization;
using System.Text;

namespace Edm.Engine.Content.Mime;

/// <summary>
/// Header fields (RFC 5322, 2.2). Whatever the values are, a field stays one field: control characters, line breaks above all, become spaces before
/// anything else looks at the text.
/// </summary>
internal static class HeaderWriter
{
    /// <summary>RFC 5322, 2.1.1 asks for at most 78 characters a line where it can be had.</summary>
    private const int FoldAt = 78;

    /// <summary>A run without a place to fold that is longer goes into encoded words: a line must not pass 998 octets.</summary>
    private const int MaxRun = 900;

    /// <summary>A display name that is longer is not a name; a nickname out of a list can be anything.</summary>
    private const int MaxName = 100;

    private static readonly SearchValues<char> AtomsAndSpaces =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~ ");

    /// <summary>Text for people, such as Subject.</summary>
    public static void Text(MailBuffer buffer, ReadOnlySpan<byte> name, string value)
    {
        Begin(buffer, name);
        var text = Clean(value);
        if (CanStandAsItIs(text))
        {
            Folded(buffer, text);
        }
        else
        {
            EncodedWords.Write(buffer, text);
        }

        buffer.EndLine();
    }

    /// <summary>One mailbox, with a display name or without.</summary>
    /// <param name="address">As <see cref="Services.Smtp.EnvelopeAddress"/> has it: nothing in it can end the field.</param>
    public static void Mailbox(MailBuffer buffer, ReadOnlySpan<byte> name, string? displayName, string address)
    {
        Begin(buffer, name);
        if (Name(displayName) is { } shown)
        {
            Phrase(buffer, shown);
            if (buffer.Column + address.Length + 3 > FoldAt)
            {
                buffer.EndLine();
            }

            buffer.Write(" <"u8);
            buffer.Write(address.AsSpan());
            buffer.Write((byte)'>');
        }
        else
        {
            buffer.Write(address.AsSpan());
        }

        buffer.EndLine();
    }

    /// <summary>In UTC: where the sender's machine stands is nobody's business (RFC 5322, 3.3).</summary>
    public static void Date(MailBuffer buffer, DateTimeOffset date)
    {
        Begin(buffer, "Date"u8);
        date.TryFormat(buffer.GetSpan(40), out var written, "R", CultureInfo.InvariantCulture);

        // The format ends in "GMT", which only old programs may write.
        buffer.Advance(written - 3);
        buffer.Write("+0000"u8);
        buffer.EndLine();
    }

    /// <summary>A value that is right as it is: ASCII, short, made by us.</summary>
    public static void AsIs(MailBuffer buffer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Begin(buffer, name);
        buffer.Write(value);
        buffer.EndLine();
    }

    /// <param name="id">Without its angle brackets.</param>
    /// <exception cref="FormatException">It is no message id (RFC 5322, 3.6.4).</exception>
    public static void MessageId(MailBuffer buffer, string id)
    {
        var at = id.IndexOf('@', StringComparison.Ordinal);
        if (at <= 0 || at == id.Length - 1 || id.Length > MaxRun || id.AsSpan().ContainsAnyExceptInRange('!', '~') || id.AsSpan().ContainsAny('<', '>'))
        {
            throw new FormatException("The message id is not one.");
        }

        Begin(buffer, "Message-ID"u8);
        buffer.Write((byte)'<');
        buffer.Write(id.AsSpan());
        buffer.Write((byte)'>');
        buffer.EndLine();
    }

    private static void Begin(MailBuffer buffer, ReadOnlySpan<byte> name)
    {
        buffer.Write(name);
        buffer.Write(": "u8);
    }

    private static void Phrase(MailBuffer buffer, string name)
    {
        if (!Ascii.IsValid(name) || name.Contains("=?", StringComparison.Ordinal))
        {
            EncodedWords.Write(buffer, name);
        }
        else if (!name.AsSpan().ContainsAnyExcept(AtomsAndSpaces) && !name.Contains("  ", StringComparison.Ordinal))
        {
            buffer.Write(name.AsSpan());
        }
        else
        {
            buffer.Write((byte)'"');
            foreach (var c in name)
            {
                if (c is '"' or '\\')
                {
                    buffer.Write((byte)'\\');
                }

                buffer.Write((byte)c);
            }

            buffer.Write((byte)'"');
        }
    }

    /// <summary>ASCII that reads the same after folding, and that nobody takes for an encoded word.</summary>
    private static bool CanStandAsItIs(string text)
    {
        if (!Ascii.IsValid(text) || text.StartsWith(' ') || text.EndsWith(' ') || text.Contains("=?", StringComparison.Ordinal))
        {
            return false;
        }

        var (run, longest) = (0, 0);
        var wasSpace = false;
        foreach (var c in text)
        {
            // A run is the spaces before a word and the word: what can't be folded.
            run = c == ' ' && !wasSpace ? 1 : run + 1;
            wasSpace = c == ' ';
            longest = Math.Max(longest, run);
        }

        return longest <= MaxRun;
    }

    private static void Folded(MailBuffer buffer, ReadOnlySpan<char> text)
    {
        var isFirst = true;
        while (!text.IsEmpty)
        {
            var spaces = text.IndexOfAnyExcept(' ');
            var next = text[spaces..].IndexOf(' ');
            var run = next < 0 ? text : text[..(spaces + next)];
            if (!isFirst && buffer.Column + run.Length > FoldAt)
            {
                // Taking the line break away gives the text back as it was: its own spaces begin the line.
                buffer.EndLine();
            }

            buffer.Write(run);
            text = text[run.Length..];
            isFirst = false;
        }
    }

    private static string? Name(string? name)
    {
        if (string.IsNullOrWhiteSpace(name))
        {
            return null;
        }

        var clean = Clean(name).Trim();
        return clean.Length == 0 ? null
            : clean.Length <= MaxName ? clean
            : clean[..(char.IsHighSurrogate(clean[MaxName - 1]) ? MaxName - 1 : MaxName)].TrimEnd();
    }

    private static string Clean(string text)
    {
        foreach (var c in text)
        {
            if (char.IsControl(c))
            {
                return string.Create(text.Length, text, static (span, source) =>
                {
                    for (var i = 0; i < span.Length; i++)
                    {
                        span[i] = char.IsControl(source[i]) ? ' ' : source[i];
                    }
                });
            }
        }

        return text;
    }
}
