using System.Numerics;
using System.Runtime.InteropServices;

namespace Edm.Engine.Queues;

/// <summary>Some recipients of one task: a bit for each that is planned, so 125 kB a million.</summary>
public sealed class SeqSet
{
    private const int Bits = 64;

    private readonly ulong[] words;

    public SeqSet(int planned) => words = new ulong[(planned / Bits) + 1];

    /// <param name="planned">Of the task.</param>
    /// <param name="bytes">As <see cref="ToBytes"/> gave them.</param>
    public SeqSet(int planned, byte[] bytes) : this(planned)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        bytes.CopyTo(MemoryMarshal.AsBytes(words.AsSpan()));
        Count = words.Sum(BitOperations.PopCount);
    }

    public int Count { get; private set; }

    public bool Contains(int seq) => (words[seq / Bits] & Bit(seq)) != 0;

    public void Add(int seq)
    {
        Count += Contains(seq) ? 0 : 1;
        words[seq / Bits] |= Bit(seq);
    }

    public bool Remove(int seq)
    {
        var had = Contains(seq);
        Count -= had ? 1 : 0;
        words[seq / Bits] &= ~Bit(seq);
        return had;
    }

    /// <summary>The first of them from <paramref name="from"/> to <paramref name="last"/>; null when none is there.</summary>
    public int? First(int from, int last)
    {
        for (var i = from / Bits; i < words.Length && i * Bits <= last; i++)
        {
            var word = i == from / Bits ? words[i] & (ulong.MaxValue << (from % Bits)) : words[i];
            if (word != 0)
            {
                var found = (i * Bits) + BitOperations.TrailingZeroCount(word);
                return found <= last ? found : null;
            }
        }

        return null;
    }

    /// <summary>Little-endian, without the zeros at the end.</summary>
    public byte[] ToBytes() => MemoryMarshal.AsBytes(words.AsSpan()).TrimEnd((byte)0).ToArray();

    private static ulong Bit(int seq) => 1UL << (seq % Bits);
}
