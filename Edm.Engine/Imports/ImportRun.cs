using Edm.Contracts;

namespace Edm.Engine.Imports;

/// <summary>One import from the first byte to the summary.</summary>
internal sealed class ImportRun(IStagingStore staging, ImportStore store, TimeProvider time, ImportOptions options, IProgress<ImportProgress>? progress)
{
    /// <summary>A batch is parsed while the one before is written, so two of them are in memory: a few megabytes.</summary>
    private const int BatchRows = 2000;

    private const int BatchChars = 1024 * 1024;

    /// <summary>How often the imports row and the caller learn how far it is.</summary>
    private static readonly TimeSpan ReportEvery = TimeSpan.FromMilliseconds(500);

    private List<StagedContact> _rows = new(BatchRows);
    private List<RowProblem> _problems = [];
    private List<StagedContact> _writtenRows = new(BatchRows);
    private List<RowProblem> _writtenProblems = [];
    private Task _writing = Task.CompletedTask;
    private int _batchChars;
    private long _keptProblems;
    private long _rejected;
    private long _read;
    private long _lastReport;

    public async Task<ImportSummary> RunAsync(UserId user, Stream file, string fileName, CancellationToken cancellation)
    {
        _lastReport = time.GetTimestamp();
        await using var source = await ImportSource.OpenAsync(file, fileName, options, cancellation);
        await store.ReadingAsync(staging.Import, source.Format, 0, 0, cancellation);
        try
        {
            await ReadAsync(source, cancellation);
        }
        finally
        {
            // Whatever ended the reading: the staging place may not be left while a batch is on its way into it. Its own failure comes second then.
            await _writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _writing;
        await store.ReadingAsync(staging.Import, source.Format, _read, _rejected, cancellation);
        await store.MergingAsync(staging.Import, default, cancellation);
        var counts = await staging.MergeAsync(user, merged => MergedAsync(source, merged, cancellation), cancellation);
        var summary = new ImportSummary(staging.Import, source.Format, _read, counts.Created, counts.Updated, counts.Unchanged, _rejected);
        await store.FinishAsync(summary, cancellation);
        Report(source, ImportState.Finished, counts.Rows);
        return summary;
    }

    private async Task ReadAsync(ImportSource source, CancellationToken cancellation)
    {
        await using var reader = source.Format == ImportFormat.Csv
            ? (IRowReader)await CsvRowReader.OpenAsync(source.Content, cancellation)
            : new JsonRowReader(source.Content, source.Format == ImportFormat.Json);
        var mapper = new RowMapper();
        while (await reader.ReadAsync(cancellation))
        {
            if (++_read > options.MaxRows)
            {
                throw new ImportFormatException($"The file has more than {options.MaxRows} rows. Split it, and import the parts one after the other.", reader.Line);
            }

            var (contact, problem) = reader.Problem is { } unreadable ? (null, unreadable) : mapper.Map(_read, reader.Line, reader.Cells);
            Add(contact, problem);
            if (_rows.Count + _problems.Count >= BatchRows || _batchChars >= BatchChars)
            {
                await FlushAsync(cancellation);
            }

            if (_read % BatchRows == 0)
            {
                await ReportReadingAsync(source, cancellation);
            }
        }

        reader.EnsureAddressable();
        await FlushAsync(cancellation);
    }

    private void Add(StagedContact? contact, RowProblem? problem)
    {
        if (contact is not null)
        {
            _rows.Add(contact);
            _batchChars += contact.Size;
        }
        else
        {
            _rejected++;
            if (_keptProblems + _problems.Count < ImportStore.MaxErrors)
            {
                _problems.Add(problem!);
            }
        }
    }

    /// <summary>Hands the batch over and goes on; waits for the batch before, which is the back-pressure.</summary>
    private async Task FlushAsync(CancellationToken cancellation)
    {
        await _writing;
        (_rows, _writtenRows) = (_writtenRows, _rows);
        (_problems, _writtenProblems) = (_writtenProblems, _problems);
        _rows.Clear();
        _problems.Clear();
        _batchChars = 0;
        _writing = staging.WriteAsync(_writtenRows, _writtenProblems, _keptProblems + 1, cancellation);
        _keptProblems += _writtenProblems.Count;
    }

    private async Task ReportReadingAsync(ImportSource source, CancellationToken cancellation)
    {
        if (IsTimeToReport())
        {
            await store.ReadingAsync(staging.Import, source.Format, _read, _rejected, cancellation);
            Report(source, ImportState.Reading, 0);
        }
    }

    private async Task MergedAsync(ImportSource source, MergeCounts merged, CancellationToken cancellation)
    {
        if (IsTimeToReport())
        {
            await store.MergingAsync(staging.Import, merged, cancellation);
            Report(source, ImportState.Merging, merged.Rows);
        }
    }

    private bool IsTimeToReport()
    {
        if (time.GetElapsedTime(_lastReport) < ReportEvery)
        {
            return false;
        }

        _lastReport = time.GetTimestamp();
        return true;
    }

    private void Report(ImportSource source, ImportState state, long merged) =>
        progress?.Report(new ImportProgress(staging.Import, state, source.BytesRead, _read, _rejected, merged));
}
