using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Edm.Engine.Users;

/// <summary>
/// What a key looks like: <c>edm_</c> and 32 random bytes in base64url. With that much chance in it a plain SHA-256 is enough to store it: there is
/// nothing to guess, and a look-up by hash tells nothing by its time.
/// </summary>
internal static class KeyText
{
    private const string Prefix = "edm_";
    private const int RandomBytes = 32;
    private static readonly int Length = Prefix.Length + Base64Url.GetEncodedLength(RandomBytes);

    public static string Create() => Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));

    /// <summary>False spares the database a question that can have no answer.</summary>
    public static bool LooksRight(string key) =>
        key.Length == Length && key.StartsWith(Prefix, StringComparison.Ordinal) && Base64Url.IsValid(key.AsSpan(Prefix.Length));

    public static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
