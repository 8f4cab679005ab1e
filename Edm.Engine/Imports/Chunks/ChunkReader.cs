namespace Edm.Engine.Imports.Chunks;

/// <summary>Cuts a file into chunks of mapped rows. Where they are cut depends on the rows alone.</summary>
/// <param name="keepsOriginals">Whether any good row may still be refused, and asked for then.</param>
/// <param name="tags">How many tags the user has: near the bound a row that names some may still be refused too.</param>
/// <param name="keptErrors">How many refused rows may still be kept; the others are only counted.</param>
internal sealed class ChunkReader(IRowReader reader, ImportSource source, int chunkRows, bool keepsOriginals, long tags, long keptErrors) : IDisposable
{
    /// <summary>Two chunks are in memory at once.</summary>
    private const int MaxBytes = 8 * 1024 * 1024;

    private readonly RowMapper _mapper = new();
    private StagedRows _rows = StagedRowsPool.Take();
    private StagedRows _before = StagedRowsPool.Take();
    private long _nr;
    private long _keptErrors = keptErrors;

    /// <summary>Goes past what is stored already.</summary>
    public async Task SkipAsync(long rows, CancellationToken cancellation)
    {
        while (_nr < rows && await reader.SkipAsync(cancellation))
        {
            _nr++;
        }
    }

    /// <returns>Null at the end. The rows are used again by the call after the next one.</returns>
    public async Task<ImportChunk?> NextAsync(CancellationToken cancellation)
    {
        (_rows, _before) = (_before, _rows);
        _rows.Clear();
        var refused = new List<RefusedRow>();
        var (count, bytes) = (0, 0);
        while (count < chunkRows && bytes + _rows.Size < MaxBytes && await reader.ReadAsync(cancellation))
        {
            count++;
            _nr++;
            var problem = reader.Problem ?? _mapper.Map(_nr, reader.Line, reader.Cells, _rows);
            if (problem is not null)
            {
                var kept = _keptErrors-- > 0 ? reader.Original() : null;
                refused.Add(new RefusedRow(_nr, problem, kept));
                bytes += 400 + (2 * problem.Value.Length) + (2 * (kept?.Length ?? 0));
            }
            else if (keepsOriginals || (_rows[_rows.Count - 1].Tags > 0 && tags + _mapper.NamedTags >= TagRoom.Watched))
            {
                var original = reader.Original();
                _rows.Keep(original);
                bytes += 2 * original.Length;
            }
        }

        return count == 0 ? null : new ImportChunk(_rows, refused, _nr, source.BytesRead);
    }

    /// <summary>No chunk may be used after it.</summary>
    public void Dispose()
    {
        StagedRowsPool.Return(_rows);
        StagedRowsPool.Return(_before);
    }
}
