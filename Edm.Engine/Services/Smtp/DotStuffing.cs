using System.Buffers;

namespace Edm.Engine.Services.Smtp;

/// <summary>A line that begins with a dot gets a second one, so that none of them ends the mail (RFC 5321, 4.5.2).</summary>
internal static class DotStuffing
{
    private static ReadOnlySpan<byte> LineWithDot => "\r\n."u8;

    /// <summary>Writes the mail and its end in one piece: no server can have the end and we not know that it went.</summary>
    public static async ValueTask WriteAsync(SmtpWire wire, OutgoingMail mail)
    {
        var octets = mail.Octets;
        if (!NeedsAny(octets.Span))
        {
            await wire.WriteAsync(mail.WithEnd);
            return;
        }

        // At worst every line is a dot alone: three octets become four.
        var stuffed = ArrayPool<byte>.Shared.Rent((octets.Length / 3 * 4) + 8);
        try
        {
            await wire.WriteAsync(stuffed.AsMemory(0, Stuff(octets.Span, stuffed)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(stuffed);
        }
    }

    private static bool NeedsAny(ReadOnlySpan<byte> octets) => octets.StartsWith("."u8) || octets.IndexOf(LineWithDot) >= 0;

    private static int Stuff(ReadOnlySpan<byte> octets, Span<byte> into)
    {
        var length = 0;
        if (octets.StartsWith("."u8))
        {
            into[length++] = (byte)'.';
        }

        while (octets.IndexOf(LineWithDot) is >= 0 and var at)
        {
            octets[..(at + 3)].CopyTo(into[length..]);
            length += at + 3;
            into[length++] = (byte)'.';
            octets = octets[(at + 3)..];
        }

        octets.CopyTo(into[length..]);
        length += octets.Length;
        OutgoingMail.End.CopyTo(into[length..]);
        return length + OutgoingMail.End.Length;
    }
}
