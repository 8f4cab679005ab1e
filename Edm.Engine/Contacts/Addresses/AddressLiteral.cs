using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace Edm.Engine.Contacts.Addresses;

/// <summary>
/// RFC 5321, 4.1.3: <c>[192.0.2.1]</c> and <c>[IPv6:2001:db8::1]</c>. A general literal needs a tag that IANA has registered, and IPv6 is the only one. The
/// runtime's own parser takes more than the grammar (scopes, hexadecimal, missing parts), so it is not asked.
/// </summary>
internal static class AddressLiteral
{
    private const string Tag = "IPv6:";
    private const string Loopback = "an address literal of the own machine";
    private const int Groups = 8;

    /// <returns>In its shortest form (RFC 5952), or null with a reason.</returns>
    public static string? Read(ReadOnlySpan<char> text, out string? reason)
    {
        reason = "not an address literal of RFC 5321, such as [192.0.2.1] or [IPv6:2001:db8::1]";
        if (text.Length < 3 || text[^1] != ']')
        {
            return null;
        }

        var inside = text[1..^1];
        Span<byte> octets = stackalloc byte[16];
        if (!inside.StartsWith(Tag, StringComparison.OrdinalIgnoreCase))
        {
            if (!TryReadIPv4(inside, octets))
            {
                return null;
            }

            reason = octets[0] == 127 ? Loopback : null;
            return reason is null ? $"[{new IPAddress(octets[..4])}]" : null;
        }

        if (!TryReadIPv6(inside[Tag.Length..], octets))
        {
            return null;
        }

        var address = new IPAddress(octets);
        reason = IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address) ? Loopback : null;
        return reason is null ? $"[{Tag}{address}]" : null;
    }

    private static bool TryReadIPv4(ReadOnlySpan<char> text, Span<byte> octets)
    {
        var part = 0;
        foreach (var range in text.Split('.'))
        {
            var digits = text[range];
            if (part == 4 || digits.Length is 0 or > 3 || digits.ContainsAnyExceptInRange('0', '9') || !byte.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out octets[part++]))
            {
                return false;
            }
        }

        return part == 4;
    }

    private static bool TryReadIPv6(ReadOnlySpan<char> text, Span<byte> octets)
    {
        var gap = text.IndexOf("::", StringComparison.Ordinal);
        if (gap < 0)
        {
            return TryReadGroups(text, octets, mayEndInIPv4: true, out var all) && all == Groups;
        }

        // A second "::" leaves an empty group in the tail, which is refused there.
        Span<byte> tail = stackalloc byte[16];
        tail.Clear();
        if (!TryReadGroups(text[..gap], octets, mayEndInIPv4: false, out var before) || !TryReadGroups(text[(gap + 2)..], tail, mayEndInIPv4: true, out var after)
            || before + after >= Groups)
        {
            return false;
        }

        octets[(before * 2)..].Clear();
        tail[..(after * 2)].CopyTo(octets[(16 - after * 2)..]);
        return true;
    }

    private static bool TryReadGroups(ReadOnlySpan<char> text, Span<byte> octets, bool mayEndInIPv4, out int count)
    {
        count = 0;
        if (text.IsEmpty)
        {
            return true;
        }

        foreach (var range in text.Split(':'))
        {
            var group = text[range];
            if (count < Groups - 1 && mayEndInIPv4 && range.End.Equals(text.Length) && group.Contains('.'))
            {
                count += 2;
                return TryReadIPv4(group, octets[(count * 2 - 4)..]);
            }

            if (count == Groups || group.Length is 0 or > 4 || !ushort.TryParse(group, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                return false;
            }

            BinaryPrimitives.WriteUInt16BigEndian(octets[(count++ * 2)..], value);
        }

        return true;
    }
}
