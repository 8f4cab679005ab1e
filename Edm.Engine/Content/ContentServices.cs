using Microsoft.Extensions.DependencyInjection;

namespace Edm.Engine.Content;

public static class ContentServices
{
    /// <summary>Templates and messages. Needs the storage.</summary>
    public static IServiceCollection AddContent(this IServiceCollection services)
    {
        services.AddSingleton<TemplateStore>();
        services.AddSingleton<ITemplateCache, TemplateCache>();
        services.AddSingleton<IMimeComposer, MimeComposer>();
        return services;
    }
}
