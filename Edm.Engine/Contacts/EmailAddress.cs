using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Edm.Engine.Contacts;

/// <summary>
/// An address that a mail can be sent to: RFC 5321 <c>Mailbox</c> (4.1.2) with a dot-string or quoted local part and a domain name, which may be
/// an internationalised one. Not taken, though the grammar has them: address literals, single-label domains, comments, and local parts
/// outside ASCII (they need SMTPUTF8 on every hop).
/// </summary>
public sealed record EmailAddress
{
    private const int MaxAddress = 254; // RFC 5321, 4.5.3.1.3, less the angle brackets
    private const int MaxLocalPart = 64; // 4.5.3.1.1
    private const int MaxDomain = 253;
    private const int MaxLabel = 63; // RFC 1035, 2.3.4
    private const string AtextMarks = "!#$%&'*+-/=?^_`{|}~"; // RFC 5322, 3.2.3

    private static readonly IdnMapping Idn = new() { AllowUnassigned = false, UseStd3AsciiRules = false };

    private EmailAddress(string localPart, string domain)
    {
        Address = $"{localPart}@{domain}";
        Key = Address.ToLowerInvariant();
        Domain = domain;
    }

    /// <summary>As it stands on the envelope: the local part as written (without needless quotes), the domain in ASCII and lower case.</summary>
    public string Address { get; }

    /// <summary>The normal form for comparing: <see cref="Address"/> in lower case. No provider in use tells local parts apart by case.</summary>
    public string Key { get; }

    /// <summary>In ASCII (A-labels) and lower case.</summary>
    public string Domain { get; }

    public override string ToString() => Address;

    /// <summary>Never throws, whatever the text.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out EmailAddress? address) => TryParse(text, out address, out _);

    /// <param name="reason">Why not, for people; null when it is an address.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out EmailAddress? address, [NotNullWhen(false)] out string? reason)
    {
        address = null;
        reason = null;
        var all = (text ?? "").AsSpan().Trim();
        // The last @ divides: a quoted local part may hold one, a domain never.
        var at = all.LastIndexOf('@');
        if (all.IsEmpty || at < 0)
        {
            reason = all.IsEmpty ? "empty" : "there is no @";
            return false;
        }

        var localPart = LocalPart(all[..at], out reason);
        var domain = reason is null ? DomainOf(all[(at + 1)..], out reason) : null;
        if (localPart is null || domain is null || reason is not null)
        {
            reason ??= "not an address";
            return false;
        }

        if (localPart.Length + 1 + domain.Length > MaxAddress)
        {
            reason = $"longer than {MaxAddress} characters";
            return false;
        }

        address = new EmailAddress(localPart, domain);
        return true;
    }

    private static string? LocalPart(ReadOnlySpan<char> text, out string? reason)
    {
        reason = null;
        if (text.IsEmpty)
        {
            reason = "nothing stands before the @";
        }
        else if (text.Length > MaxLocalPart)
        {
            reason = $"more than {MaxLocalPart} characters before the @";
        }
        else if (text[0] == '"')
        {
            return Quoted(text, out reason);
        }
        else if (text[0] == '.' || text[^1] == '.' || text.Contains("..", StringComparison.Ordinal))
        {
            reason = "a misplaced dot before the @";
        }
        else
        {
            foreach (var character in text)
            {
                if (character != '.' && !IsAtext(character))
                {
                    reason = char.IsAscii(character)
                        ? $"{Show(character)} is not allowed before the @"
                        : "letters outside ASCII before the @ can't be mailed";
                    return null;
                }
            }

            return text.ToString();
        }

        return null;
    }

    private static string? Quoted(ReadOnlySpan<char> text, out string? reason)
    {
        reason = "an unclosed or misplaced quote before the @";
        if (text.Length < 3 || text[^1] != '"')
        {
            return null;
        }

        var content = new StringBuilder(text.Length);
        var inside = text[1..^1];
        for (var i = 0; i < inside.Length; i++)
        {
            var character = inside[i];
            if (character == '\\' && ++i < inside.Length)
            {
                character = inside[i];
            }
            else if (character is '"' or '\\')
            {
                return null;
            }

            // qtextSMTP and quoted-pairSMTP: printable ASCII and the space.
            if (character is < ' ' or > '~')
            {
                reason = $"{Show(character)} is not allowed before the @";
                return null;
            }

            content.Append(character);
        }

        reason = null;
        // RFC 5321, 4.1.2: quotes that aren't needed don't make another mailbox.
        var plain = content.ToString();
        return LocalPartNeedsQuotes(plain) ? $"\"{plain.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"" : plain;
    }

    private static bool LocalPartNeedsQuotes(string plain) =>
        plain.StartsWith('.') || plain.EndsWith('.') || plain.Contains("..", StringComparison.Ordinal) || plain.Any(c => c != '.' && !IsAtext(c));

    private static string? DomainOf(ReadOnlySpan<char> text, out string? reason)
    {
        reason = null;
        if (text.IsEmpty)
        {
            reason = "nothing stands after the @";
            return null;
        }

        if (text[0] == '[')
        {
            reason = "an address literal can't be mailed";
            return null;
        }

        // Before IDN mapping, so that a hostile text costs nothing.
        if (text.Length > MaxDomain)
        {
            reason = "the domain is too long";
            return null;
        }

        var domain = System.Text.Ascii.IsValid(text) ? text.ToString().ToLowerInvariant() : ToAscii(text.ToString());
        if (domain is null)
        {
            reason = "the domain is not a valid internationalised name";
            return null;
        }

        reason = Problem(domain);
        return reason is null ? domain : null;
    }

    private static string? Problem(string domain)
    {
        if (domain.Length > MaxDomain)
        {
            return "the domain is too long";
        }

        var labels = domain.Split('.');
        if (labels.Length < 2)
        {
            return "the domain has no dot";
        }

        foreach (var label in labels)
        {
            if (label.Length is 0 or > MaxLabel || label[0] == '-' || label[^1] == '-')
            {
                return label.Length == 0 ? "a misplaced dot in the domain" : label.Length > MaxLabel ? "a part of the domain is too long" : "a misplaced hyphen in the domain";
            }

            foreach (var character in label)
            {
                if (!char.IsAsciiLetterOrDigit(character) && character != '-')
                {
                    return $"{Show(character)} is not allowed in a domain";
                }
            }
        }

        return labels[^1].All(char.IsAsciiDigit) ? "the domain ends in a number" : null;
    }

    private static string? ToAscii(string domain)
    {
        // IDNA 2008 (RFC 5892) allows letters, digits and marks, and a few signs that nobody is known by; .NET's mapping would let the
        // replacement character of a broken encoding through.
        foreach (var rune in domain.EnumerateRunes())
        {
            if (!rune.IsAscii && !Rune.IsLetterOrDigit(rune) && !IsMark(rune) && rune.Value is not ('。' or '·' or '・'))
            {
                return null;
            }
        }

        try
        {
            return Idn.GetAscii(domain.Normalize(NormalizationForm.FormKC).ToLowerInvariant()).ToLowerInvariant();
        }
        catch (ArgumentException)
        {
            // Lone surrogates, empty labels, unassigned code points.
            return null;
        }
    }

    private static bool IsMark(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    private static bool IsAtext(char character) =>
        char.IsAsciiLetterOrDigit(character) || AtextMarks.Contains(character, StringComparison.Ordinal);

    private static string Show(char character) => character switch
    {
        ' ' => "a space",
        < ' ' or '\x7f' => "a control character",
        _ => $"'{character}'",
    };
}
