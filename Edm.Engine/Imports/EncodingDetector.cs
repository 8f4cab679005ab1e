using System.Buffers;
using System.Text;

namespace Edm.Engine.Imports;

/// <summary>
/// Finds out the encoding of a text by evidence: a mark, zero bytes, what is valid UTF-8, and what makes sense as the two others. A text that fits none of them is refused:
/// wrongly decoded names would be stored, and mailed.
/// </summary>
internal static class EncodingDetector
{
    /// <summary>Below this share of NUL bytes a text has some damaged places; above it is no text.</summary>
    private const double MaxNulShare = 0.02;

    private static readonly SearchValues<char> Dividers = SearchValues.Create("\n\r,;\t|");

    /// <param name="sample">From the start of the file, or later as long as everything before it was ASCII.</param>
    /// <param name="isWhole">Whether the file ends with the sample; otherwise its last character may be cut.</param>
    /// <param name="offset">Where the sample begins.</param>
    /// <param name="line">The line it begins in.</param>
    /// <returns>Null while nothing but ASCII is in it.</returns>
    /// <exception cref="ImportFormatException">It is no text, or of an encoding that is not read.</exception>
    public static TextEncoding? Detect(ReadOnlySpan<byte> sample, bool isWhole, long offset = 0, long line = 1)
    {
        if (offset == 0 && Marked(sample) is { } marked)
        {
            return marked;
        }

        if (sample.Contains((byte)0) && WithNul(sample, offset, line) is { } wide)
        {
            return wide;
        }

        if (Ascii.IsValid(sample))
        {
            return null;
        }

        var utf8 = Utf8Count.Of(sample, isWhole);
        if (utf8.Broken == 0)
        {
            return TextEncoding.Utf8(0, $"{utf8.Valid} characters outside ASCII, all of them valid UTF-8");
        }

        if (utf8.Valid >= 4 * utf8.Broken)
        {
            // Whoever reads on finds the broken place, and tells where it is.
            return TextEncoding.Utf8(0, $"{utf8.Valid} characters outside ASCII are valid UTF-8, and {utf8.Broken} are broken");
        }

        var chinese = ChinesePairs.Of(sample, isWhole);
        if (chinese.IsGb18030)
        {
            return TextEncoding.Gb18030(0, $"it is no UTF-8, and {chinese.Common} of {chinese.Pairs} pairs of bytes are common Chinese characters in GB18030");
        }

        var western = WesternBytes.Of(sample);
        if (western.IsWindows1252)
        {
            return TextEncoding.Windows1252($"it is no UTF-8, and {western.Plausible} of {western.High} bytes outside ASCII stand where windows-1252 has fitting letters and signs");
        }

        var hint = chinese.Hint ?? (western.AverageRun > 3 ? "It may be Cyrillic, Greek or another alphabet in an older encoding. " : "");
        throw new ImportFormatException(
            $"The encoding is unknown: it is no UTF-8, and neither GB18030 nor windows-1252 makes sense of it. {hint}Save the file as UTF-8 (in Excel: \"CSV UTF-8\").",
            line + sample[..utf8.FirstBroken].Count((byte)'\n'),
            offset: offset + utf8.FirstBroken);
    }

    private static TextEncoding? Marked(ReadOnlySpan<byte> sample) => sample switch
    {
        [0xEF, 0xBB, 0xBF, ..] => TextEncoding.Utf8(3, "it begins with the mark of UTF-8"),
        [0xFF, 0xFE, 0, 0, ..] or [0, 0, 0xFE, 0xFF, ..] => throw new ImportFormatException("This file is UTF-32. Save it as UTF-8 (in Excel: \"CSV UTF-8\").", 1, offset: 0),
        [0xFF, 0xFE, ..] => TextEncoding.Utf16(bigEndian: false, 2, "it begins with the mark of UTF-16, little-endian"),
        [0xFE, 0xFF, ..] => TextEncoding.Utf16(bigEndian: true, 2, "it begins with the mark of UTF-16, big-endian"),
        [0x84, 0x31, 0x95, 0x33, ..] => TextEncoding.Gb18030(4, "it begins with the mark of GB18030"),
        _ => null,
    };

    /// <summary>In UTF-16 every delimiter and every line break has a zero byte, always on the same side.</summary>
    private static TextEncoding? WithNul(ReadOnlySpan<byte> sample, long offset, long line)
    {
        var (first, second) = (0, 0);
        for (var i = 0; i < sample.Length; i++)
        {
            if (sample[i] == 0)
            {
                _ = i % 2 == 0 ? first++ : second++;
            }
        }

        foreach (var bigEndian in (ReadOnlySpan<bool>)[false, true])
        {
            var (here, there) = bigEndian ? (first, second) : (second, first);
            if (offset == 0 && here > 10 * there && IsUtf16(sample, bigEndian))
            {
                return TextEncoding.Utf16(bigEndian, 0, $"{here} of {sample.Length / 2} pairs of bytes have their zero on the {(bigEndian ? "first" : "second")} place, as UTF-16 has it");
            }
        }

        if (first + second > sample.Length * MaxNulShare && first + second > 4)
        {
            var at = sample.IndexOf((byte)0);
            throw new ImportFormatException(
                $"This is no text: {first + second} of its first {sample.Length} bytes are zero (NUL). Export the list as CSV, and send that file.",
                line + sample[..at].Count((byte)'\n'),
                offset: offset + at);
        }

        return null;
    }

