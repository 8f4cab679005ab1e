using Edm.Engine.Unknowns;
using Microsoft.Extensions.DependencyInjection;

namespace Edm.Engine.Campaigns;

public static class CampaignServices
{
    /// <summary>Campaigns, audiences, tasks, and what hands them to the queues. Needs the storage; the launcher needs the actor system.</summary>
    public static IServiceCollection AddEdmCampaigns(this IServiceCollection services)
    {
        services.AddSingleton<CampaignStore>();
        services.AddSingleton<AudienceStore>();
        services.AddSingleton<TaskStore>();
        services.AddSingleton<PoolCapacityStore>();
        services.AddSingleton<LaunchStore>();
        services.AddSingleton<RecipientStore>();
        services.AddSingleton<IRecipientSource, RecipientSource>();
        services.AddSingleton<TaskQueue>();
        services.AddSingleton<TaskReader>();
        services.AddSingleton<TaskControl>();
        services.AddSingleton<PoolConditions>();
        services.AddSingleton<UnknownStore>();
        services.AddSingleton<UnknownControl>();
        services.AddSingleton<Launcher>();
        services.AddHostedService(provider => provider.GetRequiredService<Launcher>());
        return services;
    }
}
