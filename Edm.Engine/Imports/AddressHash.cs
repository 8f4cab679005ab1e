using System.Text;

namespace Edm.Engine.Imports;

/// <summary>Hashes of the keys of addresses, other ones in each process: a file can't be made so that all fall together.</summary>
internal static class AddressHash
{
    /// <returns>Never 0.</returns>
    public static int Of(ReadOnlySpan<byte> utf8)
    {
        var hash = new HashCode();
        hash.AddBytes(utf8);
        return hash.ToHashCode() is var code and not 0 ? code : 1;
    }

    public static int Of(string key)
    {
        Span<byte> utf8 = stackalloc byte[512];
        return Encoding.UTF8.TryGetBytes(key, utf8, out var length) ? Of(utf8[..length]) : Of(Encoding.UTF8.GetBytes(key));
    }
}
