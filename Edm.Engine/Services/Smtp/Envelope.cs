using System.Buffers;
using System.Text;
using MimeKit;

namespace Edm.Engine.Services.Smtp;

/// <summary>An address as MAIL FROM, RCPT TO and header fields carry it: no control character, white space or angle bracket, the domain in ASCII.</summary>
/// <param name="Text">Letters outside ASCII stand at most before the @.</param>
internal readonly record struct EnvelopeAddress(string Text)
{
    /// <summary>Only a server with SMTPUTF8 (RFC 6531) takes it.</summary>
    public bool NeedsUtf8 => !Ascii.IsValid(Text);

    public ReadOnlySpan<char> Local => Text.AsSpan(0, Text.LastIndexOf('@'));

    public ReadOnlySpan<char> Domain => Text.AsSpan(Text.LastIndexOf('@') + 1);

    public override string ToString() => Text;
}

/// <summary>Reads addresses for the envelope.</summary>
internal static class Envelope
{
    /// <summary>A path is at most 256 octets (RFC 5321, 4.5.3.1.3); some more for addresses that only grow in their ASCII form.</summary>
    private const int MaxLength = 320;

    private static readonly SearchValues<char> AtomText =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~");

    private static readonly SearchValues<char> NameText = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>No control characters, and above all no line break, ever gets into a command, whatever the parser behind would make of it.</summary>
    public static bool TryParse(string address, out EnvelopeAddress parsed)
    {
        parsed = default;
        if (address.Length is 0 or > MaxLength)
        {
            return false;
        }

        var at = address.LastIndexOf('@');
        if (at > 0 && IsDotted(address.AsSpan(0, at), AtomText) && IsDotted(address.AsSpan(at + 1), NameText))
        {
            // Nearly every address there is.
            parsed = new EnvelopeAddress(address);
            return true;
        }

        return at > 0 && TryParseUnusual(address, out parsed);
    }

    /// <summary>Quoted local parts, address literals, internationalised domains: by MimeKit, which knows RFC 5322, 6531 and IDNA.</summary>
    private static bool TryParseUnusual(string address, out EnvelopeAddress parsed)
    {
        parsed = default;
        foreach (var c in address)
        {
            if (char.IsControl(c) || char.IsWhiteSpace(c) || c is '<' or '>')
            {
                return false;
            }
        }

        try
        {
            var mailbox = new MailboxAddress(null, address);
            var ascii = MailboxAddress.EncodeAddrspec(mailbox.Address);
            if (mailbox.Domain.Length == 0 || !Ascii.IsValid(ascii.AsSpan(ascii.LastIndexOf('@') + 1)))
            {
                return false;
            }

            parsed = new EnvelopeAddress(ascii);
            return true;
        }
        catch (Exception exception) when (exception is ParseException or ArgumentException)
        {
            // IDNA refuses with ArgumentException.
            return false;
        }
    }

    private static bool IsDotted(ReadOnlySpan<char> text, SearchValues<char> atom)
    {
        while (true)
        {
            var dot = text.IndexOf('.');
            var part = dot < 0 ? text : text[..dot];
            if (part.IsEmpty || part.ContainsAnyExcept(atom))
            {
                return false;
            }

            if (dot < 0)
            {
                return true;
            }

            text = text[(dot + 1)..];
        }
    }
}
