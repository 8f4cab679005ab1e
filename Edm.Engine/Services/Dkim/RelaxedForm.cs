namespace Edm.Engine.Services.Dkim;

/// <summary>The relaxed canonical forms (RFC 6376, 3.4.2 and 3.4.4): what a mail has in common before and after servers have had it in hand.</summary>
internal static class RelaxedForm
{
    /// <summary>White space at line ends goes, runs of it become one space, empty lines at the end go.</summary>
    /// <param name="body">Lines ended by CRLF.</param>
    /// <param name="into">As long as the body.</param>
    /// <returns>Octets written.</returns>
    public static int Body(ReadOnlySpan<byte> body, Span<byte> into)
    {
        var (length, empty) = (0, 0);
        while (!body.IsEmpty)
        {
            var end = body.IndexOf("\r\n"u8);
            var line = (end < 0 ? body : body[..end]).TrimEnd(" \t"u8);
            body = end < 0 ? [] : body[(end + 2)..];
            if (line.IsEmpty)
            {
                empty++;
                continue;
            }

            for (; empty > 0; empty--)
            {
                length += Copy("\r\n"u8, into[length..]);
            }

            length += Squeeze(line, into[length..]);
            length += Copy("\r\n"u8, into[length..]);
        }

        return length;
    }

    /// <summary>The name in lower case, the value on one line, no white space around either (without a line end).</summary>
    /// <param name="field">A whole field, folds included, without its last CRLF.</param>
    /// <param name="into">As long as the field.</param>
    public static int Field(ReadOnlySpan<byte> field, Span<byte> into)
    {
        var colon = field.IndexOf((byte)':');
        var length = 0;
        foreach (var octet in field[..colon].TrimEnd(" \t"u8))
        {
            into[length++] = octet is >= (byte)'A' and <= (byte)'Z' ? (byte)(octet | 0x20) : octet;
        }

        into[length++] = (byte)':';

        // A fold is a line end before white space, so it vanishes together with it.
        return length + Squeeze(field[(colon + 1)..].Trim(" \t\r\n"u8), into[length..]);
    }

    private static int Squeeze(ReadOnlySpan<byte> text, Span<byte> into)
    {
        if (text.IndexOf("  "u8) < 0 && !text.ContainsAny((byte)'\t', (byte)'\r'))
        {
            return Copy(text, into);
        }

        var length = 0;
        while (!text.IsEmpty)
        {
            var space = text.IndexOfAny(" \t\r\n"u8);
            length += Copy(space < 0 ? text : text[..space], into[length..]);
            if (space < 0)
            {
                break;
            }

            into[length++] = (byte)' ';
            text = text[space..].TrimStart(" \t\r\n"u8);
        }

        return length;
    }

    private static int Copy(ReadOnlySpan<byte> from, Span<byte> into)
    {
        from.CopyTo(into);
        return from.Length;
    }
}
