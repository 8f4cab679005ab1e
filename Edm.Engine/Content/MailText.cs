using System.Text;
using MimeKit;

namespace Edm.Engine.Content;

/// <summary>A body as octets: UTF-8, every line ended by CRLF however the source ended it, no NUL (RFC 5322, 2.3).</summary>
internal static class MailText
{
    /// <summary>Octets of a line without its CRLF (RFC 5322, 2.1.1). Beyond it servers cut or refuse.</summary>
    private const int MaxLine = 998;

    /// <returns>The octets, and how they can go as they are, 7bit or 8bit; null when a line is too long for that.</returns>
    public static (ArraySegment<byte> Octets, ContentEncoding? Encoding) Encode(string text)
    {
        var source = text.Contains('\0', StringComparison.Ordinal) ? text.Replace("\0", "", StringComparison.Ordinal).AsSpan() : text;
        var octets = new byte[Size(source)];
        var (length, ascii, longest) = (0, true, 0);
        while (!source.IsEmpty)
        {
            var end = source.IndexOfAny('\r', '\n');
            var line = end < 0 ? source : source[..end];
            var count = Encoding.UTF8.GetBytes(line, octets.AsSpan(length));
            ascii &= count == line.Length;
            longest = Math.Max(longest, count);
            length += count;
            octets[length++] = (byte)'\r';
            octets[length++] = (byte)'\n';
            source = end < 0 ? [] : source[(end + (source[end..].StartsWith("\r\n") ? 2 : 1))..];
        }

        return (new ArraySegment<byte>(octets, 0, length), longest > MaxLine ? null : ascii ? ContentEncoding.SevenBit : ContentEncoding.EightBit);
    }

    private static int Size(ReadOnlySpan<char> source)
    {
        var bareEnds = 0;
        foreach (var c in source)
        {
            bareEnds += c is '\r' or '\n' ? 1 : 0;
        }

        return Encoding.UTF8.GetByteCount(source) + bareEnds + 2;
    }
}
