using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB.Data;

namespace Edm.Engine.Imports.Chunks;

/// <summary>
/// Which addresses can be stored at all: of a user who has few contacts beside those of the import, most rows need no look at the database. Hashes of the
/// addresses are held, and hold as long as nobody else writes contacts of the user, which the versions of the user's chunks tell; after that everything is looked up.
/// </summary>
internal sealed class KnownAddresses
{
    /// <summary>Read at the start.</summary>
    private const int MostAtStart = 100_000;

    /// <summary>8 to 16 bytes each.</summary>
    private const int Most = 2_000_000;

    private const string VersionSql = "SELECT cast(coalesce(sum(version), 0) AS bigint) FROM contact_chunks WHERE user_id = @user";

    // Open addressing; 0 is a free place.
    private int[]? _hashes;
    private int _count;
    private bool _isLoaded;
    private long _version;

    public static int HashOf(string key) => key.GetHashCode(StringComparison.Ordinal) is var hash and not 0 ? hash : 1;

    /// <summary>Under the lock of the user's contacts: those of the addresses that may be stored.</summary>
    public async Task<IReadOnlyList<string>> PossibleAsync(EdmConnection connection, UserId user, Dictionary<string, RowsOfAddress> rows, CancellationToken cancellation)
    {
        if (!_isLoaded)
        {
            _isLoaded = true;
            await LoadAsync(connection, user, cancellation);
        }
        else if (_hashes is not null && await VersionAsync(connection, user, cancellation) != _version)
        {
            _hashes = null;
        }

        if (_hashes is null)
        {
            return [.. rows.Keys];
        }

        var possible = new List<string>();
        foreach (var (address, some) in rows)
        {
            if (Contains(_hashes, some.Hash))
            {
                possible.Add(address);
            }
        }

        return possible;
    }

    /// <summary>All of a chunk. After the book was closed, and in its transaction.</summary>
    public async Task AddAsync(EdmConnection connection, UserId user, Dictionary<string, RowsOfAddress> rows, CancellationToken cancellation)
    {
        if (_hashes is not null)
        {
            foreach (var some in rows.Values)
            {
                Add(some.Hash);
            }

            _version = await VersionAsync(connection, user, cancellation);
        }
    }

    private async Task LoadAsync(EdmConnection connection, UserId user, CancellationToken cancellation)
    {
        var parameter = new DataParameter("user", user.Value);
        if (await connection.ExecuteAsync<long>("SELECT contacts FROM contact_books WHERE user_id = @user", cancellation, parameter) > MostAtStart)
        {
            return;
        }

        _hashes = new int[64 * 1024];
        foreach (var address in await connection.QueryToListAsync<string>("SELECT email_key FROM contacts WHERE user_id = @user", cancellation, parameter))
        {
            Add(HashOf(address));
        }
    }

    private void Add(int hash)
    {
        if (_hashes is null || !Put(_hashes, hash))
        {
            return;
        }

        if (++_count > Most)
        {
            _hashes = null;
        }
        else if (_count > _hashes.Length / 2)
        {
            var larger = new int[_hashes.Length * 2];
            foreach (var kept in _hashes)
            {
                _ = kept != 0 && Put(larger, kept);
            }

            _hashes = larger;
        }
    }

    /// <returns>False when it was there.</returns>
    private static bool Put(int[] hashes, int hash)
    {
        ref var place = ref Find(hashes, hash);
        var isNew = place == 0;
        place = hash;
        return isNew;
    }

    private static bool Contains(int[] hashes, int hash) => Find(hashes, hash) != 0;

    private static ref int Find(int[] hashes, int hash)
    {
        // Its length is a power of two.
        for (var at = hash & (hashes.Length - 1); ; at = (at + 1) & (hashes.Length - 1))
        {
            if (hashes[at] == hash || hashes[at] == 0)
            {
                return ref hashes[at];
            }
        }
    }

    private static Task<long> VersionAsync(EdmConnection connection, UserId user, CancellationToken cancellation) =>
        connection.ExecuteAsync<long>(VersionSql, cancellation, new DataParameter("user", user.Value));
}
