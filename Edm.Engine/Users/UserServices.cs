using Microsoft.Extensions.DependencyInjection;

namespace Edm.Engine.Users;

public static class UserServices
{
    /// <summary>Users, their keys, and the administrator's first one. Needs the storage.</summary>
    public static IServiceCollection AddEdmUsers(this IServiceCollection services)
    {
        services.AddSingleton<UserStore>();
        services.AddSingleton<UserWeights>();
        services.AddSingleton<KeyStore>();
        services.AddSingleton<AdministratorKey>();
        return services;
    }
}
