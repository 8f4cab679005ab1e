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

    /// <summary>20 bytes each.</summary>
    private const int Most = 1_500_000;

    private const string VersionSql = "SELECT coalesce(sum(version), 0) FROM contact_chunks WHERE user_id = @user";

    private HashSet<int>? _hashes;
    private bool _isLoaded;
    private long _version;

    /// <summary>Under the lock of the user's contacts: those of the addresses that may be stored.</summary>
    public async Task<IReadOnlyList<string>> PossibleAsync(EdmConnection connection, UserId user, IReadOnlyCollection<string> addresses, CancellationToken cancellation)
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

        return _hashes is { } hashes ? [.. addresses.Where(address => hashes.Contains(address.GetHashCode(StringComparison.Ordinal)))] : [.. addresses];
    }

    /// <summary>After the book was closed, and in its transaction.</summary>
    public async Task AddAsync(EdmConnection connection, UserId user, IReadOnlyList<StagedContact> added, CancellationToken cancellation)
    {
        if (_hashes is null)
        {
            return;
        }

        if (_hashes.Count + added.Count > Most)
        {
            _hashes = null;
            return;
        }

        foreach (var contact in added)
        {
            _hashes.Add(contact.EmailKey.GetHashCode(StringComparison.Ordinal));
        }

        _version = await VersionAsync(connection, user, cancellation);
    }

    private async Task LoadAsync(EdmConnection connection, UserId user, CancellationToken cancellation)
    {
        var parameter = new DataParameter("user", user.Value);
        if (await connection.ExecuteAsync<long>("SELECT contacts FROM contact_books WHERE user_id = @user", cancellation, parameter) > MostAtStart)
        {
            return;
        }

        _hashes = [];
        foreach (var address in await connection.QueryToListAsync<string>("SELECT email_key FROM contacts WHERE user_id = @user", cancellation, parameter))
        {
            _hashes.Add(address.GetHashCode(StringComparison.Ordinal));
        }
    }

    private static Task<long> VersionAsync(EdmConnection connection, UserId user, CancellationToken cancellation) =>
        connection.ExecuteAsync<long>(VersionSql, cancellation, new DataParameter("user", user.Value));
}
