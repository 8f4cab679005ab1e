using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Edm.Engine.Contacts;

namespace Edm.Engine.Imports.Chunks;

/// <summary>Compares and merges attributes, which are JSON objects of strings; databases write one object in different ways. Not thread-safe: it keeps its buffers.</summary>
internal sealed class ContactAttributes
{
    /// <summary>
    /// Merges add attributes for ever where every file names others. Past this many the newest file's own replace what was there.
    /// </summary>
    public const int MaxMerged = ContactLimits.Attributes;

    public const string None = "{}";

    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly ArrayBufferWriter<byte> _json = new(1024);
    private readonly List<KeyValuePair<string, string>> _left = [];
    private readonly List<KeyValuePair<string, string>> _right = [];
    private byte[] _utf8 = new byte[4096];

    /// <returns>The very <paramref name="stored"/> when the other one adds nothing to it.</returns>
    public string Merge(string stored, string fresh)
    {
        if (fresh == None || stored == fresh)
        {
            return stored;
        }

        if (stored == None)
        {
            return fresh;
        }

        Read(stored, _left);
        Read(fresh, _right);
        var changed = false;
        foreach (var (name, value) in _right)
        {
            var at = Find(_left, name);
            if (at < 0)
            {
                _left.Add(new(name, value));
                changed = true;
            }
            else if (_left[at].Value != value)
            {
                _left[at] = new(name, value);
                changed = true;
            }
        }

        return !changed ? stored : _left.Count > MaxMerged ? fresh : Write(_left);
    }

    public bool Same(string left, string right)
    {
        if (left == right)
        {
            return true;
        }

        Read(left, _left);
        Read(right, _right);
        return _left.Count == _right.Count && _right.All(pair => Find(_left, pair.Key) is >= 0 and var at && _left[at].Value == pair.Value);
    }

    /// <summary>Every name whose value is not the same on both sides; null where there is none.</summary>
    public List<(string Name, string? Old, string? New)> Differences(string old, string fresh)
    {
        Read(old, _left);
        Read(fresh, _right);
        var all = new List<(string, string?, string?)>();
        foreach (var (name, value) in _left)
        {
            var at = Find(_right, name);
            if (at < 0 || _right[at].Value != value)
            {
                all.Add((name, value, at < 0 ? null : _right[at].Value));
            }
        }

        all.AddRange(_right.Where(pair => Find(_left, pair.Key) < 0).Select(pair => (pair.Key, (string?)null, (string?)pair.Value)));
        return all;
    }

    // A contact has a handful of them: looking through is quicker than hashing.
    private static int Find(List<KeyValuePair<string, string>> pairs, string name)
    {
        for (var i = 0; i < pairs.Count; i++)
        {
            if (pairs[i].Key == name)
            {
                return i;
            }
        }

        return -1;
    }

    private void Read(string json, List<KeyValuePair<string, string>> pairs)
    {
        pairs.Clear();
        if (json == None)
        {
            return;
        }

        var size = Encoding.UTF8.GetMaxByteCount(json.Length);
        if (_utf8.Length < size)
        {
            _utf8 = new byte[size];
        }

        var reader = new Utf8JsonReader(_utf8.AsSpan(0, Encoding.UTF8.GetBytes(json, _utf8)));
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            var value = reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw new InvalidDataException($"The attribute '{name}' of a contact is not a text.");
            pairs.Add(new(name, value));
        }
    }

    private string Write(List<KeyValuePair<string, string>> pairs)
    {
        _json.ResetWrittenCount();
        using var writer = new Utf8JsonWriter(_json, Json);
        writer.WriteStartObject();
        foreach (var (name, value) in pairs)
        {
            writer.WriteString(name, value);
        }

        writer.WriteEndObject();
        writer.Flush();
        return Encoding.UTF8.GetString(_json.WrittenSpan);
    }
}
