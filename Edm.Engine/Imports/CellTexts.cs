namespace Edm.Engine.Imports;

/// <summary>
/// Texts of cells, where a value that came a moment ago needs no new text: countries, languages, categories, tags and zeros make up much of a file. Each place holds
/// the last value that fell on it, so that a file of nothing but different values costs a comparison a cell and no memory.
/// </summary>
internal sealed class CellTexts
{
    private const int Places = 1024;

    /// <summary>Longer ones are rarely said twice.</summary>
    private const int MaxLength = 24;

    private readonly string?[] _texts = new string?[Places];

    public string Of(ReadOnlySpan<char> value)
    {
        if (value.Length is 0 or > MaxLength)
        {
            return value.ToString();
        }

        var place = ((value.Length * 31) + (value[0] * 7) + (value[^1] * 131) + (value[value.Length / 2] * 1031)) % Places;
        if (_texts[place] is { } text && value.SequenceEqual(text))
        {
            return text;
        }

        return _texts[place] = value.ToString();
    }
}
