using Microsoft.Extensions.DependencyInjection;

namespace Edm.Engine.Segments;

public static class SegmentServices
{
    public static IServiceCollection AddSegments(this IServiceCollection services) => services.AddSingleton<SegmentStore>();
}
