namespace Edm.Engine.Contacts.Addresses;

/// <summary>
/// What was probably meant by a text that is no address: without what headers, links and sentences put around one. A hint for a person, never applied. One pass with
/// a bounded number of steps over a bounded text.
/// </summary>
internal static class AddressRepair
{
    /// <summary>An address with a display name and comments; longer texts are something else.</summary>
    private const int MaxLength = 512;

    /// <returns>Null when nothing comes to mind that would be an address.</returns>
    public static string? Of(string text)
    {
        if (text.Length is 0 or > MaxLength)
        {
            return null;
        }

        var plain = WithoutComments(Inside(text));
        plain = new string([.. plain.Where(c => !char.IsWhiteSpace(c) && !char.IsControl(c) && c is not ('\u200b' or '\u200c' or '\u200d' or '\ufeff' or '\u00ad'))]);
        plain = plain.Replace("(at)", "@", StringComparison.OrdinalIgnoreCase).Replace("[at]", "@", StringComparison.OrdinalIgnoreCase).Replace('＠', '@');
        if (plain.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase))
        {
            plain = plain["mailto:".Length..];
        }

        var at = plain.LastIndexOf('@');
        if (at <= 0)
        {
            return null;
        }

        var local = plain[..at].TrimStart('\'', '.', ',', ';', ':').TrimEnd('.', '@');
        var domain = plain[(at + 1)..].Trim('.', ',', ';', ':', '\'', '"', '>', '!', '?', ')').Replace(',', '.');
        while (domain.Contains("..", StringComparison.Ordinal))
        {
            domain = domain.Replace("..", ".", StringComparison.Ordinal);
        }

        if (!local.StartsWith('"'))
        {
            while (local.Contains("..", StringComparison.Ordinal))
            {
                local = local.Replace("..", ".", StringComparison.Ordinal);
            }
        }

        var meant = DomainTypos.Meant(domain.ToLowerInvariant()) ?? domain;
        var repaired = $"{local}@{meant}";
        return repaired != text && AddressSyntax.TryRead(repaired, out var mailbox, out _) ? $"{mailbox.Local}@{DomainName.Shown(mailbox.Domain)}" : null;
    }

    /// <summary>The address of <c>Name &lt;address&gt;</c>.</summary>
    private static string Inside(string text)
    {
        var open = text.LastIndexOf('<');
        if (open < 0)
        {
            return text;
        }

        var close = text.IndexOf('>', open);
        return close < 0 ? text[(open + 1)..] : text[(open + 1)..close];
    }

    private static string WithoutComments(string text)
    {
        if (text.StartsWith('"') || !text.Contains('(', StringComparison.Ordinal) || text.Contains("(at)", StringComparison.OrdinalIgnoreCase))
        {
            return text;
        }

        var depth = 0;
        return new string([.. text.Where(c =>
        {
            depth += c == '(' ? 1 : 0;
            var outside = depth == 0;
            depth -= c == ')' && depth > 0 ? 1 : 0;
            return outside;
        })]);
    }
}
