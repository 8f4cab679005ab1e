using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Edm.Engine.Imports;

/// <summary>
/// Takes the names of tags out of one cell: divided by line breaks, <c>|</c>, <c>;</c> or <c>,</c> (the first of these that the cell has, so that a name may hold the ones after it),
/// or written as a list, <c>["a", "b"]</c>, as JSON and Python do. Not thread-safe: it keeps names, since a file has few of them and very often.
/// </summary>
internal sealed class TagCell
{
    public const int MaxTags = 64;
    public const int MaxName = 100;

    /// <summary>More can't be within the other bounds.</summary>
    public const int MaxCell = MaxTags * (MaxName + 4) * 2;

    /// <summary>A file of nothing but different names costs no more than this, and then only time.</summary>
    public const int MaxKept = 4096;

    private const string Dividers = "\n|;,";

    private readonly HashSet<string> _kept = new(StringComparer.Ordinal);
    private readonly List<string> _names = [];
    private int _max;

    /// <summary>How many different names came so far, up to <see cref="MaxKept"/>.</summary>
    public int Kept => _kept.Count;

    /// <param name="names">In the order of the cell; two that differ only by case are one. Until the next call.</param>
    /// <param name="max">How many there may be.</param>
    /// <returns>False with a reason for people.</returns>
    public bool TryRead(ReadOnlySpan<char> cell, out IReadOnlyList<string> names, [NotNullWhen(false)] out string? reason, int max = MaxTags)
    {
        _max = max;
        _names.Clear();
        names = [];
        cell = cell.Trim();
        reason = cell is ['[', .., ']'] && Listed(cell) is { } listed ? Add(listed) : AddDivided(cell);
        if (reason is not null)
        {
            return false;
        }

        names = _names;
        return true;
    }

    private string? Add(List<string> listed)
    {
        foreach (var name in listed)
        {
            if (Add(name) is { } reason)
            {
                return reason;
            }
        }

        return null;
    }

    private string? AddDivided(ReadOnlySpan<char> cell)
    {
        var divider = '\n';
        foreach (var candidate in Dividers)
        {
            if (cell.Contains(candidate))
            {
                divider = candidate;
                break;
            }
        }

        foreach (var part in cell.Split(divider))
        {
            if (Add(cell[part]) is { } reason)
            {
                return reason;
            }
        }

        return null;
    }

    private string? Add(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        if (text.IsEmpty)
        {
            return null;
        }

        if (text.Length > MaxName)
        {
            return $"a tag is longer than {MaxName} characters";
        }

        foreach (var character in text)
        {
            if (char.IsControl(character) || character is '\u2028' or '\u2029')
            {
                return "a tag holds a control character";
            }
        }

        foreach (var name in _names)
        {
            if (text.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return null;
            }
        }

        if (_names.Count == _max)
        {
            return $"more than {_max} tags";
        }

        _names.Add(Shared(text));
        return null;
    }

    private string Shared(ReadOnlySpan<char> text)
    {
        var kept = _kept.GetAlternateLookup<ReadOnlySpan<char>>();
        if (kept.TryGetValue(text, out var name))
        {
            return name;
        }

        name = text.ToString();
        if (_kept.Count < MaxKept)
        {
            _kept.Add(name);
        }

        return name;
    }

    /// <summary>Null when it is not a list of plain values.</summary>
    private static List<string>? Listed(ReadOnlySpan<char> cell) => FromJson(cell.ToString()) ?? FromQuoted(cell[1..^1]);

    private static List<string>? FromJson(string cell)
    {
        try
        {
            using var document = JsonDocument.Parse(cell);
            var names = new List<string>();
            foreach (var element in document.RootElement.EnumerateArray())
            {
                if (element.ValueKind is not (JsonValueKind.String or JsonValueKind.Number or JsonValueKind.Null))
                {
                    return null;
                }

                names.Add(element.ToString());
            }

            return names;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or ArgumentException)
        {
            // Not JSON, or a text with half a surrogate pair.
            return null;
        }
    }

    /// <summary><c>['a', 'b']</c>: every member in quotes, or it is no list but a name in brackets.</summary>
    private static List<string>? FromQuoted(ReadOnlySpan<char> inside)
    {
        var names = new List<string>();
        foreach (var part in inside.Split(','))
        {
            var member = inside[part].Trim();
            if (member is not (['\'', .., '\''] or ['"', .., '"']))
            {
                return null;
            }

            names.Add(member[1..^1].ToString());
        }

        return names;
    }
}
