using Edm.Contracts.Http;

namespace Edm.Engine.Services.Limits;

/// <summary>
/// How good a choice a service is for one mail: <c>wt·time + wq·quota + ws·success + wp·fit</c>, over the sum of the weights. Among those that hold credit the highest takes it.
/// </summary>
public static class ServiceScore
{
    /// <summary>0 (worst) to 1 (best); grows with each of its parts.</summary>
    /// <param name="idle">See <see cref="Idle"/>, 0..1.</param>
    /// <param name="quotaShare">See <see cref="ServiceQuota.Share"/>, 0..1.</param>
    /// <param name="success">See <see cref="SuccessRate.Rate"/>, 0..1, over all its mails.</param>
    /// <param name="fit">The same over its mails to the recipient's provider.</param>
    public static double Of(SelectionWeights weights, double idle, double quotaShare, double success, double fit) =>
        Standing(weights, quotaShare, success, fit) + (TimeShare(weights) * Unit(idle));

    /// <summary>What of a score does not change while time passes.</summary>
    public static double Standing(SelectionWeights weights, double quotaShare, double success, double fit)
    {
        var sum = Sum(weights);
        return sum <= 0 ? 0 : ((weights.Quota * Unit(quotaShare)) + (weights.Success * Unit(success)) + (weights.ProviderFit * Unit(fit))) / sum;
    }

    /// <summary>What <see cref="Idle"/> counts for in a score, 0..1.</summary>
    public static double TimeShare(SelectionWeights weights)
    {
        var sum = Sum(weights);
        return sum <= 0 ? 0 : weights.Time / sum;
    }

    /// <summary>How rested it is: 0 just after a mail, ½ when the time between two mails at its pace has passed, nearing 1.</summary>
    /// <param name="sinceLastMs">Since its last mail was bound.</param>
    /// <param name="paceMs">Between two mails at its pace; see <see cref="PaceMs"/>.</param>
    public static double Idle(long sinceLastMs, double paceMs) => sinceLastMs <= 0 ? 0 : sinceLastMs / (sinceLastMs + paceMs);

    /// <summary>Time between two mails at the pace that its limits allow, in ms; that of one mail a second where they say nothing.</summary>
    public static double PaceMs(int? perMinute, int? perHour, int? perDay, TimeSpan gap)
    {
        const double Unlimited = 1_000;
        var byLimits = Math.Max(Of(60_000, perMinute), Math.Max(Of(3_600_000, perHour), Of(86_400_000, perDay)));
        return Math.Max(gap.TotalMilliseconds, byLimits > 0 ? byLimits : Unlimited);

        static double Of(double span, int? limit) => limit is { } some ? span / Math.Max(1, some) : 0;
    }

    private static double Sum(SelectionWeights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        return weights.Time + weights.Quota + weights.Success + weights.ProviderFit;
    }

    private static double Unit(double value) => double.IsNaN(value) ? 0 : Math.Clamp(value, 0, 1);
}
