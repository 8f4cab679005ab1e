using System.Buffers;
using System.Globalization;

namespace Edm.Engine.Imports;

/// <summary>Where the table of a file begins.</summary>
/// <param name="First">The number of its first record, from 0; as many as there are when the file has no table.</param>
/// <param name="IsHeader">Whether that record names the columns.</param>
/// <param name="Width">The usual number of cells of a record.</param>
internal sealed record FoundHeader(int First, bool IsHeader, int Width, string Reason);

/// <summary>Tells a header from what may stand before it (titles, remarks, empty lines), and notices when there is none.</summary>
internal static class HeaderFinder
{
    /// <summary>How far a header is looked for.</summary>
    private const int MaxPreamble = 50;

    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.,+-%eEkKmMbB ");

    /// <param name="skip">Records at the start that are none of the table for sure.</param>
    public static FoundHeader Find(IReadOnlyList<SampleRecord> records, int skip)
    {
        var rows = records.Skip(skip).Where(r => !r.IsBlank && !r.IsRemark).Select(r => r.Cells.Length).ToList();
        var width = rows.Count == 0 ? 0 : rows.GroupBy(w => w).MaxBy(g => g.Count())!.Key;
        var first = First(records, skip, width);
        if (first == records.Count)
        {
            return new FoundHeader(first, IsHeader: false, width, "there is no row");
        }

        var reason = WhyNoHeader(records, first);
        return new FoundHeader(first, reason is null, width, reason ?? (first == skip ? "the first record names the columns" : "the first record that has as many cells as the table names the columns"));
    }

    private static int First(IReadOnlyList<SampleRecord> records, int skip, int width)
    {
        var last = Math.Min(records.Count, skip + MaxPreamble);
        var first = records.Count;
        for (var i = skip; i < last && first == records.Count; i++)
        {
            var record = records[i];
            if (record.IsBlank || record.IsRemark || IsRemarkWithDelimiters(record, width) || IsTitle(records, i, last, width))
            {
                continue;
            }

            first = i;
        }

        if (first == records.Count || Known(records[first]) > 0)
        {
            return first;
        }

        // A row of titles may be as wide as the table.
        for (var i = first + 1; i < last; i++)
        {
            if (Known(records[i]) >= 2 && !records[i].Cells.Any(IsData) && !records.Skip(first).Take(i - first).Any(r => r.Cells.Any(c => EmailFinder.FindIn(c) is not null)))
            {
                return i;
            }
        }

        return first;
    }

    // "# exported, 2024-01-05" above a table of five columns; the header "#,NAME,..." is as wide as its table.
    private static bool IsRemarkWithDelimiters(SampleRecord record, int width) => record.Cells[0].StartsWith('#') && record.Cells.Length != width;

    private static bool IsTitle(IReadOnlyList<SampleRecord> records, int index, int last, int width)
    {
        if (width < 2 || 2 * records[index].Filled > width || Known(records[index]) > 0)
        {
            return false;
        }

        for (var i = index + 1; i < last; i++)
        {
            if (2 * records[i].Filled > width)
            {
                return !records[i].Cells.Any(IsData);
            }
        }

        return false;
    }

    private static int Known(SampleRecord record) => record.Cells.Count(c => ColumnMapping.Of(c).Field != ContactField.Attribute);

    private static string? WhyNoHeader(IReadOnlyList<SampleRecord> records, int first)
    {
        var candidate = records[first];
        if (Array.FindIndex(candidate.Cells, c => EmailFinder.FindIn(c) is not null) is >= 0 and var address)
        {
            return $"the first row holds an address (column {address + 1})";
        }

        if (Known(candidate) > 0)
        {
            return null;
        }

        var (numbers, names) = (0, 0);
        for (var column = 0; column < candidate.Cells.Length; column++)
        {
            var below = records.Skip(first + 1).Where(r => column < r.Cells.Length && !string.IsNullOrWhiteSpace(r.Cells[column])).Select(r => r.Cells[column]).ToList();
            if (below.Count < 2 || !below.TrueForAll(IsNumber))
            {
                continue;
            }

            // Years name columns too.
            _ = IsNumber(candidate.Cells[column]) && !(IsYear(candidate.Cells[column]) && !below.TrueForAll(IsYear)) ? numbers++ : names++;
        }

        return numbers > 0 && names == 0 ? "the first row has numbers where all the others have them" : null;
    }

    private static bool IsData(string cell) => IsNumber(cell) || EmailFinder.FindIn(cell) is not null;

    private static bool IsNumber(string cell) =>
        cell.AsSpan().Trim() is { IsEmpty: false } text && text.IndexOfAnyInRange('0', '9') >= 0 && !char.IsAsciiLetter(text[0]) && text.IndexOfAnyExcept(NumberCharacters) < 0;

    private static bool IsYear(string cell) => int.TryParse(cell.AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var year) && year is >= 1900 and <= 2100;
}
