namespace Edm.Engine.Services.Limits;

/// <summary>Which service takes the next mail: the one with the highest score among those that hold credit.</summary>
public static class ServiceScore
{
    // Success weighs most: a mail that fails costs its recipient a retry. Free connections and quota spread the load.
    private const double FreeWeight = 0.3;
    private const double QuotaWeight = 0.3;
    private const double SuccessWeight = 0.4;

    /// <summary>0 (worst) to 1 (best); grows with each of its three parts.</summary>
    /// <param name="free">Share of the service's connections that are idle now, 0..1.</param>
    /// <param name="quotaLeft">Share of its quota that is left, 0..1; see <see cref="ServiceQuota.Share"/>.</param>
    /// <param name="successRate">See <see cref="SuccessRate.Rate"/>, 0..1.</param>
    public static double Of(double free, double quotaLeft, double successRate) =>
        FreeWeight * Unit(free) + QuotaWeight * Unit(quotaLeft) + SuccessWeight * Unit(successRate);

    private static double Unit(double value) => double.IsNaN(value) ? 0 : Math.Clamp(value, 0, 1);
}
