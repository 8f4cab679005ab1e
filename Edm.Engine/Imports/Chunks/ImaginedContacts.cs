namespace Edm.Engine.Imports.Chunks;

/// <summary>
/// The contacts that a dry run would have created. Nobody holds an ordinal for them, and a file may have millions: their hashes lie in a temporary table of the session,
/// so that memory does not grow with the file. Two addresses of one hash, of which there is one chance in a million in a file of six million, would be counted as one.
/// </summary>
internal sealed class ImaginedContacts(IImportSession session)
{
    /// <summary>Hashes that are asked for at once: an array of them is no large object.</summary>
    private const int Piece = 8_192;

    // Used again for chunk after chunk.
    private readonly HashSet<long> _asked = [];
    private readonly HashSet<long> _fresh = [];

    /// <summary>Remembers addresses that are not stored. Inside of the session's transaction.</summary>
    /// <returns>Whether one of them came for the first time; until the next call.</returns>
    public async Task<Func<string, bool>> AddAsync(IEnumerable<string> keys, CancellationToken cancellation)
    {
        _asked.Clear();
        _fresh.Clear();
        _asked.UnionWith(keys.Select(HashOf));
        foreach (var some in _asked.Chunk(Piece))
        {
            Array.Sort(some);
            await session.ImagineAsync(some, _fresh, cancellation);
        }

        return key => _fresh.Contains(HashOf(key));
    }

    internal static long HashOf(string key)
    {
        // FNV-1a over UTF-16, finished by a mixer.
        var hash = 14695981039346656037UL;
        foreach (var character in key)
        {
            hash = (hash ^ character) * 1099511628211UL;
        }

        hash ^= hash >> 33;
        hash *= 0xff51afd7ed558ccdUL;
        return unchecked((long)(hash ^ (hash >> 33)));
    }
}
