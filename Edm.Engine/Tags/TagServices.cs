using Microsoft.Extensions.DependencyInjection;

namespace Edm.Engine.Tags;

public static class TagServices
{
    public static IServiceCollection AddTags(this IServiceCollection services) =>
        services.AddSingleton<TagStore>().AddSingleton<TagApplication>().AddSingleton<TagHistory>().AddSingleton<TagUndo>().AddSingleton<TagPruneStore>();
}
