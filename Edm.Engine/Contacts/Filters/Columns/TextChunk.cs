using Edm.Engine.Contacts.Ordinals;

namespace Edm.Engine.Contacts.Filters.Columns;

/// <summary>Texts in lower case (A–Z), as codes into the list of those that occur. Code 0 is: no text.</summary>
internal sealed class TextChunk : ColumnChunk
{
    private readonly ulong[] _present;
    private readonly string[] _texts;
    private readonly byte[]? _narrow;
    private readonly ushort[]? _codes;

    /// <param name="texts">By code; the first one stands for none.</param>
    /// <param name="codes">One for each contact.</param>
    public TextChunk(string[] texts, ushort[] codes)
    {
        _texts = texts;
        _present = new ulong[ContactChunk.Words];
        for (var i = 0; i < codes.Length; i++)
        {
            _present[i / 64] |= (codes[i] == 0 ? 0UL : 1UL) << (i % 64);
        }

        if (texts.Length <= 256)
        {
            _narrow = Array.ConvertAll(codes, code => (byte)code);
        }
        else
        {
            _codes = codes;
        }
    }

    public override long Bytes => ((_narrow?.Length ?? 0) + (2L * _codes?.Length ?? 0)) + (ContactChunk.Words * 8) + _texts.Sum(text => 24L + 8 + (2 * text.Length)) + 120;

    public override ReadOnlySpan<ulong> Present => _present;

    /// <summary>By code; the first one stands for none.</summary>
    public IReadOnlyList<string> Texts => _texts;

    public int Code(int bit) => _narrow is null ? _codes![bit] : _narrow[bit];

    /// <summary>Clears the bits of those whose text does not pass.</summary>
    public void Keep(Func<string, bool> passes, Span<ulong> bits)
    {
        var chosen = new bool[_texts.Length];
        var any = 0;
        for (var code = 1; code < chosen.Length; code++)
        {
            chosen[code] = passes(_texts[code]);
            any += chosen[code] ? 1 : 0;
        }

        if (any == 0)
        {
            bits.Clear();
            return;
        }

        if (any == chosen.Length - 1)
        {
            for (var word = 0; word < bits.Length; word++)
            {
                bits[word] &= _present[word];
            }

            return;
        }

        for (var word = 0; word < bits.Length; word++)
        {
            if (bits[word] == 0)
            {
                continue;
            }

            ulong kept = 0;
            if (_narrow is { } narrow)
            {
                for (var i = 0; i < 64; i++)
                {
                    kept |= (chosen[narrow[(word * 64) + i]] ? 1UL : 0UL) << i;
                }
            }
            else
            {
                for (var i = 0; i < 64; i++)
                {
                    kept |= (chosen[_codes![(word * 64) + i]] ? 1UL : 0UL) << i;
                }
            }

            bits[word] &= kept;
        }
    }
}

/// <summary>So many different texts that codes would save nothing: tests on it read the contacts.</summary>
internal sealed class WideChunk(ulong[] present) : ColumnChunk
{
    public override long Bytes => (ContactChunk.Words * 8) + 40;

    public override ReadOnlySpan<ulong> Present => present;
}
