using System.Text.Encodings.Web;
using System.Text.Json;

namespace Edm.Benchmarks;

/// <summary>One measured figure and what it was measured against; printed as one line of JSON.</summary>
/// <param name="Ours">Null when only the baseline was asked for.</param>
/// <param name="Baseline">Another program in the same run or, for a figure that has a fixed bound, that bound; <paramref name="BaselineName"/> says which.</param>
/// <param name="Conditions">What a reader needs in order to repeat it.</param>
internal sealed record Figure(string Bench, string Unit, double? Ours, double? Baseline, string BaselineName, IReadOnlyDictionary<string, object> Conditions)
{
    /// <summary>Seconds, bytes, shares of a core: the less the better. False for what counts in mails a second.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool LessIsBetter { get; init; }

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Above 1: ours is better, whatever the unit.</summary>
    public double? Ratio => Ours is { } ours and not 0 && Baseline is { } baseline and not 0 ? Math.Round(LessIsBetter ? baseline / ours : ours / baseline, 3) : null;

    public string ToJson() => JsonSerializer.Serialize(this with { Ours = Round(Ours), Baseline = Round(Baseline) }, Json);

    private static double? Round(double? value) => value is { } v ? Math.Round(v, Math.Abs(v) < 10 ? 3 : 1) : null;
}
