using System.Security.Cryptography;
using System.Text;
using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.Contacts;

/// <summary>Why an address may not come back.</summary>
public enum SuppressionReason
{
    Unsubscribed,
    Suppressed,
    Erased,
}

/// <summary>
/// The addresses that a user's imports may not bring back, also after their contact is gone. Kept as HMAC-SHA-256 under a key that is derived from the
/// master key (HKDF, RFC 5869): who has the database alone can neither read them nor try addresses out.
/// </summary>
public sealed class SuppressionStore(TimeProvider time, SuppressionKey key)
{
    private static readonly string[] Names = ["unsubscribed", "suppressed", "erased"];

    /// <summary>SQLite takes some thousand parameters, PostgreSQL 65,535.</summary>
    private const int LookUp = 1000;

    /// <summary>In the caller's transaction. A reason that is there stays, unless the person was erased.</summary>
    /// <param name="emailKey">The normal form of the address.</param>
    internal Task AddAsync(EdmConnection connection, UserId user, string emailKey, SuppressionReason reason, CancellationToken cancellation) =>
        connection.ExecuteAsync(
            """
            INSERT INTO suppressions (user_id, hash, reason, created_at) VALUES (@user, @hash, @reason, @now)
            ON CONFLICT (user_id, hash) DO UPDATE SET reason = excluded.reason, created_at = excluded.created_at WHERE excluded.reason = 'erased'
            """,
            cancellation,
            new DataParameter("user", user.Value), new DataParameter("hash", key.HashOf(user, emailKey), DataType.VarBinary), new DataParameter("reason", Names[(int)reason]),
            new DataParameter("now", time.GetUtcNow().ToUnixTimeMilliseconds()));

    /// <summary>Those of the addresses that may not come back, and why. Costs one question, and no look at the addresses, where the user has no suppressions.</summary>
    internal async Task<IReadOnlyDictionary<string, SuppressionReason>> FindAsync(
        EdmConnection connection, UserId user, IEnumerable<string> emailKeys, CancellationToken cancellation)
    {
        var found = new Dictionary<string, SuppressionReason>(StringComparer.Ordinal);
        if (await connection.ExecuteAsync<long>("SELECT count(*) FROM (SELECT 1 FROM suppressions WHERE user_id = @user LIMIT 1) AS first_one", cancellation, new DataParameter("user", user.Value)) == 0)
        {
            return found;
        }

        foreach (var some in emailKeys.Chunk(LookUp))
        {
            var hashes = some.ToDictionary(address => Convert.ToHexString(key.HashOf(user, address)));
            var bytes = hashes.Keys.Select(Convert.FromHexString).ToArray();
            foreach (var row in await connection.GetTable<SuppressionRow>().Where(r => r.UserId == user && bytes.Contains(r.Hash)).ToListAsync(cancellation))
            {
                found[hashes[Convert.ToHexString(row.Hash)]] = (SuppressionReason)Array.IndexOf(Names, row.Reason);
            }
        }

        return found;
    }

    /// <summary>In the caller's transaction. The address may come back.</summary>
    /// <returns>False when it was not there.</returns>
    internal async Task<bool> RemoveAsync(EdmConnection connection, UserId user, string emailKey, CancellationToken cancellation)
    {
        var hash = key.HashOf(user, emailKey);
        return await connection.GetTable<SuppressionRow>().DeleteAsync(row => row.UserId == user && row.Hash == hash, cancellation) > 0;
    }

    [Table("suppressions")]
    private sealed record SuppressionRow
    {
        [PrimaryKey(1)] public UserId UserId { get; init; }
        [PrimaryKey(2)] public byte[] Hash { get; init; } = [];
        [Column] public string Reason { get; init; } = "";
    }
}

/// <summary>The key of the hashes. Nodes that share a database share the master key, and so this one.</summary>
public sealed class SuppressionKey
{
    private readonly byte[] _key;

    public SuppressionKey(byte[] masterKey) => _key = HKDF.DeriveKey(HashAlgorithmName.SHA256, masterKey, 32, info: "edm suppressions 1"u8.ToArray());

    /// <summary>With the user, so that two lists of suppressions say nothing of each other.</summary>
    public byte[] HashOf(UserId user, string emailKey) => HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"{user}:{emailKey}"));
}
