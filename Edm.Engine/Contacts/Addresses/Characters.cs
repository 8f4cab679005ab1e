using System.Globalization;
using System.Text;

namespace Edm.Engine.Contacts.Addresses;

/// <summary>What characters are, as far as addresses ask.</summary>
internal static class Characters
{
    /// <summary>RFC 5322 atext (3.2.3), which RFC 5321 takes over.</summary>
    private static readonly bool[] Atext = Marked("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~");

    public static bool IsAtext(char character) => character < 128 && Atext[character];

    /// <summary>
    /// Nobody sees it, or nobody can know what it means: two addresses that look alike would be two people. Controls, format characters, spaces, private,
    /// unassigned and lost code points, and the letters that are blank by definition.
    /// </summary>
    public static bool IsUnseen(Rune rune) => rune.Value switch
    {
        0x034f or 0x115f or 0x1160 or 0x17b4 or 0x17b5 or 0x2800 or 0x3164 or 0xffa0 or 0xfffd => true,
        _ => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator,
    };

    public static bool IsMark(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;

    /// <summary>Half a surrogate pair is no character, and normalising would throw.</summary>
    public static bool HasLoneSurrogate(ReadOnlySpan<char> text)
    {
        for (var i = text.IndexOfAnyInRange('\ud800', '\udfff'); i >= 0 && i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[++i])))
            {
                return true;
            }
        }

        return false;
    }

    private static bool[] Marked(string characters)
    {
        var marked = new bool[128];
        foreach (var character in characters)
        {
            marked[character] = true;
        }

        return marked;
    }
}
