using System.Globalization;
using Edm.Engine.Contacts.Export;

namespace Edm.Engine.Imports;

/// <summary>What the first characters of a CSV file tell about all of it.</summary>
/// <param name="Names">Of the columns, as the file writes them; invented (<c>column 1</c> ...) when it has no header.</param>
internal sealed record CsvLayout(FoundDialect Dialect, FoundHeader Header, IReadOnlyList<string> Names, ImportColumn[] Columns, IReadOnlyList<SampleRecord> Sample)
{
    /// <summary>Exports have up to about 60 columns.</summary>
    public const int MaxColumns = 2000;

    public static bool BeginsRemark(ReadOnlySpan<char> cell) => cell.StartsWith("#") || cell.StartsWith("//");

    /// <summary>Whether lines that begin with <c>#</c> or <c>//</c> and hold nothing else are remarks.</summary>
    public bool HasRemarks => Columns.Length > 1;

    /// <summary>Every sampled row ends in a delimiter behind which nothing stands.</summary>
    public bool HasTrailingDelimiter => Names.Count > 1 && Rows.Any() && string.IsNullOrWhiteSpace(Names[^1]) && Rows.All(r => r.Cells.Length < Names.Count || string.IsNullOrWhiteSpace(r.Cells[Names.Count - 1]));

    private IEnumerable<SampleRecord> Rows => Sample.Skip(Header.First + (Header.IsHeader ? 1 : 0)).Where(r => !r.IsBlank);

    public static CsvLayout Of(ReadOnlySpan<char> start, bool isWhole, ColumnMappingOverride? asked)
    {
        // An export of our own needs no guess, and what its values look like must not lead to a wrong one.
        var isExport = start.StartsWith(ExportNames.CsvStart, StringComparison.Ordinal);
        var dialect = isExport
            ? new FoundDialect(CsvDialect.Rfc4180 with { LineEnd = LineEnd.CrLf }, Told: false, "the file is an export of EDM")
            : DialectDetector.Detect(start, isWhole);
        var sample = CsvSample.Read(start, isWhole, dialect.Dialect);
        var header = isExport && sample.Count > 0
            ? new FoundHeader(0, IsHeader: true, sample[0].Cells.Length, "the file is an export of EDM")
            : HeaderFinder.Find(sample, dialect.Told ? 1 : 0);
        string[] names = header.First == sample.Count ? []
            : header.IsHeader ? sample[header.First].Cells
            : [.. Enumerable.Range(1, header.Width).Select(i => string.Create(CultureInfo.InvariantCulture, $"column {i}"))];
        var rows = sample.Skip(header.First + (header.IsHeader ? 1 : 0)).Where(r => !r.IsBlank && !(r.IsRemark && names.Length > 1)).ToList();
        var columns = names.Length > MaxColumns ? [] : ColumnMapping.Of(names, asked, i => Values(rows, i));
        return new CsvLayout(dialect, header, names, columns, sample);
    }

    private static List<string> Values(List<SampleRecord> rows, int column) =>
        [.. rows.Where(r => column < r.Cells.Length && !string.IsNullOrWhiteSpace(r.Cells[column])).Select(r => r.Cells[column].Trim())];
}
