using System.Numerics;
using System.Runtime.InteropServices;

namespace Edm.Engine.Contacts.Ordinals;

/// <summary>
/// How ordinals are cut into chunks and how the bits of one are stored: 8,192 contacts are 1,024 bytes, bit n is bit n % 8 of byte n / 8 (as PostgreSQL's
/// <c>get_bit(bytea, n)</c> counts). A million contacts are 123 chunks.
/// </summary>
public static class ContactChunk
{
    /// <summary>Contacts of a chunk. Smaller ones cost more rows for each set operation, larger ones more bytes for each single contact that changes.</summary>
    public const int Size = 8192;

    public const int Bytes = Size / 8;

    internal const int Words = Size / 64;

    public static int Of(int ordinal) => ordinal / Size;

    /// <summary>The ordinal of the chunk's first bit.</summary>
    public static int First(int chunk) => chunk * Size;

    /// <returns>A new array of <see cref="Bytes"/>.</returns>
    public static byte[] ToBytes(ReadOnlySpan<ulong> words)
    {
        var bytes = new byte[Bytes];
        if (BitConverter.IsLittleEndian)
        {
            MemoryMarshal.AsBytes(words).CopyTo(bytes);
            return bytes;
        }

        throw new PlatformNotSupportedException("EDM needs a little-endian processor.");
    }

    /// <exception cref="InvalidDataException">Not <see cref="Bytes"/> long: the database was damaged, or written by something else.</exception>
    public static ulong[] FromBytes(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Bytes)
        {
            throw new InvalidDataException($"A chunk of contacts has {bytes.Length} bytes instead of {Bytes}.");
        }

        var words = new ulong[Words];
        bytes.CopyTo(MemoryMarshal.AsBytes(words.AsSpan()));
        return words;
    }

    public static int Count(ReadOnlySpan<ulong> words)
    {
        var count = 0;
        foreach (var word in words)
        {
            count += BitOperations.PopCount(word);
        }

        return count;
    }
}
