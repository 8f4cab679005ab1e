using System.Text.Json.Nodes;
using Edm.Engine.Contacts.Addresses;

namespace Edm.Engine.Erasure;

/// <summary>
/// How a person is written in texts: addresses in every spelling that EDM itself makes of them, and the names by which a cell of a table is this person's. Addresses are
/// cut out of any text; names only where they are the whole cell, since half a language is somebody's nickname.
/// </summary>
internal sealed class PersonWords
{
    /// <summary>What stands in a text where an address stood.</summary>
    public const string Cut = "<erased>";

    /// <summary>The same in a filter, which it leaves readable: nobody has this address (RFC 2606), so the filter means what it meant to all who are left.</summary>
    public const string CutInFilter = "erased@erased.invalid";

    private readonly List<string> _addresses = [];
    private readonly List<string> _names = [];

    public IReadOnlyList<string> Addresses => _addresses;

    /// <summary>What a database looks for, in lower case (A–Z): whatever it finds is looked at again. Parts without characters that JSON escapes, or that a database lowers otherwise.</summary>
    public IEnumerable<string> AddressNeedles => _addresses.Select(Needle).Distinct();

    /// <inheritdoc cref="AddressNeedles"/>
    public IEnumerable<string> NameNeedles => _names.Select(Needle).Where(needle => needle.Length > 0).Distinct();

    public void AddAddress(string? address)
    {
        var at = address?.LastIndexOf('@') ?? -1;
        if (at <= 0)
        {
            return;
        }

        Add(_addresses, address);
        Add(_addresses, $"{address![..at]}@{DomainName.Shown(address[(at + 1)..])}");
    }

    public void AddName(string? name) => Add(_names, name?.Trim().TrimStart('@'));

    /// <summary>The cell is a name of the person, whatever its case and with or without an @ before it.</summary>
    public bool IsName(string cell) => _names.Contains(cell.Trim().TrimStart('@'), StringComparer.OrdinalIgnoreCase);

    /// <returns>The very text when it holds no address of the person.</returns>
    public string Without(string text, string cut = Cut)
    {
        foreach (var address in _addresses)
        {
            for (var at = text.IndexOf(address, StringComparison.OrdinalIgnoreCase); at >= 0; at = text.IndexOf(address, at, StringComparison.OrdinalIgnoreCase))
            {
                var end = at + address.Length;
                if (IsWhole(text, at, end))
                {
                    text = string.Concat(text.AsSpan(0, at), cut, text.AsSpan(end));
                    end = at + cut.Length;
                }

                at = end;
            }
        }

        return text;
    }

    /// <summary>In all texts of a JSON document, the names of its members among them.</summary>
    /// <returns>Null when no address of the person was in it.</returns>
    public string? WithoutInJson(string json, string cut = Cut)
    {
        var changed = false;
        var cleaned = Clean(JsonNode.Parse(json));
        return changed ? cleaned?.ToJsonString(Json) ?? "null" : null;

        JsonNode? Clean(JsonNode? node)
        {
            switch (node)
            {
                case JsonObject members:
                    return new JsonObject(members.ToArray().Select(member => KeyValuePair.Create(Text(member.Key), Clean(member.Value))).DistinctBy(member => member.Key));
                case JsonArray items:
                    return new JsonArray([.. items.ToArray().Select(Clean)]);
                case JsonValue value when value.TryGetValue<string>(out var text):
                    return JsonValue.Create(Text(text));
                default:
                    return node?.DeepClone();
            }
        }

        string Text(string text)
        {
            var without = Without(text, cut);
            changed |= !ReferenceEquals(without, text);
            return without;
        }
    }

    private static readonly System.Text.Json.JsonSerializerOptions Json = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static void Add(List<string> words, string? word)
    {
        if (!string.IsNullOrEmpty(word) && !words.Contains(word, StringComparer.OrdinalIgnoreCase))
        {
            words.Add(word);
        }
    }

    // jane@example.com is no part of mary-jane@example.com, nor of jane@example.com.au.
    private static bool IsWhole(string text, int start, int end)
    {
        if (start > 0 && (char.IsLetterOrDigit(text[start - 1]) || (text[start - 1] is '.' or '_' or '+' or '-' && start > 1 && char.IsLetterOrDigit(text[start - 2]))))
        {
            return false;
        }

        return end == text.Length || !(char.IsLetterOrDigit(text[end]) || (text[end] is '.' or '-' && end + 1 < text.Length && char.IsLetterOrDigit(text[end + 1])));
    }

    /// <summary>The longest part in plain ASCII; where that says little, the longest one that is written the same way everywhere.</summary>
    private static string Needle(string word)
    {
        const int Telling = 3;
        var ascii = Longest(word, static c => char.IsAscii(c) && IsPlain(c));
        return (ascii.Length >= Telling ? ascii : Longest(word, IsPlain)).ToAsciiLower();
    }

    private static bool IsPlain(char character) => !char.IsSurrogate(character) && !char.IsControl(character) && character is not ('"' or '\\');

    private static string Longest(string word, Func<char, bool> belongs)
    {
        var (best, bestLength) = (0, 0);
        for (var i = 0; i < word.Length; i++)
        {
            var start = i;
            while (i < word.Length && belongs(word[i]))
            {
                i++;
            }

            if (i - start > bestLength)
            {
                (best, bestLength) = (start, i - start);
            }
        }

        return word.Substring(best, bestLength);
    }
}

internal static class AsciiLowering
{
    /// <summary>As both databases lower under the collation "C": A–Z and nothing else.</summary>
    public static string ToAsciiLower(this string text) => string.Create(text.Length, text, static (span, source) =>
    {
        for (var i = 0; i < span.Length; i++)
        {
            span[i] = char.IsAsciiLetterUpper(source[i]) ? (char)(source[i] | 0x20) : source[i];
        }
    });
}
