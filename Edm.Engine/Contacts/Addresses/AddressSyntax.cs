using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Edm.Engine.Contacts.Addresses;

/// <summary>
/// The syntax of an address: RFC 5321 <c>Mailbox</c> (4.1.2) with the extension of RFC 6531 for letters of the world, and nothing else. It answers whether a
/// text may go onto an envelope unmodified. Whether EDM stores it as a contact is another question, which <see cref="EmailAddress"/> answers.
/// <para>Where readers of addresses disagree, this is what EDM does, and why:</para>
/// <list type="bullet">
/// <item>Comments, folding white space, display names and angle brackets belong to the header of a mail (RFC 5322) and never to an envelope: not taken, also not
/// at the edges. The same for the obsolete forms of RFC 5322 (<c>a."b".c@</c>, a tab or line break in quotes).</item>
/// <item>A quoted local part is taken also where the quotes are needless, as RFC 5321 says; they are taken away then, since both spellings name one mailbox.</item>
/// <item>Address literals are taken, IPv4 and IPv6, with one exception: a loopback address names the machine that sends, and nobody's mailbox.
/// A <c>::</c> for a single group, which RFC 5321 forbids and RFC 4291 allows, is taken: it is not ambiguous.</item>
/// <item>A single label is taken if it is a top-level domain (RFC 5321, 2.3.5), since names are fully qualified there: <c>a@游戏</c> is, <c>a@localhost</c> isn't.</item>
/// <item>A domain that ends in a number (<c>a@1.2.3.4</c>) or in a label that is no top-level domain of today (<c>a@b.newtld</c>) is right by the grammar.</item>
/// <item>Names that never lead anywhere are not taken: <c>.invalid</c>, <c>.localhost</c> (RFC 6761), <c>.local</c> (RFC 6762), <c>.onion</c> (RFC 7686), <c>.arpa</c>.
/// <c>.test</c> and <c>.example</c> are, as RFC 6761 asks of applications.</item>
/// <item>No trailing dot, no underscore, no hyphen at the edge of a label. A label <c>xn--</c> must be what IDNA makes of some name (RFC 5891, 5.4).</item>
/// <item>Lengths are octets, in UTF-8, as written: 64 before the @, 254 for all, and 63 and 253 for labels and domain in ASCII.</item>
/// <item>Beyond ASCII, a local part is brought to NFC (RFC 6532, 3.1) and judged after that. What can't be seen is not taken: controls, format characters, all spaces, private
/// and unassigned code points, a combining mark at the beginning.</item>
/// </list>
/// </summary>
internal static class AddressSyntax
{
    /// <summary>RFC 5321, 4.5.3.1.3, less the angle brackets.</summary>
    public const int MaxOctets = 254;

    /// <summary>Never throws, in time linear in the text, of which no more than the longest possible address is looked at closely.</summary>
    /// <param name="reason">Why not, for people; null when it is an address.</param>
    public static bool TryRead(ReadOnlySpan<char> text, out Mailbox mailbox, [NotNullWhen(false)] out string? reason)
    {
        mailbox = default;
        // The last @ divides: a quoted local part may hold one, a domain never.
        var at = text.LastIndexOf('@');
        if (at < 0)
        {
            reason = text.IsEmpty ? "empty" : text.IsWhiteSpace() ? "only white space" : "there is no @";
            return false;
        }

        var local = LocalPart.Read(text[..at], out reason);
        if (local is null || reason is not null)
        {
            reason ??= "not an address";
            return false;
        }

        var domain = DomainName.Read(text[(at + 1)..], out var kind, out reason);
        if (domain is null || reason is not null)
        {
            reason ??= "not an address";
            return false;
        }

        if (Octets(local) + 1 + domain.Length > MaxOctets || (text.Length > MaxOctets && Octets(text[..at]) + 1 + domain.Length > MaxOctets))
        {
            reason = $"longer than {MaxOctets} octets";
            return false;
        }

        mailbox = new Mailbox(local, domain, kind);
        return true;
    }

    /// <summary>How a character is named in a reason.</summary>
    internal static string Show(Rune rune) => rune.Value switch
    {
        ' ' => "a space",
        '\t' => "a tab",
        '\r' or '\n' => "a line break (a control character)",
        '(' or ')' => "a comment in round brackets",
        < ' ' or (>= 0x7f and <= 0x9f) => "a control character",
        0xfffd => "a character that was lost to a wrong encoding",
        _ when rune.IsAscii => $"'{rune}'",
        _ when Characters.IsUnseen(rune) => $"the invisible character U+{rune.Value:X4}",
        _ => $"'{rune}' (U+{rune.Value:X4})",
    };

    private static int Octets(ReadOnlySpan<char> text) => Encoding.UTF8.GetByteCount(text);
}
