using Edm.Engine.Contacts.Ordinals;

namespace Edm.Engine.Contacts.Filters.Columns;

/// <summary>Gathers the values of one column and one chunk while its contacts are read, in any order.</summary>
internal abstract class ColumnBuilder
{
    public abstract ColumnChunk Build();
}

internal sealed class NumberColumnBuilder : ColumnBuilder
{
    private readonly ulong[] _present = new ulong[ContactChunk.Words];
    private readonly long[] _values = new long[ContactChunk.Size];

    public void Add(int bit, long value)
    {
        _present[bit / 64] |= 1UL << (bit % 64);
        _values[bit] = value;
    }

    public override ColumnChunk Build() => NumberChunk.Of(_present, _values);
}

internal sealed class TextColumnBuilder : ColumnBuilder
{
    /// <summary>Half of the contacts differ from each other: names and the like, that nobody chooses by. Longer texts come sooner to the bound of bytes.</summary>
    private const int MaxTexts = ContactChunk.Size / 2;

    private const int MaxCharacters = 128 * 1024;

    private readonly Dictionary<string, ushort> _codeOf = new(StringComparer.Ordinal);
    private readonly List<string> _texts = [""];
    private readonly ushort[] _codes = new ushort[ContactChunk.Size];
    private int _characters;
    private ulong[]? _wide;

    /// <param name="text">In lower case; not empty.</param>
    public void Add(int bit, string text)
    {
        if (_wide is not null)
        {
            _wide[bit / 64] |= 1UL << (bit % 64);
            return;
        }

        if (!_codeOf.TryGetValue(text, out var code))
        {
            _characters += text.Length;
            if (_texts.Count > MaxTexts || _characters > MaxCharacters)
            {
                Widen();
                Add(bit, text);
                return;
            }

            code = (ushort)_texts.Count;
            _codeOf.Add(text, code);
            _texts.Add(text);
        }

        _codes[bit] = code;
    }

    public override ColumnChunk Build() => _wide is null ? new TextChunk([.. _texts], _codes) : new WideChunk(_wide);

    private void Widen()
    {
        _wide = new ulong[ContactChunk.Words];
        for (var i = 0; i < _codes.Length; i++)
        {
            _wide[i / 64] |= (_codes[i] == 0 ? 0UL : 1UL) << (i % 64);
        }

        _codeOf.Clear();
        _texts.Clear();
    }
}
