using System.Collections.Concurrent;
using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;

namespace Edm.Engine.Users;

/// <summary>
/// API keys, found by their SHA-256. A key that was good is believed for <see cref="Trust"/> without asking again: so a key that is revoked on
/// another node dies within that time, and one revoked on this node at once.
/// </summary>
public sealed class KeyStore(EdmDatabase database, TimeProvider time)
{
    public static readonly TimeSpan Trust = TimeSpan.FromSeconds(3);

    /// <summary>Keys in use within <see cref="Trust"/>; about 200 bytes each. Past it the cache starts anew, which costs each key one look-up.</summary>
    private const int MaxCached = 10_000;

    private const int MaxNameLength = 100;

    /// <summary>A user has a handful; the bound keeps one from filling the table.</summary>
    private const int MaxKeys = 100;

    private readonly ConcurrentDictionary<string, (KeyOwner Owner, DateTimeOffset Until)> _cache = new(StringComparer.Ordinal);

    // Counts revocations.
    private int _generation;

    /// <summary>Answers from memory alone; null when the key has not been seen good just now.</summary>
    public KeyOwner? Remembered(string key) =>
        KeyText.LooksRight(key) && _cache.TryGetValue(Name(key), out var entry) && entry.Until > time.GetUtcNow() ? entry.Owner : null;

    /// <returns>Null when the key is not valid.</returns>
    public async Task<KeyOwner?> FindAsync(string key, CancellationToken cancellation)
    {
        if (!KeyText.LooksRight(key))
        {
            return null;
        }

        if (Remembered(key) is { } remembered)
        {
            return remembered;
        }

        // Both are taken before the look-up: a revocation that comes in between must not be overtaken by its answer.
        var until = time.GetUtcNow() + Trust;
        var generation = Volatile.Read(ref _generation);
        var hash = KeyText.Hash(key);
        var owner = await database.RunAsync(
            async connection =>
            {
                var found = await (
                    from row in connection.GetTable<ApiKeyRow>()
                    join user in connection.GetTable<UserRow>() on row.UserId equals user.Id
                    where row.Hash == hash && row.RevokedAt == null
                    select new { user.Id, user.Name, user.Role, KeyId = row.Id, KeyName = row.Name }).FirstOrDefaultAsync(cancellation);
                return found is null ? null : new KeyOwner(new UserId(found.Id), found.Name, UserRow.RoleOf(found.Role), found.KeyId, found.KeyName);
            },
            cancellation);
        if (owner is not null)
        {
            if (_cache.Count >= MaxCached)
            {
                _cache.Clear();
            }

            _cache[Convert.ToHexString(hash)] = (owner, until);
            if (Volatile.Read(ref _generation) != generation)
            {
                _cache.Clear();
            }
        }

        return owner;
    }

    /// <summary>Makes a key; the returned text is the only copy there will ever be.</summary>
    /// <returns>Null when there is no such user.</returns>
    /// <exception cref="FieldException">The name is empty or too long.</exception>
    /// <exception cref="ConflictException">The user has too many keys.</exception>
    public async Task<(ApiKey Key, string Text)?> CreateAsync(UserId user, string name, CancellationToken cancellation)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > MaxNameLength)
        {
            throw new FieldException("name", $"A key's name is 1 to {MaxNameLength} characters; it tells you later which key this is.");
        }

        return await database.WriteAsync(
            async connection =>
            {
                if (!await connection.GetTable<UserRow>().AnyAsync(row => row.Id == user.Value, cancellation))
                {
                    return ((ApiKey, string)?)null;
                }

                if (await connection.GetTable<ApiKeyRow>().CountAsync(row => row.UserId == user.Value && row.RevokedAt == null, cancellation) >= MaxKeys)
                {
                    throw new ConflictException($"This user has {MaxKeys} keys. Revoke one first.");
                }

                var text = KeyText.Create();
                return (await InsertAsync(connection, user, name, text, cancellation), text);
            },
            cancellation);
    }

    /// <returns>The keys that are not revoked, oldest first.</returns>
    public Task<IReadOnlyList<ApiKey>> ListAsync(UserId user, CancellationToken cancellation) =>
        database.RunAsync<IReadOnlyList<ApiKey>>(
            async connection =>
            {
                var rows = await connection.GetTable<ApiKeyRow>().Where(row => row.UserId == user.Value && row.RevokedAt == null).OrderBy(row => row.Id).ToListAsync(cancellation);
                return [.. rows.Select(row => row.ToKey())];
            },
            cancellation);

    /// <returns>False when the user has no such key, or it has been revoked before.</returns>
    public async Task<bool> RevokeAsync(UserId user, long key, CancellationToken cancellation)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var changed = await database.WriteAsync(
            connection => connection.GetTable<ApiKeyRow>()
                .Where(row => row.Id == key && row.UserId == user.Value && row.RevokedAt == null)
                .Set(row => row.RevokedAt, now)
                .UpdateAsync(cancellation),
            cancellation);
        Forget();
        return changed > 0;
    }

    /// <summary>Forgets what was believed; for when a user was deleted.</summary>
    public void Forget()
    {
        Interlocked.Increment(ref _generation);
        _cache.Clear();
    }

    internal async Task<ApiKey> InsertAsync(EdmConnection connection, UserId user, string name, string text, CancellationToken cancellation)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var row = new ApiKeyRow { UserId = user.Value, Name = name, Hash = KeyText.Hash(text), CreatedAt = now };
        var id = await connection.InsertWithInt64IdentityAsync(row, token: cancellation);
        return new ApiKey(id, user, name, DateTimeOffset.FromUnixTimeMilliseconds(now), null);
    }

    private static string Name(string key) => Convert.ToHexString(KeyText.Hash(key));
}
