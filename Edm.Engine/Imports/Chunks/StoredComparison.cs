using System.Text.Json;

namespace Edm.Engine.Imports.Chunks;

/// <summary>
/// Tells from the bytes that a row adds nothing to what is stored of its contact, as nearly all of a list that comes again. What it does not tell so may still add nothing, when it
/// is looked at more closely. Not thread-safe: it keeps its buffers.
/// </summary>
internal sealed class StoredComparison(ConflictPolicy policy)
{
    private readonly List<(Range Name, Range Value)> _fresh = [];
    private readonly List<(Range Name, Range Value)> _old = [];

    private bool Merges => policy == ConflictPolicy.Merge;

    public bool AddsNothing(StagedRows rows, int row, StagedRows stored, int contact)
    {
        ref readonly var fresh = ref rows[row];
        ref readonly var old = ref stored[contact];
        // A merge leaves the address as it is written.
        return (Merges || Same(fresh.Email, old.Email)) && Same(fresh.Handle, old.Handle) && Same(fresh.Nickname, old.Nickname)
            && (fresh.Followers == old.Followers || (Merges && fresh.Followers is null)) && Same(fresh.Country, old.Country) && Same(fresh.Language, old.Language)
            && Same(fresh.Category, old.Category) && Same(fresh.Bio, old.Bio) && SameAttributes(rows.Text(fresh.Attributes), stored.Text(old.Attributes));

        bool Same(TextPlace ours, TextPlace theirs) =>
            ours.IsNone ? Merges || theirs.IsNone : !theirs.IsNone && rows.Text(ours).SequenceEqual(stored.Text(theirs));
    }

    private bool SameAttributes(ReadOnlySpan<byte> fresh, ReadOnlySpan<byte> old)
    {
        if (fresh.SequenceEqual(old))
        {
            return true;
        }

        // PostgreSQL writes an object in its own order and with spaces.
        if (!Read(fresh, _fresh) || !Read(old, _old) || (!Merges && _fresh.Count != _old.Count))
        {
            return false;
        }

        foreach (var (name, value) in _fresh)
        {
            if (!Has(old, fresh[name], fresh[value]))
            {
                return false;
            }
        }

        return true;
    }

    private bool Has(ReadOnlySpan<byte> old, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        foreach (var pair in _old)
        {
            if (name.SequenceEqual(old[pair.Name]))
            {
                return value.SequenceEqual(old[pair.Value]);
            }
        }

        return false;
    }

    /// <returns>False for what is not texts alone, or not written as it is meant: an escape has many spellings.</returns>
    private static bool Read(ReadOnlySpan<byte> json, List<(Range Name, Range Value)> pairs)
    {
        pairs.Clear();
        var name = default(Range);
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.EndObject)
            {
                continue;
            }

            if (reader.TokenType is not (JsonTokenType.PropertyName or JsonTokenType.String) || reader.ValueIsEscaped)
            {
                return false;
            }

            // Behind the quote.
            var start = (int)reader.TokenStartIndex + 1;
            var place = start..(start + reader.ValueSpan.Length);
            if (reader.TokenType == JsonTokenType.PropertyName)
            {
                name = place;
            }
            else
            {
                pairs.Add((name, place));
            }
        }

        return true;
    }
}
