using Edm.Engine.Imports.Chunks;

namespace Edm.Engine.Imports;

/// <summary>What is known of a file that has been read to its end once.</summary>
/// <param name="Header">The names of its columns; null where each row names its own.</param>
/// <param name="Hash">SHA-256 of the file as it came.</param>
internal sealed record FileFacts(ImportFormat Format, long Rows, long Bytes, IReadOnlyList<string>? Header, byte[] Hash);

/// <summary>More refused rows than the import was told to bear.</summary>
public sealed class TooManyErrorsException(long limit, long stored) : Exception(
    stored == 0
        ? $"More than {limit} rows can't be used, so nothing was stored. See the refused rows, mend them, and send the file again."
        : $"More than {limit} rows were refused. The {stored} rows before are stored, the others are not. Sending the mended file again changes nothing of what is stored.");

/// <summary>The first time through a file: whatever is wrong with it as a whole is found before a single contact is touched.</summary>
internal sealed class FileCheck(ImportOptions options, Func<ImportFormat, ImportProgressNumbers, Task> progress)
{
    /// <summary>Of a file with too many refused rows so many are kept, to be looked at.</summary>
    private const int KeptErrors = 1000;

    private const int ReportRows = 2000;

    /// <summary>Why the import was refused for too many errors; empty otherwise.</summary>
    public List<RefusedRow> Refused { get; } = [];

    /// <exception cref="ImportFormatException">The file can't be read.</exception>
    /// <exception cref="TooManyErrorsException">And <see cref="Refused"/> has the first of them.</exception>
    public async Task<FileFacts> RunAsync(IncomingFile file, string fileName, CancellationToken cancellation)
    {
        await using var source = await ImportSource.OpenAsync(file, fileName, options, cancellation);
        await progress(source.Format, default);
        await using var reader = await RowReaders.OpenAsync(source, options.Mapping, cancellation);
        var mapper = options.MaxErrors is null ? null : new RowMapper();
        long rows = 0, rejected = 0;
        while (mapper is null ? await reader.SkipAsync(cancellation) : await reader.ReadAsync(cancellation))
        {
            if (++rows > options.MaxRows)
            {
                throw new ImportFormatException($"The file has more than {options.MaxRows} rows. Split it, and import the parts one after the other.", reader.Line);
            }

            if (mapper is not null && (reader.Problem ?? mapper.Check(rows, reader.Line, reader.Cells)) is { } problem)
            {
                rejected++;
                if (Refused.Count < KeptErrors)
                {
                    Refused.Add(new RefusedRow(rows, problem, reader.Original()));
                }

                if (rejected > options.MaxErrors)
                {
                    await progress(source.Format, new ImportProgressNumbers(file.BytesRead, rows, rejected));
                    throw new TooManyErrorsException(options.MaxErrors.Value, stored: 0);
                }
            }

            if (rows % ReportRows == 0)
            {
                await progress(source.Format, new ImportProgressNumbers(file.BytesRead, rows, rejected));
            }
        }

        reader.EnsureAddressable();
        Refused.Clear();
        var hash = await file.CompleteAsync(cancellation);
        return new FileFacts(source.Format, rows, file.BytesRead, reader.Header, hash);
    }
}

internal readonly record struct ImportProgressNumbers(long Bytes, long Rows, long Rejected);

internal static class RowReaders
{
    public static async Task<IRowReader> OpenAsync(ImportSource source, ColumnMappingOverride? mapping, CancellationToken cancellation) => source.Format == ImportFormat.Csv
        ? await CsvRowReader.OpenAsync(source.Content, mapping, cancellation)
        : new JsonRowReader(source.Content, source.Format == ImportFormat.Json, mapping);
}
