using System.Diagnostics.CodeAnalysis;
using System.Text;
using Edm.Engine.Contacts.Addresses;

namespace Edm.Engine.Contacts;

/// <summary>
/// An address that EDM keeps a contact under and mails. That is a narrower question than whether the syntax is right, which <see cref="AddressSyntax"/> answers with
/// the reasons of its decisions: not taken here, though RFC 5321 has them, are address literals, domains of a single label, domains that end in a number, and an
/// empty local part in quotes. No creator has one, and mail to them says more about the list than about a person.
/// <para>Letters of the world before the @ are taken. Such an address can only be mailed through servers that offer SMTPUTF8 (RFC 6531); others fail it, and
/// nobody else.</para>
/// </summary>
public sealed record EmailAddress
{
    private EmailAddress(Mailbox mailbox)
    {
        Address = mailbox.Address;
        var local = NormalForm.Lower(mailbox.Local);
        Key = ReferenceEquals(local, mailbox.Local) ? Address : $"{local}@{mailbox.Domain}";
    }

    private EmailAddress(string address, string key) => (Address, Key) = (address, key);

    /// <summary>
    /// As it stands on the envelope: the local part as written (in NFC, without needless quotes), the domain in ASCII and lower case. Beyond ASCII only where
    /// <see cref="NeedsUtf8"/>.
    /// </summary>
    public string Address { get; }

    /// <summary>The normal form for comparing: <see cref="Address"/> in lower case. No provider in use tells local parts apart by case.</summary>
    public string Key { get; }

    /// <summary>In ASCII (A-labels) and lower case.</summary>
    public string Domain => Address[(Address.LastIndexOf('@') + 1)..];

    /// <summary>Only servers with SMTPUTF8 (RFC 6531) take it.</summary>
    public bool NeedsUtf8 => !Ascii.IsValid(Address);

    public override string ToString() => Address;

    /// <summary>Never throws, whatever the text.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out EmailAddress? address) => TryParse(text, out address, out _);

    /// <param name="text">White space around it is not part of it.</param>
    /// <param name="reason">Why not, for people; null when it is an address.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out EmailAddress? address, [NotNullWhen(false)] out string? reason)
    {
        var trimmed = (text ?? "").AsSpan().Trim();
        if (PlainAddress.Is(trimmed, out var isLower))
        {
            (address, reason) = (OfPlain(trimmed, isLower), null);
            return true;
        }

        return TryParseAny(trimmed, out address, out reason);
    }

    /// <summary>By the whole grammar, which plain addresses need not be put through.</summary>
    internal static bool TryParseAny(ReadOnlySpan<char> text, [NotNullWhen(true)] out EmailAddress? address, [NotNullWhen(false)] out string? reason)
    {
        address = null;
        if (!AddressSyntax.TryRead(text, out var mailbox, out reason))
        {
            return false;
        }

        reason = WhyNotMailed(mailbox);
        if (reason is not null)
        {
            return false;
        }

        address = new EmailAddress(mailbox);
        return true;
    }

    /// <summary>Why EDM keeps no contact under an address whose syntax is right; null when it does.</summary>
    internal static string? WhyNotMailed(Mailbox mailbox) => mailbox.Kind switch
    {
        DomainKind.Literal => "an address literal can't be mailed",
        DomainKind.TopLevel => "the domain has no dot",
        DomainKind.Numeric => "the domain ends in a number",
        DomainKind.Name => mailbox.Local == "\"\"" ? "nothing stands between the quotes before the @" : null,
        _ => throw new InvalidOperationException($"The domain kind {mailbox.Kind} has no rule."),
    };

    private static EmailAddress OfPlain(ReadOnlySpan<char> text, bool isLower)
    {
        var address = text.ToString();
        if (isLower)
        {
            return new EmailAddress(address, address);
        }

        var domain = text.LastIndexOf('@') + 1;
        var key = address.ToLowerInvariant();
        return new EmailAddress(string.Concat(text[..domain], key.AsSpan(domain)), key);
    }
}
