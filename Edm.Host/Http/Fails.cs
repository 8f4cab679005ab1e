namespace Edm.Host.Http;

internal static class FailsExtensions
{
    /// <summary>Describes the problems that an address can answer with; 401, 500 and 503 go without saying.</summary>
    public static TBuilder Fails<TBuilder>(this TBuilder builder, params int[] statuses) where TBuilder : IEndpointConventionBuilder
    {
        foreach (var status in statuses)
        {
            builder.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(Problem), ["application/problem+json"]));
        }

        return builder;
    }
}
