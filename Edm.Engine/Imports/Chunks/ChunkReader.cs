namespace Edm.Engine.Imports.Chunks;

/// <summary>Cuts a file into chunks of mapped rows. Where they are cut depends on the rows alone.</summary>
/// <param name="keepsOriginals">Whether any good row may still be refused, and asked for then.</param>
/// <param name="tags">How many tags the user has: near the bound a row that names some may still be refused too.</param>
/// <param name="keptErrors">How many refused rows may still be kept; the others are only counted.</param>
internal sealed class ChunkReader(IRowReader reader, ImportSource source, int chunkRows, bool keepsOriginals, long tags, long keptErrors)
{
    /// <summary>Two chunks are in memory at once.</summary>
    private const int MaxChars = 6 * 1024 * 1024;

    private readonly RowMapper _mapper = new();
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

    /// <returns>Null at the end.</returns>
    public async Task<ImportChunk?> NextAsync(CancellationToken cancellation)
    {
        var rows = new Dictionary<string, RowsOfAddress>(chunkRows, StringComparer.Ordinal);
        var refused = new List<RefusedRow>();
        var (count, chars) = (0, 0);
        while (count < chunkRows && chars < MaxChars && await reader.ReadAsync(cancellation))
        {
            count++;
            _nr++;
            var (contact, problem) = reader.Problem is { } unreadable ? (null, unreadable) : _mapper.Map(_nr, reader.Line, reader.Cells);
            if (contact is not null)
            {
                var original = keepsOriginals || (contact.Tags.Count > 0 && tags + _mapper.NamedTags >= TagRoom.Watched) ? reader.Original() : null;
                ImportChunk.Add(rows, new ChunkRow(contact, reader.Line, original));
                chars += contact.Size + (original?.Length ?? 0);
            }
            else
            {
                var kept = _keptErrors-- > 0 ? reader.Original() : null;
                refused.Add(new RefusedRow(_nr, problem!, kept));
                chars += 200 + problem!.Value.Length + (kept?.Length ?? 0);
            }
        }

        return count == 0 ? null : new ImportChunk(rows, refused, _nr, source.BytesRead);
    }
}
