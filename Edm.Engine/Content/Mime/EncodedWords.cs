using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Edm.Engine.Content.Mime;

/// <summary>Text outside ASCII in a header: encoded words in UTF-8 (RFC 2047), each with whole characters only, folded so that no line passes 76 octets.</summary>
internal static class EncodedWords
{
    /// <summary>RFC 2047, 2: an encoded word has at most 75 characters, a line with one at most 76.</summary>
    private const int MaxLine = 76;

    /// <summary><c>=?utf-8?Q?</c> and <c>?=</c>.</summary>
    private const int Frame = 12;

    /// <summary>A first word of fewer payload octets is not worth a line that is nearly full; the text begins on the next one.</summary>
    private const int LeastPayload = 12;

    /// <summary>What Q leaves as it is wherever an encoded word may stand, in a phrase too (RFC 2047, 5 (3)).</summary>
    private static readonly SearchValues<byte> Plain = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"u8);

    public static void Write(MailBuffer buffer, ReadOnlySpan<char> text)
    {
        var octets = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            var length = Encoding.UTF8.GetBytes(text, octets);
            Write(buffer, octets.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(octets);
        }
    }

    private static void Write(MailBuffer buffer, ReadOnlySpan<byte> text)
    {
        var isQ = QLength(text) <= Base64.GetMaxEncodedToUtf8Length(text.Length);
        if (MaxLine - buffer.Column - Frame < LeastPayload)
        {
            buffer.EndLine();
            buffer.Write((byte)' ');
        }

        while (true)
        {
            var room = MaxLine - buffer.Column - Frame;
            var count = Fitting(text, room, isQ);
            var piece = text[..count];
            buffer.Write(isQ ? "=?utf-8?Q?"u8 : "=?utf-8?B?"u8);
            if (isQ)
            {
                WriteQ(buffer, piece);
            }
            else
            {
                var span = buffer.GetSpan(Base64.GetMaxEncodedToUtf8Length(piece.Length));
                Base64.EncodeToUtf8(piece, span, out _, out var written);
                buffer.Advance(written);
            }

            buffer.Write("?="u8);
            text = text[count..];
            if (text.IsEmpty)
            {
                return;
            }

            // White space between encoded words is not part of the text (RFC 2047, 6.2).
            buffer.EndLine();
            buffer.Write((byte)' ');
        }
    }

    /// <summary>How many octets, whole characters, become at most <paramref name="room"/> characters.</summary>
    private static int Fitting(ReadOnlySpan<byte> text, int room, bool isQ)
    {
        var (count, used) = (0, 0);
        while (count < text.Length)
        {
            var character = 1;
            while (count + character < text.Length && (text[count + character] & 0xC0) == 0x80)
            {
                character++;
            }

            used += isQ ? QLength(text.Slice(count, character)) : character;
            if ((isQ ? used : (used + 2) / 3 * 4) > room)
            {
                break;
            }

            count += character;
        }

        return count;
    }

    private static int QLength(ReadOnlySpan<byte> text)
    {
        var length = 0;
        foreach (var octet in text)
        {
            length += octet == ' ' || Plain.Contains(octet) ? 1 : 3;
        }

        return length;
    }

    private static void WriteQ(MailBuffer buffer, ReadOnlySpan<byte> text)
    {
        var span = buffer.GetSpan(text.Length * 3);
        var length = 0;
        foreach (var octet in text)
        {
            if (octet == ' ')
            {
                span[length++] = (byte)'_';
            }
            else if (Plain.Contains(octet))
            {
                span[length++] = octet;
            }
            else
            {
                span[length++] = (byte)'=';
                span[length++] = Hex.Upper(octet >> 4);
                span[length++] = Hex.Upper(octet & 15);
            }
        }

        buffer.Advance(length);
    }
}
