using Edm.Contracts;
using Edm.Engine.Storage;

namespace Edm.Engine.Imports.Chunks;

/// <param name="Changes">See <see cref="ContactHistory"/>.</param>
internal sealed record HistoryLine(ContactId Contact, string Changes);

/// <summary>
/// What one import holds while somebody is at it: the claim that tells others so, which goes with the process however it ends, and a connection. Also the
/// statements that each database has its own quick way for. One call at a time.
/// </summary>
internal interface IImportSession : IAsyncDisposable
{
    ImportId Import { get; }

    /// <summary>Rows of a chunk: what is held in memory twice, and what others of the user wait for.</summary>
    int ChunkRows { get; }

    /// <summary>Runs <paramref name="work"/> in one transaction of the session's connection. The calls below are made inside of it.</summary>
    Task<T> WriteAsync<T>(Func<EdmConnection, Task<T>> work, CancellationToken cancellation);

    /// <param name="keys">Of the addresses.</param>
    /// <param name="found">Gets those that are stored.</param>
    Task FindAsync(UserId user, IEnumerable<string> keys, StoredRows found, CancellationToken cancellation);

    /// <summary>Remembers numbers for as long as the session lasts, on disk, and not in memory.</summary>
    /// <param name="hashes">Each once.</param>
    /// <param name="fresh">Gets those that were not there yet.</param>
    Task ImagineAsync(long[] hashes, HashSet<long> fresh, CancellationToken cancellation);

    /// <param name="which">Of the rows.</param>
    /// <param name="firstOrdinal">Of the first one; the others follow.</param>
    Task InsertAsync(UserId user, StagedRows rows, IReadOnlyList<int> which, int firstOrdinal, long now, CancellationToken cancellation);

    Task UpdateAsync(IReadOnlyList<ContactUpdate> updates, long now, CancellationToken cancellation);

    Task AddHistoryAsync(UserId user, IReadOnlyList<HistoryLine> lines, long now, CancellationToken cancellation);

    /// <param name="first">The number of the first of them within its import.</param>
    Task AddErrorsAsync(IReadOnlyList<RefusedRow> rows, long first, CancellationToken cancellation);
}
