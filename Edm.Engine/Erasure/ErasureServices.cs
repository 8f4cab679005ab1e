using Microsoft.Extensions.DependencyInjection;

namespace Edm.Engine.Erasure;

public static class ErasureServices
{
    /// <summary>Needs the storage, the suppressions and the sandbox. Cleans from its start on: after the database was migrated.</summary>
    public static IServiceCollection AddErasure(this IServiceCollection services)
    {
        services.AddSingleton<PersonErasure>();
        services.AddSingleton<ErasureCleaning>();
        services.AddHostedService(provider => provider.GetRequiredService<ErasureCleaning>());
        return services;
    }
}
