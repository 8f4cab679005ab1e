using Sylvan.Data.Csv;

namespace Edm.Engine.Imports;

/// <summary>CSV with a header line.</summary>
internal sealed class CsvRowReader : IRowReader
{
    /// <summary>Exports have up to about 60 columns.</summary>
    private const int MaxColumns = 2000;

    private readonly CsvDataReader _csv;
    private readonly List<ImportCell> _cells = [];
    private ImportColumn[] _columns = [];
    private long _nextLine = 1;

    private CsvRowReader(CsvDataReader csv) => _csv = csv;

    public long Line { get; private set; }

    public IReadOnlyList<ImportCell> Cells => _cells;

    public IReadOnlyList<string>? Header { get; private set; }

    public RowProblem? Problem { get; private set; }

    /// <exception cref="ImportFormatException">The header is not one, or has no column for addresses.</exception>
    public static async Task<CsvRowReader> OpenAsync(Stream content, CancellationToken cancellation)
    {
        var text = new Utf8Text(content);
        var start = await text.PeekAsync(cancellation);
        var told = ToldDelimiter(start.Span);
        var options = new CsvDataReaderOptions
        {
            HasHeaders = false,
            Delimiter = told ?? DelimiterSniffer.Sniff(start.Span),
            // Its default is '#', which is how a header can begin (#, NAME, FOLLOWERS) and a name.
            Comment = '\0',
            BufferSize = 64 * 1024,
            MaxBufferSize = ImportOptions.MaxRowBytes,
            OwnsReader = true,
        };
        CsvRowReader reader;
        try
        {
            reader = new CsvRowReader(await CsvDataReader.CreateAsync(text, options, cancellation));
        }
        catch (FormatException exception)
        {
            throw Broken(exception, 1);
        }

        try
        {
            await reader.ReadHeaderAsync(skip: told is not null, cancellation);
            return reader;
        }
        catch
        {
            await reader.DisposeAsync();
            throw;
        }
    }

    public async ValueTask<bool> ReadAsync(CancellationToken cancellation)
    {
        while (await NextAsync(cancellation))
        {
            Problem = null;
            _cells.Clear();
            var fields = _csv.RowFieldCount;
            for (var i = 0; i < fields; i++)
            {
                if (_csv.GetFieldSpan(i).Trim().IsEmpty)
                {
                    continue;
                }

                if (i >= _columns.Length)
                {
                    Problem ??= RowProblem.Of(Line, $"column {i + 1}", _csv.GetString(i), $"the header has only {_columns.Length} columns");
                    continue;
                }

                _cells.Add(new ImportCell(_columns[i], _csv.GetString(i)));
            }

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
        while (await NextAsync(cancellation))
        {
            var fields = _csv.RowFieldCount;
            for (var i = 0; i < fields; i++)
            {
                if (!_csv.GetFieldSpan(i).Trim().IsEmpty)
                {
                    return true;
                }
            }
        }

        return false;
    }

    public string Original() => OriginalRow.OfFields(_csv.RowFieldCount, _csv.GetString);

    // The header was checked before the first row.
    public void EnsureAddressable()
    {
    }

    public ValueTask DisposeAsync() => _csv.DisposeAsync();

    private async ValueTask<bool> NextAsync(CancellationToken cancellation)
    {
        Line = _nextLine;
        try
        {
            if (!await _csv.ReadAsync(cancellation))
            {
                return false;
            }
        }
        catch (FormatException exception)
        {
            throw Broken(exception, Line);
        }

        _nextLine += LineBreaks(_csv.GetRawRecordSpan());
        return true;
    }

    private async Task ReadHeaderAsync(bool skip, CancellationToken cancellation)
    {
        while (await NextAsync(cancellation))
        {
            if (skip)
            {
                skip = false;
                continue;
            }

            if (_csv.RowFieldCount > MaxColumns)
            {
                throw new ImportFormatException($"The header has more than {MaxColumns} columns.", Line);
            }

            string[] headers = [.. Enumerable.Range(0, _csv.RowFieldCount).Select(i => _csv.GetString(i))];
            if (headers.Any(h => !string.IsNullOrWhiteSpace(h)))
            {
                _columns = ColumnMapping.Of(headers);
                Header = headers;
                RefuseUnfitHeader(headers);
                return;
            }
        }

        throw new ImportFormatException("The file is empty.");
    }

    private void RefuseUnfitHeader(string[] headers)
    {
        if (Array.FindIndex(headers, h => EmailFinder.FindIn(h) is not null) is >= 0 and var data)
        {
            throw new ImportFormatException("The first line is not a header, since it holds an address. Put a line with the names of the columns before it.", Line, $"column {data + 1}");
        }

        if (_columns.Any(c => c.Field is ContactField.Email or ContactField.Bio))
        {
            return;
        }

        var seen = string.Join(", ", headers.Select(h => h.Trim()).Where(h => h.Length > 0));
        seen = seen.Length > 300 ? seen[..300] + "…" : seen;
        throw new ImportFormatException(
            _columns.Any(c => c.Field != ContactField.Attribute)
                ? $"There is no column for e-mail addresses (email, bio_email, work_email ...) and none for a bio that could hold them. The columns are: {seen}."
                : $"No column is recognised. Expected a header with at least an e-mail column, such as email, handle, nickname, followers, country. The columns are: {seen}.",
            Line);
    }

    /// <summary>Excel's own way to name the delimiter: a first line <c>sep=;</c>.</summary>
    private static char? ToldDelimiter(ReadOnlySpan<char> start) =>
        start.Length > 5 && start.StartsWith("sep=", StringComparison.OrdinalIgnoreCase) && start[5] is '\r' or '\n' ? start[4] : null;

    private static int LineBreaks(ReadOnlySpan<char> record)
    {
        var breaks = record.Count('\n');
        // Old Macintosh files have CR alone.
        return breaks > 0 ? breaks : record.Count('\r');
    }

    private static ImportFormatException Broken(Exception exception, long line) => exception switch
    {
        CsvRecordTooLargeException => new ImportFormatException(
            $"A row is larger than {ImportOptions.MaxRowBytes / 1024} KiB. Perhaps a quote is opened in it and never closed, or the file is no CSV.", line, inner: exception),
        CsvInvalidCharacterException wrong when wrong.Message.Contains("end of the input", StringComparison.Ordinal) => new ImportFormatException(
            "A quote is opened in this row and not closed until the end of the file.", line, inner: exception),
        CsvInvalidCharacterException => new ImportFormatException(
            "In this row something follows a closing quote that is no delimiter. A quote inside of a quoted value must be doubled (\"\").", line, inner: exception),
        _ => new ImportFormatException($"This row is not CSV: {exception.Message}", line, inner: exception),
    };
}
