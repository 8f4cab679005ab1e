using System.Diagnostics.CodeAnalysis;
using MimeKit;

namespace Edm.Engine.Services.Smtp;

/// <summary>Addresses as MAIL FROM and RCPT TO carry them.</summary>
internal static class Envelope
{
    /// <summary>A path is at most 256 octets (RFC 5321, 4.5.3.1.3); some more for addresses that only grow in their ASCII form.</summary>
    private const int MaxLength = 320;

    /// <summary>No control characters, and above all no line break, ever gets into a command, whatever the parser behind would make of it.</summary>
    public static bool TryParse(string address, [NotNullWhen(true)] out MailboxAddress? mailbox)
    {
        mailbox = null;
        if (address.Length is 0 or > MaxLength || !address.Contains('@', StringComparison.Ordinal))
        {
            return false;
        }

        foreach (var c in address)
        {
            if (char.IsControl(c) || char.IsWhiteSpace(c) || c is '<' or '>')
            {
                return false;
            }
        }

        try
        {
            mailbox = new MailboxAddress(null, address);
            return true;
        }
        catch (ParseException)
        {
            return false;
        }
    }
}
