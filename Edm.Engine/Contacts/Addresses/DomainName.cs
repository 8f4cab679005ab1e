using System.Text;

namespace Edm.Engine.Contacts.Addresses;

/// <summary>What stands behind the @: RFC 5321 <c>Domain</c> and <c>address-literal</c> (4.1.2, 4.1.3), internationalised names by IDNA.</summary>
internal static class DomainName
{
    /// <summary>RFC 1035, 2.3.4: 255 octets on the wire are 253 characters.</summary>
    private const int MaxLength = 253;

    private const int MaxLabel = 63;

    private const string NoName = "the domain is not a valid internationalised name";

    /// <returns>In the form of <see cref="Mailbox.Domain"/>, or null with a reason.</returns>
    public static string? Read(ReadOnlySpan<char> text, out DomainKind kind, out string? reason)
    {
        kind = DomainKind.Name;
        reason = null;
        if (text.IsEmpty)
        {
            reason = "nothing stands after the @";
            return null;
        }

        // Before anything is mapped, so that a hostile text costs nothing.
        if (text.Length > MaxLength)
        {
            reason = "the domain is too long";
            return null;
        }

        if (text[0] == '[')
        {
            kind = DomainKind.Literal;
            return AddressLiteral.Read(text, out reason);
        }

        if (!Ascii.IsValid(text))
        {
            return Foreign(text, out kind, out reason);
        }

        if (!IsLettersDigitsHyphens(text, out var isLower, out var hasALabel, out reason))
        {
            return null;
        }

        var domain = isLower ? text.ToString() : text.ToString().ToLowerInvariant();
        if (hasALabel && !Idna.AreALabelsValid(domain))
        {
            reason = NoName;
            return null;
        }

        return Kind(domain, out kind, out reason) ? domain : null;
    }

    /// <summary>For people: the labels that IDNA can show as Unicode are shown so.</summary>
    public static string Shown(string domain) => domain.Contains("xn--", StringComparison.Ordinal) && !domain.StartsWith('[') ? Idna.ToUnicode(domain) : domain;

    private static string? Foreign(ReadOnlySpan<char> text, out DomainKind kind, out string? reason)
    {
        kind = DomainKind.Name;
        if (Idna.Map(text, out reason) is not { } mapped)
        {
            reason ??= NoName;
            return null;
        }

        // The mapping makes ASCII of what only looks like it (full-width letters, dots, hyphens), so the rules for ASCII come after it.
        if (Idna.ToAscii(mapped) is not { } domain)
        {
            reason = mapped.Contains("..", StringComparison.Ordinal) || mapped.StartsWith('.') || mapped.EndsWith('.') ? "a misplaced dot in the domain" : NoName;
            return null;
        }

        if (domain.Length > MaxLength)
        {
            reason = "the domain is too long";
            return null;
        }

        return IsLettersDigitsHyphens(domain, out _, out _, out reason) && Kind(domain, out kind, out reason) ? domain : null;
    }

    private static bool IsLettersDigitsHyphens(ReadOnlySpan<char> text, out bool isLower, out bool hasALabel, out string? reason)
    {
        (isLower, hasALabel, reason) = (true, false, null);
        var start = 0;
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && text[i] != '.')
            {
                var character = text[i];
                if (!char.IsAsciiLetterOrDigit(character) && character != '-')
                {
                    reason = $"{AddressSyntax.Show(new Rune(character))} is not allowed in a domain";
                    return false;
                }

                isLower &= !char.IsAsciiLetterUpper(character);
                continue;
            }

            var label = text[start..i];
            if (label.IsEmpty || label.Length > MaxLabel || label[0] == '-' || label[^1] == '-')
            {
                reason = label.IsEmpty ? "a misplaced dot in the domain" : label.Length > MaxLabel ? "a part of the domain is too long" : "a misplaced hyphen in the domain";
                return false;
            }

            hasALabel |= label.Length > 4 && label[2] == '-' && label.StartsWith("xn--", StringComparison.OrdinalIgnoreCase);
            start = i + 1;
        }

        return true;
    }

    private static bool Kind(string domain, out DomainKind kind, out string? reason)
    {
        (kind, reason) = (DomainKind.Name, null);
        var dot = domain.LastIndexOf('.');
        var last = domain.AsSpan(dot + 1);
        if (last is "invalid" or "localhost" or "local" or "onion" or "arpa")
        {
            reason = $"no mail can reach a name in .{last} (RFC 6761)";
            return false;
        }

        if (dot < 0)
        {
            kind = DomainKind.TopLevel;
            reason = TopLevelDomains.Contains(domain) ? null : "the domain has no dot and is no top-level domain";
        }
        else if (char.IsAsciiDigit(last[^1]) && !last.ContainsAnyExceptInRange('0', '9'))
        {
            kind = DomainKind.Numeric;
        }

        return reason is null;
    }
}
