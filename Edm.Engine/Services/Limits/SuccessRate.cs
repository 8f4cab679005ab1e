namespace Edm.Engine.Services.Limits;

/// <summary>
/// How well a service does of late: an exponentially weighted moving average of successes, half of it from the last 14 mails. Below
/// <see cref="Floor"/> mails it is mixed with the benefit of the doubt, so that one early failure doesn't condemn a new service.
/// </summary>
public readonly record struct SuccessRate
{
    public const int Floor = 20;

    private const double Weight = 0.05;

    private readonly double _failing;

    private SuccessRate(double failing, int samples)
    {
        _failing = failing;
        Samples = samples;
    }

    /// <summary>Counts no further than <see cref="Floor"/>.</summary>
    public int Samples { get; }

    /// <summary>0..1; 1 for a service that was never used.</summary>
    public double Rate => 1 - _failing * Samples / Floor;

    /// <summary>The failures count for this part of what they did.</summary>
    public SuccessRate Fade(double part) => new(_failing * part, Samples);

    public SuccessRate Count(bool success) =>
        new(Samples == 0 ? (success ? 0 : 1) : _failing + Weight * ((success ? 0 : 1) - _failing), Math.Min(Samples + 1, Floor));
}
