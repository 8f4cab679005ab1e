using System.Buffers;
using System.Text;

namespace Edm.Engine.Imports;

/// <param name="Rows">Written, the header included.</param>
/// <param name="Columns">Of every row.</param>
/// <param name="Problem">What was wrong with the file, of which everything up to there was written; null when nothing was.</param>
public sealed record WrittenTable(long Rows, int Columns, ImportFormatException? Problem);

/// <summary>
/// Writes a CSV file of any kind as one clean table of RFC 4180: UTF-8, commas, CR LF, quotes only where they are needed, and as many cells in every row as the widest has.
/// What stands before the header, empty lines and remarks are left out; nothing else is.
/// </summary>
public static class CsvTable
{
    private const int FlushChars = 64 * 1024;

    private static readonly SearchValues<char> NeedsQuotes = SearchValues.Create(",\"\r\n");

    /// <param name="open">Called twice, since the widest row decides the columns of the first.</param>
    /// <exception cref="ImportFormatException">It can't be read at all.</exception>
    public static async Task<WrittenTable> WriteAsync(Func<Stream> open, string fileName, Stream to, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(open);
        ArgumentNullException.ThrowIfNull(to);
        var widest = await ReadAsync(open, fileName, _ => ValueTask.CompletedTask, cancellation);
        var text = new StringBuilder();
        var written = await ReadAsync(
            open,
            fileName,
            async records =>
            {
                Append(text, records, widest.Columns);
                if (text.Length >= FlushChars)
                {
                    await FlushAsync();
                }
            },
            cancellation);
        await FlushAsync();
        return written;

        async Task FlushAsync()
        {
            await to.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), cancellation);
            text.Clear();
        }
    }

    private static async Task<WrittenTable> ReadAsync(Func<Stream> open, string fileName, Func<CsvRecords, ValueTask> row, CancellationToken cancellation)
    {
        await using var file = open();
        await using var source = await ImportSource.OpenAsync(file, fileName, new ImportOptions(ImportFormat.Csv), cancellation);
        CsvLayout? layout = null;
        var records = await CsvRecords.OpenAsync(
            source.Content,
            (start, isWhole) =>
            {
                layout = CsvLayout.Of(start, isWhole, asked: null);
                return layout.Dialect.Dialect;
            },
            cancellation);
        var (rows, columns, place) = (0L, 0, -1);
        ImportFormatException? problem = null;
        try
        {
            while (await records.ReadAsync(cancellation))
            {
                if (++place < layout!.Header.First || records.IsBlank || (records.FieldCount == 1 && layout.HasRemarks && CsvLayout.BeginsRemark(records.Field(0))))
                {
                    continue;
                }

                problem ??= records.Fault == QuoteFault.Unclosed
                    ? new ImportFormatException("A quote is opened in this row and not closed until the end of the file.", records.Line, offset: records.Offset)
                    : null;
                rows++;
                columns = Math.Max(columns, records.FieldCount);
                await row(records);
            }
        }
        catch (ImportFormatException exception)
        {
            problem = exception;
        }

        return new WrittenTable(rows, columns, problem);
    }

    private static void Append(StringBuilder text, CsvRecords records, int columns)
    {
        for (var i = 0; i < columns; i++)
        {
            if (i > 0)
            {
                text.Append(',');
            }

            if (i >= records.FieldCount)
            {
                continue;
            }

            var cell = records.Field(i);
            // An empty line would be no row.
            if (cell.ContainsAny(NeedsQuotes) || (columns == 1 && cell.IsEmpty))
            {
                text.Append('"').Append(cell.ToString().Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
            }
            else
            {
                text.Append(cell);
            }
        }

        text.Append("\r\n");
    }
}
