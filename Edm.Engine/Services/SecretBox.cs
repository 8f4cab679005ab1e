using System.Security.Cryptography;
using System.Text;
using Edm.Engine.Storage;

namespace Edm.Engine.Services;

/// <summary>
/// Locks secrets for the database: AES-256-GCM under the master key, a fresh nonce each time. What a secret belongs to is bound to it, so that one copied
/// into another row does not open. Stored as: 1 (the format), nonce, tag, cipher text.
/// </summary>
public sealed class SecretBox
{
    private const byte Format = 1;
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const int Overhead = 1 + NonceLength + TagLength;

    private const int MarkLength = 6;

    private readonly byte[] _key;

    public SecretBox(byte[] key)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, MasterKey.Length);
        _key = [.. key];
        Mark = Convert.ToHexStringLower(HMACSHA256.HashData(_key, "the mark of this installation"u8)[..MarkLength]);
    }

    /// <summary>The same on all nodes under one master key, another under another, and tells nothing of it: 12 letters and digits.</summary>
    public string Mark { get; }

    /// <param name="owner">What the secret belongs to; the same must be given to open it.</param>
    public byte[] Lock(string secret, string owner)
    {
        var clear = Encoding.UTF8.GetBytes(secret);
        var box = new byte[Overhead + clear.Length];
        box[0] = Format;
        var nonce = box.AsSpan(1, NonceLength);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_key, TagLength);
        aes.Encrypt(nonce, clear, box.AsSpan(Overhead), box.AsSpan(1 + NonceLength, TagLength), Encoding.UTF8.GetBytes(owner));
        return box;
    }

    /// <exception cref="StorageException">It was locked under another master key or for another owner, or is damaged.</exception>
    public string Open(byte[] box, string owner)
    {
        ArgumentNullException.ThrowIfNull(box);
        if (box.Length < Overhead || box[0] != Format)
        {
            throw new StorageException($"The stored secret of {owner} is damaged.");
        }

        var clear = new byte[box.Length - Overhead];
        try
        {
            using var aes = new AesGcm(_key, TagLength);
            aes.Decrypt(box.AsSpan(1, NonceLength), box.AsSpan(Overhead), box.AsSpan(1 + NonceLength, TagLength), clear, Encoding.UTF8.GetBytes(owner));
        }
        catch (AuthenticationTagMismatchException exception)
        {
            throw new StorageException(
                $"The stored secret of {owner} can't be opened with this master key. All nodes of a database need the key it was stored under: "
                + $"set edm.master-key (EDM_MASTER_KEY) to it, or put its {MasterKey.FileName} into the data folder.", exception);
        }

        return Encoding.UTF8.GetString(clear);
    }
}
