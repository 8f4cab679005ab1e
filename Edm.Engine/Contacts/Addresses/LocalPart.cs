using System.Text;

namespace Edm.Engine.Contacts.Addresses;

/// <summary>What stands before the @: RFC 5321 <c>Local-part</c> (4.1.2), with UTF-8 as RFC 6531 (3.3) adds it.</summary>
internal static class LocalPart
{
    /// <summary>RFC 5321, 4.5.3.1.1; as written, quotes and backslashes counted.</summary>
    private const int MaxOctets = 64;

    private const string BadQuote = "an unclosed or misplaced quote before the @";

    /// <returns>In the form of <see cref="Mailbox.Local"/>, or null with a reason.</returns>
    public static string? Read(ReadOnlySpan<char> text, out string? reason)
    {
        reason = null;
        if (text.IsEmpty)
        {
            reason = "nothing stands before the @";
        }
        else if (text.Length > MaxOctets || !Ascii.IsValid(text))
        {
            return ReadLongOrForeign(text, out reason);
        }
        else
        {
            return text[0] == '"' ? Quoted(text, out reason) : DotString(text, out reason) ? text.ToString() : null;
        }

        return null;
    }

    /// <summary>The content of a local part without its quotes and backslashes.</summary>
    public static string Content(string local)
    {
        if (!local.StartsWith('"'))
        {
            return local;
        }

        var content = new StringBuilder(local.Length);
        for (var i = 1; i < local.Length - 1; i++)
        {
            content.Append(local[i] == '\\' ? local[++i] : local[i]);
        }

        return content.ToString();
    }

    private static string? ReadLongOrForeign(ReadOnlySpan<char> text, out string? reason)
    {
        // Each character is at least an octet, so that a hostile text is not even measured.
        if (text.Length > MaxOctets || Encoding.UTF8.GetByteCount(text) > MaxOctets)
        {
            reason = $"more than {MaxOctets} octets before the @";
            return null;
        }

        if (Characters.HasLoneSurrogate(text))
        {
            reason = "half a character before the @";
            return null;
        }

        // RFC 6532, 3.1: NFC, since NFKC would make one mailbox of two. Judged afterwards: U+037E becomes a semicolon.
        var normal = CanonicalForm.Of(text.ToString());
        if (Encoding.UTF8.GetByteCount(normal) > MaxOctets)
        {
            reason = $"more than {MaxOctets} octets before the @";
            return null;
        }

        return normal[0] == '"' ? Quoted(normal, out reason) : DotString(normal, out reason) ? normal : null;
    }

    private static bool DotString(ReadOnlySpan<char> text, out string? reason)
    {
        reason = null;
        var afterDot = true;
        for (var i = 0; i < text.Length; i++)
        {
            var character = text[i];
            if (Characters.IsAtext(character))
            {
                afterDot = false;
            }
            else if (character == '.')
            {
                if (afterDot)
                {
                    reason = "a misplaced dot before the @";
                    return false;
                }

                afterDot = true;
            }
            else if (!IsForeign(text, ref i, afterDot, out reason))
            {
                return false;
            }
            else
            {
                afterDot = false;
            }
        }

        reason = afterDot ? "a misplaced dot before the @" : null;
        return !afterDot;
    }

    private static string? Quoted(ReadOnlySpan<char> text, out string? reason)
    {
        reason = BadQuote;
        if (text.Length < 2 || text[^1] != '"')
        {
            return null;
        }

        var content = new StringBuilder(text.Length);
        var inside = text[1..^1];
        for (var i = 0; i < inside.Length; i++)
        {
            var character = inside[i];
            if (character == '\\')
            {
                // quoted-pairSMTP: the backslash and printable ASCII; RFC 6531 adds nothing to it.
                if (++i == inside.Length)
                {
                    return null;
                }

                character = inside[i];
                if (character > '~')
                {
                    reason = "a backslash before something other than ASCII";
                    return null;
                }
            }
            else if (character == '"')
            {
                return null;
            }

            var first = i;
            if (character is < ' ' or > '~' && !IsForeign(inside, ref i, content.Length == 0, out var why))
            {
                reason = why;
                return null;
            }

            content.Append(inside[first..(i + 1)]);
        }

        reason = null;
        return InSpelling(content.ToString());
    }

    /// <summary>RFC 5321, 4.1.2: quotes that aren't needed don't make another mailbox.</summary>
    private static string InSpelling(string content) => content.Length > 0 && DotString(content, out _)
        ? content
        : $"\"{content.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    /// <summary>Whether a character beyond ASCII stands here and may; the position is left on its last half.</summary>
    private static bool IsForeign(ReadOnlySpan<char> text, ref int position, bool atBeginning, out string? reason)
    {
        reason = null;
        Rune.DecodeFromUtf16(text[position..], out var rune, out var length);
        position += length - 1;
        if (rune.IsAscii || Characters.IsUnseen(rune))
        {
            reason = $"{AddressSyntax.Show(rune)} is not allowed before the @";
        }
        else if (atBeginning && Characters.IsMark(rune))
        {
            reason = $"the combining mark U+{rune.Value:X4} has nothing before it to combine with";
        }

        return reason is null;
    }
}
