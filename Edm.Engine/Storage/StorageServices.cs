using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Edm.Engine.Storage;

public static class StorageServices
{
    /// <summary>The database and its <see cref="Migrator"/>, which the host runs before anything else.</summary>
    public static IServiceCollection AddEdmStorage(this IServiceCollection services, StorageSettings settings)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(settings);
        services.AddSingleton<EdmDatabase>();
        services.AddSingleton<Migrator>();
        return services;
    }
}
