namespace Edm.Engine.Content.Mime;

/// <summary>RFC 2045, 6.7: lines of at most 76 octets, white space before a line end written out.</summary>
internal static class QuotedPrintable
{
    private const int MaxLine = 76;

    /// <param name="text">Lines ended by CRLF.</param>
    public static void Write(MailBuffer buffer, ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            var end = text.IndexOf("\r\n"u8);
            WriteLine(buffer, text[..end]);
            text = text[(end + 2)..];
        }
    }

    private static void WriteLine(MailBuffer buffer, ReadOnlySpan<byte> line)
    {
        // At worst three octets for each, and three for a soft break every 25 of them.
        var span = buffer.GetSpan((line.Length * 4) + 8);
        var (length, column) = (0, 0);
        for (var i = 0; i < line.Length; i++)
        {
            var octet = line[i];
            var isLast = i == line.Length - 1;
            var isPlain = octet is > 32 and < 127 and not (byte)'=' || (octet is (byte)' ' or (byte)'\t' && !isLast);
            var width = isPlain ? 1 : 3;

            // A line that goes on keeps one place for the "=" that says so.
            if (column + width > (isLast ? MaxLine : MaxLine - 1))
            {
                span[length++] = (byte)'=';
                span[length++] = (byte)'\r';
                span[length++] = (byte)'\n';
                column = 0;
            }

            if (isPlain)
            {
                span[length++] = octet;
            }
            else
            {
                span[length++] = (byte)'=';
                span[length++] = Hex.Upper(octet >> 4);
                span[length++] = Hex.Upper(octet & 15);
            }

            column += width;
        }

        buffer.Advance(length);
        buffer.EndLine();
    }
}
