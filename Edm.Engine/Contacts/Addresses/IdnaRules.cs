using System.Globalization;
using System.Text;

namespace Edm.Engine.Contacts.Addresses;

/// <summary>Which code points a label may have (RFC 5892), where (its appendix A), and in which directions (RFC 5893).</summary>
internal static class IdnaRules
{
    private const int ZeroWidthNonJoiner = 0x200c;
    private const int ZeroWidthJoiner = 0x200d;

    /// <summary>
    /// RFC 5892, 2 and 3: letters, digits and marks. That they are stable under normalisation and case folding has been seen to by the mapping. The exceptions are
    /// those of 2.6; what needs a context is allowed here and looked at by <see cref="IsContextRight"/>.
    /// </summary>
    public static bool IsAllowed(Rune rune) => rune.Value switch
    {
        < 128 => char.IsAsciiLetterLower((char)rune.Value) || char.IsAsciiDigit((char)rune.Value) || rune.Value == '-',
        0x06fd or 0x06fe or 0x0f0b or 0x3007 => true,
        0x00b7 or 0x0375 or 0x05f3 or 0x05f4 or 0x30fb or ZeroWidthNonJoiner or ZeroWidthJoiner => true,
        0x0640 or 0x07fa or 0x302e or 0x302f or (>= 0x3031 and <= 0x3035) or 0x303b => false,

        // Old Hangul Jamo (2.9): a syllable of them has no one spelling.
        (>= 0x1100 and <= 0x11ff) or (>= 0xa960 and <= 0xa97c) or (>= 0xd7b0 and <= 0xd7fb) => false,
        _ => IdnaTable.Get.IsValid(rune.Value) && Rune.GetUnicodeCategory(rune) is UnicodeCategory.LowercaseLetter or UnicodeCategory.OtherLetter
            or UnicodeCategory.ModifierLetter or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark,
    };

    /// <summary>RFC 5892, appendix A.</summary>
    public static bool IsContextRight(string label)
    {
        int[] points = [.. label.EnumerateRunes().Select(r => r.Value)];
        for (var i = 0; i < points.Length; i++)
        {
            var before = i > 0 ? points[i - 1] : -1;
            var after = i + 1 < points.Length ? points[i + 1] : -1;
            var right = points[i] switch
            {
                ZeroWidthNonJoiner => IsVirama(before) || IsBetweenJoined(points, i),
                ZeroWidthJoiner => IsVirama(before),
                0x00b7 => before == 'l' && after == 'l',
                0x0375 => IsGreek(after),
                0x05f3 or 0x05f4 => IsHebrew(before),
                0x30fb => points.Any(IsJapanese),
                >= 0x0660 and <= 0x0669 => !points.Any(p => p is >= 0x06f0 and <= 0x06f9),
                >= 0x06f0 and <= 0x06f9 => !points.Any(p => p is >= 0x0660 and <= 0x0669),
                _ => true,
            };
            if (!right)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>RFC 5893, 2, which holds for all labels as soon as one of them is written from right to left.</summary>
    /// <param name="labels">In Unicode.</param>
    public static bool AreDirectionsRight(IReadOnlyList<string> labels)
    {
        var classes = labels.Select(l => l.EnumerateRunes().Select(r => IdnaTable.Get.Bidi(r.Value)).ToArray()).ToList();
        return !classes.Any(l => l.Any(c => c is BidiClass.R or BidiClass.AL or BidiClass.AN)) || classes.TrueForAll(IsDirectionRight);
    }

    private static bool IsDirectionRight(BidiClass[] label)
    {
        var end = label.Length;
        while (end > 0 && label[end - 1] == BidiClass.NSM)
        {
            end--;
        }

        return end > 0 && (label[0], label[end - 1]) switch
        {
            (BidiClass.L, BidiClass.L or BidiClass.EN) => !Array.Exists(label, c => c is BidiClass.R or BidiClass.AL or BidiClass.AN or BidiClass.Other),
            (BidiClass.R or BidiClass.AL, BidiClass.R or BidiClass.AL or BidiClass.EN or BidiClass.AN) =>
                !Array.Exists(label, c => c is BidiClass.L or BidiClass.Other) && !(label.Contains(BidiClass.EN) && label.Contains(BidiClass.AN)),
            _ => false,
        };
    }

    private static bool IsBetweenJoined(int[] points, int position)
    {
        var (before, after) = (position - 1, position + 1);
        while (before >= 0 && IdnaTable.Get.Joining(points[before]) == 'T')
        {
            before--;
        }

        while (after < points.Length && IdnaTable.Get.Joining(points[after]) == 'T')
        {
            after++;
        }

        return before >= 0 && after < points.Length && IdnaTable.Get.Joining(points[before]) is 'L' or 'D' && IdnaTable.Get.Joining(points[after]) is 'R' or 'D';
    }

    private static bool IsVirama(int point) => CanonicalForm.CombiningClass(point) == 9;

    // The scripts by their blocks: what else is in them was refused before.
    private static bool IsGreek(int point) => point is >= 0x0370 and <= 0x03ff or >= 0x1f00 and <= 0x1fff;

    private static bool IsHebrew(int point) => point is >= 0x0591 and <= 0x05f4 or >= 0xfb1d and <= 0xfb4f;

    private static bool IsJapanese(int point) => point is >= 0x3041 and <= 0x309f or >= 0x30a1 and <= 0x30fa or >= 0x30fc and <= 0x30ff or >= 0x31f0 and <= 0x31ff
        or 0x3005 or 0x3007 or >= 0x3400 and <= 0x4dbf or >= 0x4e00 and <= 0x9fff or >= 0xf900 and <= 0xfaff or >= 0x20000 and <= 0x3ffff;
}
