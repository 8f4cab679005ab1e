using System.Text.Encodings.Web;
using System.Text.Json;

namespace Edm.Benchmarks;

/// <summary>One measured figure and what it was measured against; printed as one line of JSON.</summary>
/// <param name="Ours">Null when only the baseline was asked for.</param>
/// <param name="Baseline">Another program in the same run or, for a figure that has a fixed bound, that bound; <paramref name="BaselineName"/> says which.</param>
/// <param name="Conditions">What a reader needs in order to repeat it.</param>
internal sealed record Figure(string Bench, string Unit, double? Ours, double? Baseline, string BaselineName, IReadOnlyDictionary<string, object> Conditions)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public double? Ratio => Ours is { } ours && Baseline is { } baseline and not 0 ? Math.Round(ours / baseline, 3) : null;

    public string ToJson() => JsonSerializer.Serialize(this with { Ours = Round(Ours), Baseline = Round(Baseline) }, Json);

    private static double? Round(double? value) => value is { } v ? Math.Round(v, Math.Abs(v) < 10 ? 3 : 1) : null;
}