    private static bool IsUtf16(ReadOnlySpan<byte> sample, bool bigEndian)
    {
        var text = new UnicodeEncoding(bigEndian, byteOrderMark: false).GetString(sample[..(sample.Length & ~1)]);
        var broken = text.AsSpan().Count('\uFFFD') + text.AsSpan().Count('\0');
        return text.AsSpan().IndexOfAny(Dividers) >= 0 && broken <= 1;
    }

    /// <summary>Characters outside ASCII that are whole, and places that are none.</summary>
    private readonly record struct Utf8Count(int Valid, int Broken, int FirstBroken)
    {
        public static Utf8Count Of(ReadOnlySpan<byte> sample, bool isWhole)
        {
            var (valid, broken, firstBroken) = (0, 0, 0);
            for (var i = 0; i < sample.Length;)
            {
                if (sample[i] < 0x80)
                {
                    i++;
                    continue;
                }

                var status = Rune.DecodeFromUtf8(sample[i..], out _, out var length);
                if (status == OperationStatus.Done)
                {
                    valid++;
                }
                else if (status == OperationStatus.InvalidData || isWhole)
                {
                    firstBroken = broken++ == 0 ? i : firstBroken;
                }

                i += Math.Max(length, 1);
            }

            return new Utf8Count(valid, broken, firstBroken);
        }
    }

    /// <summary>
    /// GB18030 without its four-byte forms is pairs of high bytes; the 3,755 characters that make up nearly all Chinese text begin with B0 to D7. Korean and Japanese
    /// pairs lie elsewhere, and Western letters stand alone.
    /// </summary>
    private readonly record struct ChinesePairs(int Pairs, int Common, int Broken, int Hangul, int Kana)
    {
        public bool IsGb18030 => Broken == 0 && Pairs > 0 && Common >= 0.6 * Pairs && Hint is null;

        public string? Hint => Pairs < 8 ? null
            : Hangul >= 0.95 * Pairs ? "It looks like Korean (EUC-KR). "
            : Kana >= 0.3 * Pairs ? "It looks like Japanese (Shift_JIS). "
            : null;

        public static ChinesePairs Of(ReadOnlySpan<byte> sample, bool isWhole)
        {
            var (pairs, common, broken, hangul, kana) = (0, 0, 0, 0, 0);
            for (var i = 0; i < sample.Length; i++)
            {
                var lead = sample[i];
                if (lead < 0x80)
                {
                    continue;
                }

                if (i + 1 == sample.Length)
                {
                    broken += isWhole ? 1 : 0;
                    break;
                }

                var trail = sample[++i];
                if (lead is 0x80 or 0xFF || trail is < 0x30 or 0x7F or 0xFF)
                {
                    broken++;
                }
                else if (trail is >= 0x30 and <= 0x39)
                {
                    i += 2;
                    pairs++;
                }
                else
                {
                    pairs++;
                    common += trail >= 0xA1 && lead is >= 0xB0 and <= 0xD7 or >= 0xA1 and <= 0xA3 ? 1 : 0;
                    hangul += trail >= 0xA1 && lead is >= 0xB0 and <= 0xC8 ? 1 : 0;
                    kana += lead is 0x82 or 0x83 ? 1 : 0;
                }
            }

            return new ChinesePairs(pairs, common, broken, hangul, kana);
        }
    }

    /// <summary>What may follow a capital letter: anything but the signs that only programmers write there.</summary>
    private static bool IsNatural(byte after) => after >= 0x80 || char.IsAsciiLetter((char)after) || " \t\r\n,;|\"'.!?:)-/".Contains((char)after, StringComparison.Ordinal);

    /// <summary>Bytes outside ASCII as windows-1252 would have them: letters inside of words, and typographic signs.</summary>
    private readonly record struct WesternBytes(int High, int Plausible, int Runs)
    {
        public double AverageRun => Runs == 0 ? 0 : (double)High / Runs;

        public bool IsWindows1252 => High > 0 && Plausible >= 0.9 * High && AverageRun <= 1.6;

        public static WesternBytes Of(ReadOnlySpan<byte> sample)
        {
            var (high, plausible, runs) = (0, 0, 0);
            for (var i = 0; i < sample.Length; i++)
            {
                if (sample[i] < 0x80)
                {
                    continue;
                }

                var before = i > 0 ? sample[i - 1] : (byte)' ';
                var after = i + 1 < sample.Length ? sample[i + 1] : (byte)' ';
                high++;
                runs += before < 0x80 ? 1 : 0;
                plausible += sample[i] switch
                {
                    0x81 or 0x8D or 0x8F or 0x90 or 0x9D or 0xFF => 0,
                    // A capital in the middle of a word is what another encoding looks like.
                    >= 0xC0 and <= 0xDE when !IsNatural(after) || before is >= (byte)'a' and <= (byte)'z' or >= (byte)'0' and <= (byte)'9' => 0,
                    _ => 1,
                };
            }

            return new WesternBytes(high, plausible, runs);
        }
    }
}
