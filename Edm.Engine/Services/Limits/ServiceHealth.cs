namespace Edm.Engine.Services.Limits;

/// <summary>How much of its quota a service is trusted with: 1, 0.7, 0.5 or nothing.</summary>
public static class ServiceHealth
{
    /// <summary>One mail in ten that fails for reasons of the service is more than chance and lists explain.</summary>
    public const double Well = 0.9;

    public const double Ailing = 0.75;

    /// <param name="successRate">See <see cref="SuccessRate.Rate"/>, 0..1.</param>
    /// <returns>Grows with the rate; 0 while the breaker is open.</returns>
    public static double Of(double successRate, BreakerState breaker) => (breaker, successRate) switch
    {
        (BreakerState.Open, _) => 0,
        (_, >= Well) => 1,
        (_, >= Ailing) => 0.7,
        _ => 0.5,
    };

    /// <summary>The part of a limit, rounded up so that a service can show that it is well again; null stays null, and nothing stays nothing.</summary>
    public static int? Part(int? limit, double health) => limit is { } most ? (int)Math.Ceiling(most * health) : null;
}
