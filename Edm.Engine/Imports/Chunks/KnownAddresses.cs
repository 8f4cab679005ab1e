using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB.Data;

namespace Edm.Engine.Imports.Chunks;

/// <summary>
/// Which addresses can be stored at all: of a user who has few contacts beside those of the import, most rows need no look at the database. A Bloom filter of the addresses
/// tells it, and holds as long as nobody else writes contacts of the user, which the versions of the user's chunks tell; after that everything is looked up.
/// </summary>
/// <param name="rows">Of the file: for how many addresses there has to be room.</param>
internal sealed class KnownAddresses(long rows)
{
    /// <summary>Read at the start.</summary>
    private const int MostAtStart = 100_000;

    /// <summary>With these four bits of an address out of 32 one in 5,000 is looked up in vain.</summary>
    private const int BitsOfAddress = 4;

    /// <summary>4 MiB: for a million addresses. Of five million, one in 30 is looked up in vain, and then the filter has done its work.</summary>
    private const long MostBits = 1L << 25;

    private const int Most = 5_000_000;

    private const string VersionSql = "SELECT cast(coalesce(sum(version), 0) AS bigint) FROM contact_chunks WHERE user_id = @user";

    // A power of two of bits.
    private ulong[]? _bits;
    private int _count;
    private bool _isLoaded;
    private long _version;

    /// <summary>Under the lock of the user's contacts.</summary>
    /// <returns>The first rows of the addresses that may be stored, ascending.</returns>
    public async Task<IReadOnlyList<int>> PossibleAsync(EdmConnection connection, UserId user, StagedRows staged, CancellationToken cancellation)
    {
        if (!_isLoaded)
        {
            _isLoaded = true;
            await LoadAsync(connection, user, cancellation);
        }
        else if (_bits is not null && await VersionAsync(connection, user, cancellation) != _version)
        {
            _bits = null;
        }

        var possible = new List<int>();
        for (var row = 0; row < staged.Count; row++)
        {
            if (!staged[row].IsAgain && (_bits is null || MayContain(_bits, staged[row].Hash)))
            {
                possible.Add(row);
            }
        }

        return possible;
    }

    /// <summary>All of a chunk. After the book was closed, and in its transaction.</summary>
    public async Task AddAsync(EdmConnection connection, UserId user, StagedRows staged, CancellationToken cancellation)
    {
        for (var row = 0; row < staged.Count && _bits is not null; row++)
        {
            Add(staged[row].Hash);
        }

        if (_bits is not null)
        {
            _version = await VersionAsync(connection, user, cancellation);
        }
    }

    private async Task LoadAsync(EdmConnection connection, UserId user, CancellationToken cancellation)
    {
        var parameter = new DataParameter("user", user.Value);
        var contacts = await connection.ExecuteAsync<long>("SELECT contacts FROM contact_books WHERE user_id = @user", cancellation, parameter);
        if (contacts > MostAtStart)
        {
            return;
        }

        _bits = new ulong[Math.Min(MostBits, (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)Math.Clamp(32 * (rows + contacts), 64, MostBits))) / 64];
        foreach (var address in await connection.QueryToListAsync<string>("SELECT email_key FROM contacts WHERE user_id = @user", cancellation, parameter))
        {
            Add(AddressHash.Of(address));
        }
    }

    private void Add(int hash)
    {
        if (++_count > Most)
        {
            _bits = null;
            return;
        }

        var (at, step) = Start(hash);
        for (var i = 0; i < BitsOfAddress; i++, at += step)
        {
            _bits![Word(_bits, at)] |= 1UL << (int)(at & 63);
        }
    }

    private static bool MayContain(ulong[] bits, int hash)
    {
        var (at, step) = Start(hash);
        for (var i = 0; i < BitsOfAddress; i++, at += step)
        {
            if ((bits[Word(bits, at)] & (1UL << (int)(at & 63))) == 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Two hashes of one (Kirsch and Mitzenmacher, "Less Hashing, Same Performance").</summary>
    private static (uint At, uint Step) Start(int hash)
    {
        var mixed = (uint)hash * 0x9E3779B97F4A7C15UL;
        return ((uint)hash, (uint)(mixed >> 32) | 1);
    }

    private static int Word(ulong[] bits, uint at) => (int)((at >> 6) & (uint)(bits.Length - 1));

    private static Task<long> VersionAsync(EdmConnection connection, UserId user, CancellationToken cancellation) =>
        connection.ExecuteAsync<long>(VersionSql, cancellation, new DataParameter("user", user.Value));
}
