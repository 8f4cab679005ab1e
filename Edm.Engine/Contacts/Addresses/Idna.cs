using System.Text;

namespace Edm.Engine.Contacts.Addresses;

/// <summary>
/// Internationalised names: mapped as UTS 46 does (non-transitional, so ß stays ß), then held to IDNA 2008 (RFC 5891 to 5893). The runtime's IdnMapping
/// knows IDNA 2003 only, and neither maps nor checks anything where globalization is invariant, as it is here.
/// <para>A name that is given as A-labels exists as it is, so it is only held to UTS 46, which has symbols: <c>xn--k28h.example</c> may well have mail. The same name
/// written with the symbol is refused, since what is sent then depends on who maps it.</para>
/// </summary>
internal static class Idna
{
    private const string Prefix = "xn--";

    /// <summary>The name in NFC with its letters mapped to lower case and to their plain forms.</summary>
    /// <returns>Null with a reason when a character has no place in a name.</returns>
    public static string? Map(ReadOnlySpan<char> text, out string? reason)
    {
        reason = null;
        var table = IdnaTable.Get;
        var mapped = new StringBuilder(text.Length + 8);
        for (var rest = text; !rest.IsEmpty;)
        {
            var whole = Rune.DecodeFromUtf16(rest, out var rune, out var length) == System.Buffers.OperationStatus.Done;
            rest = rest[length..];
            if (whole && rune.IsAscii)
            {
                mapped.Append(char.ToLowerInvariant((char)rune.Value));
            }
            else if (whole && table.IsMapped(rune.Value, out var target))
            {
                mapped.Append(target);
            }
            else if (whole && table.IsValid(rune.Value))
            {
                mapped.Append(rune);
            }
            else
            {
                reason = $"{AddressSyntax.Show(rune)} is not allowed in an internationalised domain";
                return null;
            }
        }

        return CanonicalForm.Of(mapped.ToString());
    }

    /// <param name="mapped">What <see cref="Map"/> gave.</param>
    /// <returns>The name in A-labels, null when a label is none. Labels in ASCII are not looked at.</returns>
    public static string? ToAscii(string mapped)
    {
        if (mapped.Length == 0)
        {
            return null;
        }

        var labels = mapped.Split('.');
        var unicode = new string[labels.Length];
        for (var i = 0; i < labels.Length; i++)
        {
            var label = labels[i];
            unicode[i] = label;
            if (label.StartsWith(Prefix, StringComparison.Ordinal))
            {
                if (OfALabel(label) is not { } decoded)
                {
                    return null;
                }

                unicode[i] = decoded;
            }
            else if (!Ascii.IsValid(label))
            {
                if (!IsULabel(label))
                {
                    return null;
                }

                labels[i] = Prefix + Punycode.Encode(label);
            }
        }

        return IdnaRules.AreDirectionsRight(unicode) ? string.Join('.', labels) : null;
    }

    /// <param name="domain">In ASCII and lower case.</param>
    public static bool AreALabelsValid(string domain)
    {
        var labels = domain.Split('.');
        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i].StartsWith(Prefix, StringComparison.Ordinal))
            {
                if (OfALabel(labels[i]) is not { } decoded)
                {
                    return false;
                }

                labels[i] = decoded;
            }
        }

        return IdnaRules.AreDirectionsRight(labels);
    }

    /// <param name="domain">One that was read. Labels that can only be written as A-labels stay so.</param>
    public static string ToUnicode(string domain) => string.Join('.', domain.Split('.').Select(label =>
        label.StartsWith(Prefix, StringComparison.Ordinal) && OfALabel(label) is { } decoded && IsULabel(decoded) ? decoded : label));

    /// <summary>What an A-label stands for; null when it stands for nothing that UTS 46 (4.1) would have made it of.</summary>
    private static string? OfALabel(string label)
    {
        if (!Ascii.IsValid(label) || Punycode.Decode(label.AsSpan(Prefix.Length)) is not { Length: > 0 } decoded || Ascii.IsValid(decoded))
        {
            return null;
        }

        var table = IdnaTable.Get;
        foreach (var rune in decoded.EnumerateRunes())
        {
            if (rune.IsAscii ? !char.IsAsciiLetterLower((char)rune.Value) && !char.IsAsciiDigit((char)rune.Value) && rune.Value != '-' : !table.IsValid(rune.Value))
            {
                return null;
            }
        }

        return IsShapeRight(decoded) && IdnaRules.IsContextRight(decoded) && CanonicalForm.Of(decoded) == decoded
            && label.AsSpan(Prefix.Length).SequenceEqual(Punycode.Encode(decoded))
            ? decoded
            : null;
    }

    /// <summary>RFC 5891, 4.2, for a label that is mapped and normalised.</summary>
    private static bool IsULabel(string label) => IsShapeRight(label) && label.EnumerateRunes().All(IdnaRules.IsAllowed) && IdnaRules.IsContextRight(label);

    private static bool IsShapeRight(string label)
    {
        // The third and fourth are characters, not halves of them.
        Rune[] runes = [.. label.EnumerateRunes()];
        return label[0] != '-' && label[^1] != '-' && !(runes.Length > 3 && runes[2].Value == '-' && runes[3].Value == '-') && !Characters.IsMark(runes[0]);
    }
}
