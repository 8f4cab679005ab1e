namespace Edm.Engine.Imports;

/// <summary>CSV, in whatever dialect and encoding it is written.</summary>
internal sealed class CsvRowReader : IRowReader
{
    private readonly CsvRecords _records;
    private readonly List<ImportCell> _cells = [];

    private CsvRowReader(CsvRecords records, CsvLayout layout) => (_records, Layout) = (records, layout);

    public CsvLayout Layout { get; }

    public TextEncoding Encoding => _records.Encoding;

    public long Line => _records.Line;

    public List<ImportCell> Cells => _cells;

    public IReadOnlyList<string>? Header => Layout.Names;

    public RowProblem? Problem { get; private set; }

    /// <exception cref="ImportFormatException">It is no text, the header is not one, or there is no column for addresses.</exception>
    public static Task<CsvRowReader> OpenAsync(Stream content, CancellationToken cancellation) => OpenAsync(content, asked: null, cancellation);

    /// <param name="asked">What the user wants of the columns; null when they are to be recognised.</param>
    /// <exception cref="ImportFormatException">It is no text, the header is not one, or there is no column for addresses.</exception>
    public static async Task<CsvRowReader> OpenAsync(Stream content, ColumnMappingOverride? asked, CancellationToken cancellation)
    {
        var reader = await OpenAnyAsync(content, asked, cancellation);
        return reader.Unfit(asked) is { } unfit ? throw unfit : reader;
    }

    /// <summary>Also without a place for addresses, to be looked at.</summary>
    /// <exception cref="ImportFormatException">It is no text, or empty.</exception>
    public static async Task<CsvRowReader> OpenAnyAsync(Stream content, ColumnMappingOverride? asked, CancellationToken cancellation)
    {
        CsvLayout? layout = null;
        var records = await CsvRecords.OpenAsync(
            content,
            (start, isWhole) =>
            {
                layout = CsvLayout.Of(start, isWhole, asked);
                return layout.Dialect.Dialect;
            },
            cancellation);
        var reader = new CsvRowReader(records, layout!);
        await reader.SkipToRowsAsync(cancellation);
        return reader;
    }

    public async ValueTask<bool> ReadAsync(CancellationToken cancellation)
    {
        while (await _records.ReadAsync(cancellation))
        {
            if (IsNoRow())
            {
                continue;
            }

            Problem = null;
            _cells.Clear();
            TakeCells();
            // A row of nothing but delimiters is what spreadsheets leave at the end.
            if (_cells.Count > 0 || Problem is not null)
            {
                return true;
            }
        }

        return false;
    }

    public async ValueTask<bool> SkipAsync(CancellationToken cancellation)
    {
        while (await _records.ReadAsync(cancellation))
        {
            if (IsNoRow())
            {
                continue;
            }

            for (var i = 0; i < _records.FieldCount; i++)
            {
                if (!_records.Field(i).IsWhiteSpace() && (i >= Layout.Columns.Length || Layout.Columns[i].Field != ContactField.Ignored))
                {
                    return true;
                }
            }
        }

        return false;
    }

    public string Original() => OriginalRow.OfFields(_records.FieldCount, i => _records.Field(i).ToString());

    /// <summary>The cells of the current row as they stand in the file, each cut to a length.</summary>
    internal string[] RawCells(int length)
    {
        var cells = new string[_records.FieldCount];
        for (var i = 0; i < cells.Length; i++)
        {
            var cell = _records.Field(i);
            cells[i] = cell.Length > length ? string.Concat(cell[..length], "…") : cell.ToString();
        }

        return cells;
    }

    // The header was checked before the first row.
    public void EnsureAddressable()
    {
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private bool IsNoRow()
    {
        if (_records.Fault == QuoteFault.Unclosed)
        {
            throw new ImportFormatException(
                "A quote is opened in this row and not closed until the end of the file. Close it, or double it (\"\") where it is part of the value.",
                Line, Name(_records.FaultField), offset: _records.Offset);
        }

        return _records.FieldCount == 1 && Layout.HasRemarks && CsvLayout.BeginsRemark(_records.Field(0));
    }

    private void TakeCells()
    {
        var columns = Layout.Columns;
        for (var i = 0; i < _records.FieldCount; i++)
        {
            var value = _records.FieldText(i).Trim();
            if (value.IsEmpty)
            {
                continue;
            }

            if (i >= columns.Length)
            {
                Problem ??= RowProblem.Of(Line, Name(i), value.ToString(), $"the header has only {columns.Length} columns");
            }
            else if (columns[i].Field != ContactField.Ignored)
            {
                _cells.Add(new ImportCell(columns[i], value));
            }
        }

        if (_records.Fault == QuoteFault.Misplaced)
        {
            var at = _records.FaultField;
            Problem = RowProblem.Of(Line, Name(at), _records.Field(at).ToString(), "something follows the closing quote; a quote inside of a quoted value must be doubled (\"\")");
        }
    }

    private string Name(int column) => column < Layout.Names.Count && !string.IsNullOrWhiteSpace(Layout.Names[column]) ? Layout.Names[column] : $"column {column + 1}";

    private async Task SkipToRowsAsync(CancellationToken cancellation)
    {
        var skipped = Layout.Header.First + (Layout.Header.IsHeader ? 1 : 0);
        for (var i = 0; i < skipped && await _records.ReadAsync(cancellation); i++)
        {
        }

        if (Layout.Names.Count > CsvLayout.MaxColumns)
        {
            throw new ImportFormatException($"The header has more than {CsvLayout.MaxColumns} columns.", Line, offset: _records.Offset);
        }

        if (Layout.Names.Count == 0)
        {
            // Also where the first record is larger than the sample: then it is read until it is too large, or ends.
            if (await _records.ReadAsync(cancellation))
            {
                _ = IsNoRow();
                throw new ImportFormatException("The first row is too long to be a header. Put a line with the names of the columns before it.", Line, offset: _records.Offset);
            }

            throw new ImportFormatException(Layout.Sample.Count == 0 ? "The file is empty." : "The file has no rows, only empty lines and remarks.");
        }

        if (_records.Fault == QuoteFault.Unclosed)
        {
            _ = IsNoRow();
        }
    }

    /// <summary>Why the file can't be imported as it is; null when it can.</summary>
    internal ImportFormatException? Unfit(ColumnMappingOverride? asked)
    {
        var line = Math.Max(Line, 1);
        if (!Layout.Header.IsHeader && asked?.NamesByNumber != true)
        {
            return new ImportFormatException(
                $"The file has no header: {Layout.Header.Reason}. Put a line with the names of the columns before it, or use a mapping that names them column 1, column 2 ...",
                line, offset: _records.Offset);
        }

        if (Layout.Columns.Any(c => c.Field is ContactField.Email or ContactField.Bio))
        {
            return null;
        }

        var seen = string.Join(", ", Layout.Names.Select(h => h.Trim()).Where(h => h.Length > 0));
        seen = seen.Length > 300 ? seen[..300] + "…" : seen;
        return new ImportFormatException(
            Layout.Columns.Any(c => c.Field != ContactField.Attribute)
                ? $"There is no column for e-mail addresses (email, bio_email, work_email ...) and none for a bio that could hold them. The columns are: {seen}."
                : $"No column is recognised. Expected a header with at least an e-mail column, such as email, handle, nickname, followers, country. The columns are: {seen}.",
            line, offset: _records.Offset);
    }
}
