using System.Text.Json;
using Edm.Contracts.Http;

namespace Edm.Engine.Imports;

/// <summary>Looks at the start of a file, and tells what an import would make of it. Stores nothing, and reads no more than it shows.</summary>
public static class FilePreview
{
    public const int MaxRows = 100;
    public const int UsualRows = 10;

    /// <summary>Of a cell so much is shown.</summary>
    private const int MaxCell = 500;

    /// <param name="rows">How many rows to show at most.</param>
    /// <exception cref="ImportFormatException">It can't be read at all.</exception>
    public static async Task<ImportPreview> OfAsync(Stream file, string fileName, ImportOptions options, int rows, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(options);
        await using var source = await ImportSource.OpenAsync(file, fileName, options, cancellation);
        return source.Format == ImportFormat.Csv
            ? await OfCsvAsync(source, fileName, options, rows, cancellation)
            : await OfJsonAsync(source, fileName, options, rows, cancellation);
    }

    private static async Task<ImportPreview> OfCsvAsync(ImportSource source, string fileName, ImportOptions options, int rows, CancellationToken cancellation)
    {
        await using var reader = await CsvRowReader.OpenAnyAsync(source.Content, options.Mapping, cancellation);
        var layout = reader.Layout;
        long? headerLine = layout.Header.IsHeader ? reader.Line : null;
        var problem = reader.Unfit(options.Mapping);
        List<IReadOnlyList<string>> sample = [];
        var (good, bad, broken) = await ReadAsync(reader, rows, stored: problem is null, sample, cancellation);
        problem ??= broken;
        var (dialect, encoding) = (layout.Dialect.Dialect, reader.Encoding);
        var shown = new ImportDialectView(
            encoding.Name,
            encoding.Mark > 0,
            encoding.Reason,
            dialect.Delimiter.ToString(),
            dialect.Quote.ToString(),
            (dialect.Escape ?? dialect.Quote).ToString(),
            dialect.LineEnd switch
            {
                LineEnd.Lf => "LF",
                LineEnd.CrLf => "CRLF",
                LineEnd.Cr => "CR",
                _ => throw new InvalidOperationException($"The line end {dialect.LineEnd} has no name."),
            },
            dialect.SkipsSpace,
            layout.Header.IsHeader,
            headerLine,
            layout.HasTrailingDelimiter,
            layout.Dialect.Reason,
            layout.Header.Reason);
        var columns = layout.Columns.Select((column, index) => View(column, index, layout.Header.IsHeader)).ToList();
        return new ImportPreview(fileName, ImportFormat.Csv.Name(), shown, columns, good, bad, sample, View(problem));
    }

    private static async Task<ImportPreview> OfJsonAsync(ImportSource source, string fileName, ImportOptions options, int rows, CancellationToken cancellation)
    {
        await using var reader = new JsonRowReader(source.Content, source.Format == ImportFormat.Json, options.Mapping);
        var (good, bad, problem) = await ReadAsync(reader, rows, stored: true, sample: null, cancellation);
        try
        {
            reader.EnsureAddressable();
        }
        catch (ImportFormatException exception)
        {
            problem ??= exception;
        }

        return new ImportPreview(fileName, source.Format.Name(), null, [.. reader.Columns.Select((column, index) => View(column, index, hasHeader: true))], good, bad, [], View(problem));
    }

    private static async Task<(List<ImportRowView> Good, List<ImportErrorView> Bad, ImportFormatException? Problem)> ReadAsync(
        IRowReader reader, int rows, bool stored, List<IReadOnlyList<string>>? sample, CancellationToken cancellation)
    {
        List<ImportRowView> good = [];
        List<ImportErrorView> bad = [];
        var mapper = new RowMapper();
        try
        {
            for (var nr = 1; nr <= rows && await reader.ReadAsync(cancellation); nr++)
            {
                if (reader is CsvRowReader csv)
                {
                    sample?.Add(csv.RawCells(MaxCell));
                }

                var (contact, problem) = reader.Problem is { } unreadable ? (null, unreadable)
                    : stored ? mapper.Map(nr, reader.Line, reader.Cells)
                    : (null, null);
                if (problem is not null)
                {
                    bad.Add(new ImportErrorView(problem.Line, problem.Field, problem.Value, problem.Reason));
                }
                else if (contact is not null)
                {
                    good.Add(View(contact, reader.Line));
                }
            }
        }
        catch (ImportFormatException exception)
        {
            return (good, bad, exception);
        }

        return (good, bad, null);
    }

    private static ImportRowView View(StagedContact contact, long line) => new(
        line, contact.Email, contact.Handle, contact.Nickname, contact.Followers, contact.Country, contact.Language, contact.Category, contact.Bio, contact.Tags,
        JsonSerializer.Deserialize<Dictionary<string, string>>(contact.Attributes) ?? []);

    private static ImportColumnView View(ImportColumn column, int index, bool hasHeader)
    {
        var isKept = column.Field is ContactField.Attribute or ContactField.ProfileUrl or ContactField.FirstName or ContactField.LastName;
        return new ImportColumnView(
            index, hasHeader ? column.Name : null, ColumnMappingOverride.NameOf(column.Field), isKept && column.Attribute.Length > 0 ? column.Attribute : null,
            column.Field == ContactField.Followers ? "number" : column.Form.Name, column.Reason);
    }

    private static ImportFileProblem? View(ImportFormatException? problem) => problem is null ? null : new ImportFileProblem(problem.Message, problem.Line, problem.Offset);
}
