using System.Text.Json;
using System.Text.Json.Serialization;

namespace Edm.Contracts;

/// <summary>A run of recipients of one task, both ends included; seq counts from 1. As JSON: <c>"3-7"</c>, or <c>"3"</c> for a run of one.</summary>
[JsonConverter(typeof(SeqRangeConverter))]
public readonly record struct SeqRange(int First, int Last)
{
    public int Count => Last - First + 1;

    public bool Contains(int seq) => seq >= First && seq <= Last;

    /// <summary>The shortest ascending runs that hold exactly these numbers; doubled numbers count once.</summary>
    public static SeqRange[] Of(IEnumerable<int> seqs)
    {
        var runs = new List<SeqRange>();
        foreach (var seq in seqs.Order())
        {
            if (runs.Count > 0 && seq - 1 <= runs[^1].Last)
            {
                runs[^1] = runs[^1] with { Last = Math.Max(seq, runs[^1].Last) };
            }
            else
            {
                runs.Add(new SeqRange(seq, seq));
            }
        }

        return [.. runs];
    }
}

internal sealed class SeqRangeConverter : JsonConverter<SeqRange>
{
    public override SeqRange Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var text = reader.GetString() ?? "";
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        var invariant = System.Globalization.CultureInfo.InvariantCulture;
        if (dash < 0 && int.TryParse(text, invariant, out var one))
        {
            return new SeqRange(one, one);
        }

        return dash > 0 && int.TryParse(text.AsSpan(0, dash), invariant, out var first) && int.TryParse(text.AsSpan(dash + 1), invariant, out var last) && last >= first
            ? new SeqRange(first, last)
            : throw new JsonException($"'{text}' is not a range of recipients.");
    }

    public override void Write(Utf8JsonWriter writer, SeqRange value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.First == value.Last ? $"{value.First}" : $"{value.First}-{value.Last}");
}
