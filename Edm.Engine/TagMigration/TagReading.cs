using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Edm.Engine.TagMigration;

/// <summary>
/// The names of tags in one value of the old column, and what was odd about it. Pure: the same value always gives the same names, so that copying, following, comparing and writing
/// back agree.
/// </summary>
internal sealed class TagReading
{
    /// <summary>As everywhere in EDM.</summary>
    public const int MaxName = 100;

    public const int MaxDepth = 32;

    /// <summary>A larger value is not even fetched.</summary>
    public const int MaxCharacters = 32 * 1024 * 1024;

    /// <summary>Of one row. EDM's users have 10,000 tags at most, so such a row is no list of tags but an accident.</summary>
    public const int MaxNames = 2_000;

    private const int Large = 1024 * 1024;

    private readonly TagPolicy _policy;
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    private TagReading(TagPolicy policy) => _policy = policy;

    /// <summary>In the order of the value, without doubles; spellings that differ by case are both here.</summary>
    public List<string> Names { get; } = [];

    public Dictionary<Oddity, int> Oddities { get; } = [];

    /// <summary>Why the row can't be taken as it is; null when it can.</summary>
    public Oddity? SetAside { get; private set; }

    /// <param name="json">The value as text; null for a column without one.</param>
    public static TagReading Of(string? json, TagPolicy policy)
    {
        var reading = new TagReading(policy);
        if (json is null)
        {
            reading.Note(Oddity.NullColumn);
            return reading;
        }

        if (json.Length > Large)
        {
            reading.Note(Oddity.LargeValue);
        }

        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth });
            reading.Top(document.RootElement);
        }
        catch (JsonException)
        {
            // PostgreSQL took it for JSON, so it is the depth.
            reading.Names.Clear();
            reading.Note(Oddity.TooDeep);
            reading.SetAside = Oddity.TooDeep;
        }

        if (reading.Names.Count > MaxNames)
        {
            reading.Names.Clear();
            reading.Note(Oddity.TooManyTags);
            reading.SetAside = Oddity.TooManyTags;
        }

        return reading;
    }

    /// <summary>The name that one element of an array gives; null for none, or for an array.</summary>
    public static string? NameOf(JsonElement element, TagPolicy policy) =>
        element.ValueKind == JsonValueKind.Array ? null : new TagReading(policy).Name(element);

    private void Top(JsonElement root)
    {
        switch (root.ValueKind)
        {
            case JsonValueKind.Null:
                Note(Oddity.JsonNull);
                break;
            case JsonValueKind.Array:
                Elements(root);
                break;
            default:
                Note(Oddity.NotAnArray);
                Add(root);
                break;
        }
    }

    private void Elements(JsonElement array)
    {
        foreach (var element in array.EnumerateArray())
        {
            if (element.ValueKind == JsonValueKind.Array)
            {
                Note(Oddity.NestedArray);
                Elements(element);
            }
            else
            {
                Add(element);
            }
        }
    }

    private void Add(JsonElement element)
    {
        if (Name(element) is not { } name)
        {
            return;
        }

        if (_seen.Add(name))
        {
            Names.Add(name);
        }
        else
        {
            Note(Oddity.DuplicateInRow);
        }
    }

    private string? Name(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                return Clean(Text(element));
            case JsonValueKind.Null:
                Note(Oddity.NullElement);
                return null;
            case JsonValueKind.Number:
                Note(Oddity.NumberElement);
                return Clean(element.GetRawText());
            case JsonValueKind.True or JsonValueKind.False:
                Note(Oddity.BooleanElement);
                return Clean(element.GetRawText());
            case JsonValueKind.Object:
                Note(Oddity.ObjectElement);
                return Clean(_policy.ObjectName is { } field && element.TryGetProperty(field, out var named) && named.ValueKind == JsonValueKind.String ? Text(named) : element.GetRawText());
            default:
                throw new InvalidOperationException($"A tag can't be a {element.ValueKind}.");
        }
    }

    private string Text(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, which the type json takes and jsonb does not.
            Note(Oddity.BrokenText);
            return element.GetRawText()[1..^1].Replace("\\u", "\uFFFD", StringComparison.OrdinalIgnoreCase);
        }
    }

    private string? Clean(string text)
    {
        var name = text;
        if (name.Any(IsControl))
        {
            Note(Oddity.ControlCharacter);
            name = string.Concat(name.Select(c => IsControl(c) ? ' ' : c));
        }

        var trimmed = name.Trim();
        if (trimmed.Length == 0)
        {
            Note(Oddity.EmptyName);
            return null;
        }

        if (trimmed.Length != name.Length)
        {
            Note(Oddity.WhiteSpace);
        }

        if (trimmed.Length <= MaxName)
        {
            return trimmed;
        }

        Note(Oddity.LongName);
        return WithSign(trimmed, trimmed);
    }

    /// <summary>A name that ends in a sign of <paramref name="of"/>, cut where it would be too long.</summary>
    internal static string WithSign(string name, string of)
    {
        var sign = $"~{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(of)))[..8]}";
        var room = Math.Min(name.Length, MaxName - sign.Length);
        if (room < name.Length && char.IsHighSurrogate(name[room - 1]))
        {
            room--;
        }

        return name[..room].TrimEnd() + sign;
    }

    // As EDM's names of tags have it: line and paragraph separators are no part of a name either.
    private static bool IsControl(char character) => char.IsControl(character) || character is '\u2028' or '\u2029';

    private void Note(Oddity oddity) => Oddities[oddity] = Oddities.GetValueOrDefault(oddity) + 1;
}
