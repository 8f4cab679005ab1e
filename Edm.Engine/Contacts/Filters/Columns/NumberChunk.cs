using System.Numerics;
using System.Runtime.InteropServices;
using Edm.Engine.Contacts.Ordinals;

namespace Edm.Engine.Contacts.Filters.Columns;

/// <summary>The values of one column in one chunk of contacts. Never changes once it is made.</summary>
internal abstract class ColumnChunk
{
    /// <summary>In memory, about.</summary>
    public abstract long Bytes { get; }

    /// <summary>Which contacts have a value.</summary>
    public abstract ReadOnlySpan<ulong> Present { get; }
}

/// <summary>Whole numbers, as differences from the smallest one in as few bytes (1, 2, 4 or 8) as the largest difference needs.</summary>
internal sealed class NumberChunk : ColumnChunk
{
    private readonly ulong[] _present;
    private readonly long _min;
    private readonly long _max;
    private readonly byte[] _values;
    private readonly int _width;

    private NumberChunk(ulong[] present, long min, long max, byte[] values, int width)
    {
        _present = present;
        _min = min;
        _max = max;
        _values = values;
        _width = width;
    }

    public override long Bytes => _values.Length + (ContactChunk.Words * 8) + 120;

    public override ReadOnlySpan<ulong> Present => _present;

    /// <param name="values">One for each contact; where <paramref name="present"/> has no bit it means nothing.</param>
    public static NumberChunk Of(ulong[] present, ReadOnlySpan<long> values)
    {
        var (min, max) = (long.MaxValue, long.MinValue);
        for (var i = 0; i < values.Length; i++)
        {
            if ((present[i / 64] >> (i % 64) & 1) != 0)
            {
                min = Math.Min(min, values[i]);
                max = Math.Max(max, values[i]);
            }
        }

        if (min > max)
        {
            return new NumberChunk(present, 0, -1, [], 0);
        }

        var range = unchecked((ulong)max - (ulong)min);
        var width = range == 0 ? 0 : range <= byte.MaxValue ? 1 : range <= ushort.MaxValue ? 2 : range <= uint.MaxValue ? 4 : 8;
        var bytes = new byte[width * ContactChunk.Size];
        switch (width)
        {
            case 1: Narrow(values, min, bytes.AsSpan()); break;
            case 2: Narrow(values, min, MemoryMarshal.Cast<byte, ushort>(bytes.AsSpan())); break;
            case 4: Narrow(values, min, MemoryMarshal.Cast<byte, uint>(bytes.AsSpan())); break;
            case 8: Narrow(values, min, MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan())); break;
        }

        return new NumberChunk(present, min, max, bytes, width);
    }

    /// <summary>Clears the bits of those that are not from <paramref name="from"/> to <paramref name="to"/>, both included.</summary>
    public void Keep(long from, long to, Span<ulong> bits)
    {
        if (from > to || from > _max || to < _min || _min > _max)
        {
            bits.Clear();
            return;
        }

        for (var i = 0; i < bits.Length; i++)
        {
            bits[i] &= _present[i];
        }

        if (from <= _min && to >= _max)
        {
            return;
        }

        var low = unchecked((ulong)Math.Max(from, _min) - (ulong)_min);
        var span = unchecked((ulong)Math.Min(to, _max) - (ulong)_min) - low;
        switch (_width)
        {
            case 1: Keep<byte>(_values, (byte)low, (byte)span, bits); break;
            case 2: Keep(MemoryMarshal.Cast<byte, ushort>(_values), (ushort)low, (ushort)span, bits); break;
            case 4: Keep(MemoryMarshal.Cast<byte, uint>(_values), (uint)low, (uint)span, bits); break;
            case 8: Keep(MemoryMarshal.Cast<byte, ulong>(_values), low, span, bits); break;
        }
    }

    /// <summary>Of a contact that has a value.</summary>
    public long Value(int bit) => unchecked((long)((ulong)_min + _width switch
    {
        0 => 0UL,
        1 => _values[bit],
        2 => MemoryMarshal.Cast<byte, ushort>(_values)[bit],
        4 => MemoryMarshal.Cast<byte, uint>(_values)[bit],
        _ => MemoryMarshal.Cast<byte, ulong>(_values)[bit],
    }));

    private static void Narrow<T>(ReadOnlySpan<long> values, long min, Span<T> narrow) where T : unmanaged, IBinaryInteger<T>
    {
        for (var i = 0; i < values.Length; i++)
        {
            narrow[i] = T.CreateTruncating(unchecked((ulong)values[i] - (ulong)min));
        }
    }

    private static void Keep<T>(ReadOnlySpan<T> values, T low, T span, Span<ulong> bits) where T : unmanaged, IBinaryInteger<T>
    {
        for (var word = 0; word < bits.Length; word++)
        {
            if (bits[word] == 0)
            {
                continue;
            }

            ulong kept = 0;
            var part = values.Slice(word * 64, 64);
            for (var i = 0; i < part.Length; i++)
            {
                // One comparison for both ends: what is below wraps round.
                kept |= (unchecked(part[i] - low) <= span ? 1UL : 0UL) << i;
            }

            bits[word] &= kept;
        }
    }
}
