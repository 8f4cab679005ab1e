using System.Buffers;
using System.Text;

namespace Edm.Engine.Content.Mime;

internal enum BodyEncoding
{
    SevenBit,
    EightBit,
    QuotedPrintable,
    Base64,
}

/// <summary>
/// One body on its way into a mail: UTF-8, every line ended by CRLF however the source ended it, no NUL (RFC 5322, 2.3), in the plainest encoding that
/// keeps lines short and arrives unchanged.
/// </summary>
internal static class BodyText
{
    /// <summary>Octets of a line without its CRLF (RFC 5322, 2.1.1). Beyond it servers cut or refuse.</summary>
    private const int MaxLine = 998;

    /// <summary>Neither printable ASCII nor tab nor line end: these travel encoded, whatever servers between may think of them.</summary>
    private static readonly SearchValues<char> Controls = SearchValues.Create(
        [.. Enumerable.Range(0, 32).Append(127).Select(c => (char)c).Where(c => c is not ('\t' or '\r' or '\n'))]);

    /// <param name="allowEightBit">The server takes 8BITMIME, and nobody after it will be asked to change a signed mail.</param>
    public static BodyEncoding Choose(ReadOnlySpan<char> text, bool allowEightBit)
    {
        var isAscii = Ascii.IsValid(text);
        if ((isAscii || allowEightBit) && !text.ContainsAny(Controls) && Longest(text, isAscii) <= MaxLine)
        {
            return isAscii ? BodyEncoding.SevenBit : BodyEncoding.EightBit;
        }

        // A third more by Base64, two octets more for each that quoted-printable must write as three.
        var octets = isAscii ? text.Length : Encoding.UTF8.GetByteCount(text);
        var escaped = isAscii ? 0 : octets - AsciiCount(text);
        return escaped <= octets / 6 ? BodyEncoding.QuotedPrintable : BodyEncoding.Base64;
    }

    public static ReadOnlySpan<byte> NameOf(BodyEncoding encoding) => encoding switch
    {
        BodyEncoding.SevenBit => "7bit"u8,
        BodyEncoding.EightBit => "8bit"u8,
        BodyEncoding.QuotedPrintable => "quoted-printable"u8,
        BodyEncoding.Base64 => "base64"u8,
        _ => throw new ArgumentOutOfRangeException(nameof(encoding), encoding, null),
    };

    /// <summary>Whatever the encoding, what is written ends with a line end.</summary>
    public static void Write(MailBuffer buffer, string text, BodyEncoding encoding)
    {
        var source = text.Contains('\0', StringComparison.Ordinal) ? text.Replace("\0", "", StringComparison.Ordinal) : text;
        if (encoding is BodyEncoding.SevenBit or BodyEncoding.EightBit)
        {
            WriteLines(buffer, source);
            return;
        }

        using var plain = new MailBuffer();
        WriteLines(plain, source);
        if (encoding == BodyEncoding.QuotedPrintable)
        {
            QuotedPrintable.Write(buffer, plain.Written);
        }
        else
        {
            Base64Lines.Write(buffer, plain.Written);
        }
    }

    private static void WriteLines(MailBuffer buffer, ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            var end = text.IndexOfAny('\r', '\n');
            buffer.Write(end < 0 ? text : text[..end]);
            buffer.EndLine();
            text = end < 0 ? [] : text[(end + (text[end..].StartsWith("\r\n") ? 2 : 1))..];
        }
    }

    /// <returns>Octets of the longest line.</returns>
    private static int Longest(ReadOnlySpan<char> text, bool isAscii)
    {
        var longest = 0;
        while (!text.IsEmpty)
        {
            var end = text.IndexOfAny('\r', '\n');
            var line = end < 0 ? text : text[..end];

            // Three octets at most for each UTF-16 unit; only a line that may be too long is counted.
            longest = Math.Max(longest, isAscii || line.Length * 3 <= longest ? line.Length : line.Length * 3 <= MaxLine ? line.Length : Encoding.UTF8.GetByteCount(line));
            text = end < 0 ? [] : text[(end + 1)..];
        }

        return longest;
    }

    private static int AsciiCount(ReadOnlySpan<char> text)
    {
        var count = 0;
        foreach (var c in text)
        {
            count += char.IsAscii(c) ? 1 : 0;
        }

        return count;
    }
}
