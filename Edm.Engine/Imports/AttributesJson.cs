using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;

namespace Edm.Engine.Imports;

/// <summary>
/// Writes JSON objects of texts as UTF-8, each into the place of the one before: the same bytes that <see cref="System.Text.Json.Utf8JsonWriter"/> writes with
/// <see cref="JavaScriptEncoder.UnsafeRelaxedJsonEscaping"/>, of which most of a file's values need nothing but their quotes. Not thread-safe.
/// </summary>
internal sealed class AttributesJson
{
    /// <summary>What stands as it is. Beyond ASCII the encoder decides.</summary>
    private static readonly SearchValues<char> Unescaped =
        SearchValues.Create(" !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    private byte[] _json = new byte[4096];
    private char[] _escaped = [];
    private int _length;

    public void Begin()
    {
        _json[0] = (byte)'{';
        _length = 1;
    }

    public void Add(ReadOnlySpan<char> name, ReadOnlySpan<char> value)
    {
        if (_length > 1)
        {
            Mark(',');
        }

        Text(name);
        Mark(':');
        Text(value);
    }

    /// <returns>The object, until the next one begins.</returns>
    public ReadOnlySpan<byte> End()
    {
        Mark('}');
        return _json.AsSpan(0, _length);
    }

    private void Text(ReadOnlySpan<char> text)
    {
        Mark('"');
        if (text.ContainsAnyExcept(Unescaped))
        {
            text = Escaped(text);
        }

        Need(Encoding.UTF8.GetMaxByteCount(text.Length));
        _length += Encoding.UTF8.GetBytes(text, _json.AsSpan(_length));
        Mark('"');
    }

    private ReadOnlySpan<char> Escaped(ReadOnlySpan<char> text)
    {
        var most = text.Length * JavaScriptEncoder.UnsafeRelaxedJsonEscaping.MaxOutputCharactersPerInputCharacter;
        if (_escaped.Length < most)
        {
            _escaped = new char[most];
        }

        JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text, _escaped, out _, out var written);
        return _escaped.AsSpan(0, written);
    }

    private void Mark(char mark)
    {
        Need(1);
        _json[_length++] = (byte)mark;
    }

    private void Need(int bytes)
    {
        if (_json.Length - _length < bytes)
        {
            Array.Resize(ref _json, Math.Max(_json.Length * 2, _length + bytes));
        }
    }
}
