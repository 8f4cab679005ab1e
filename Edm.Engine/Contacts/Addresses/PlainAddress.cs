namespace Edm.Engine.Contacts.Addresses;

/// <summary>
/// Tells at a glance, without a new text, that an address is a right one of the common kind: nothing but ASCII, a dot-string before the @, and behind it a name of at least
/// two labels. What it takes <see cref="AddressSyntax"/> takes too, and leaves as it stands but for the case of the domain; of what it does not take it says nothing.
/// </summary>
internal static class PlainAddress
{
    private const int MaxLocal = 64;
    private const int MaxLabel = 63;

    private static readonly Kind[] Kinds = KindsOfAscii();

    private enum Kind : byte
    {
        Other,
        Small,
        Capital,
        Digit,
        Hyphen,

        /// <summary>Atext that no domain has.</summary>
        Mark,
        Dot,
        At,
    }

    /// <param name="text">Without white space around it.</param>
    /// <param name="isLower">Whether it is its own normal form: no letter is a capital.</param>
    public static bool Is(ReadOnlySpan<char> text, out bool isLower)
    {
        isLower = true;
        if (text.Length > AddressSyntax.MaxOctets)
        {
            return false;
        }

        // Where the part between dots begins that the loop is in.
        var start = 0;
        var at = -1;
        for (var i = 0; i < text.Length; i++)
        {
            var kind = text[i] < Kinds.Length ? Kinds[text[i]] : Kind.Other;
            switch (kind)
            {
                case Kind.Small or Kind.Digit or Kind.Hyphen:
                    break;
                case Kind.Capital:
                    isLower = false;
                    break;
                case Kind.Mark when at < 0:
                    break;
                case Kind.Dot when i > start && (at < 0 || IsLabel(text[start..i])):
                    start = i + 1;
                    break;
                case Kind.At when at < 0 && i > start && i <= MaxLocal:
                    at = i;
                    start = i + 1;
                    break;
                default:
                    return false;
            }
        }

        // Behind the @ and a dot at least.
        return at > 0 && start > at + 1 && IsLastLabel(text[start..]);
    }

    private static bool IsLabel(ReadOnlySpan<char> label) =>
        label.Length is > 0 and <= MaxLabel && label[0] != '-' && label[^1] != '-' && !(label.Length > 3 && label[2] == '-' && label[3] == '-');

    /// <summary>Letters alone, and none of the names that never lead anywhere.</summary>
    private static bool IsLastLabel(ReadOnlySpan<char> label)
    {
        if (label.Length is 0 or > MaxLabel)
        {
            return false;
        }

        foreach (var character in label)
        {
            if (Kinds[character] is not (Kind.Small or Kind.Capital))
            {
                return false;
            }
        }

        // Whether it is one of those names is for the grammar to say; they begin so, and hardly another does.
        return label.Length < 4 || !(StartsWith(label, "inva") || StartsWith(label, "loca") || StartsWith(label, "onio") || StartsWith(label, "arpa"));
    }

    private static bool StartsWith(ReadOnlySpan<char> label, string start) => label.StartsWith(start, StringComparison.OrdinalIgnoreCase);

    private static Kind[] KindsOfAscii()
    {
        var kinds = new Kind[128];
        for (var character = '\0'; character < kinds.Length; character++)
        {
            kinds[character] = character switch
            {
                >= 'a' and <= 'z' => Kind.Small,
                >= 'A' and <= 'Z' => Kind.Capital,
                >= '0' and <= '9' => Kind.Digit,
                '-' => Kind.Hyphen,
                '.' => Kind.Dot,
                '@' => Kind.At,
                _ => Characters.IsAtext(character) ? Kind.Mark : Kind.Other,
            };
        }

        return kinds;
    }
}
