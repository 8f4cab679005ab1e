using Edm.Host.Hosting;

namespace Edm.Host.Http;

internal static class HealthApi
{
    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        var health = app.MapGroup("/health").WithTags("Health").AllowAnonymous();
        health.MapGet("/live", () => new HealthView("alive"))
            .WithSummary("Whether the process is worth keeping").Produces<HealthView>();
        health.MapGet("/ready", async (Readiness readiness, CancellationToken cancellation) =>
                await readiness.WhyNotAsync(cancellation) is { } reason ? Problems.Result(Problem.Unavailable(reason, 1)) : TypedResults.Ok(new HealthView("ready")))
            .WithSummary("Whether requests should be sent here")
            .WithDescription("Ready means: the database is migrated and answers, this node has joined its cluster, and it is not shutting down.")
            .Produces<HealthView>().Fails(StatusCodes.Status503ServiceUnavailable);
    }
}

/// <param name="Status">alive or ready.</param>
internal sealed record HealthView(string Status);
