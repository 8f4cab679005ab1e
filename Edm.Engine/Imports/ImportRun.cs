using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Imports.Chunks;

namespace Edm.Engine.Imports;

/// <summary>The second time through a file, from the first row that is not stored yet to the last. While a chunk is stored the next one is read.</summary>
/// <param name="tags">How many the user has before it.</param>
internal sealed class ImportRun(IImportSession session, Import import, ImportedContacts imported, long tags, SuppressionStore suppressions, TimeProvider time, IProgress<ImportProgress>? progress)
{
    private readonly ImportOptions _options = import.Options;

    /// <exception cref="TooManyErrorsException">Nothing of the chunk that had one too many was stored.</exception>
    public async Task<ImportCounts> RunAsync(Stream file, CancellationToken cancellation)
    {
        using var writer = new ChunkWriter(session, import, imported, suppressions, time);
        await using var source = await ImportSource.OpenAsync(file, import.FileName, _options, cancellation);
        await using var reader = await RowReaders.OpenAsync(source, _options.Mapping, cancellation);
        using var chunks = new ChunkReader(reader, source, session.ChunkRows, _options.Policy == ConflictPolicy.Reject, tags, ImportStore.MaxErrors - import.Rejected - import.Suppressed);
        await chunks.SkipAsync(import.Rows, cancellation);
        var reading = ReadAsync();
        try
        {
            while (await reading is { } chunk)
            {
                reading = ReadAsync();
                await writer.WriteAsync(chunk, cancellation);
                progress?.Report(new ImportProgress(import.Id, ImportState.Merging, chunk.BytesRead, import.TotalRows ?? chunk.LastNr, writer.Counts.Rejected, chunk.LastNr));
            }
        }
        finally
        {
            // Whatever ended it: the file may not be left while it is read. Its own failure comes second then.
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return writer.Counts;

        Task<ImportChunk?> ReadAsync() => Task.Run(() => chunks.NextAsync(cancellation), cancellation);
    }
}
