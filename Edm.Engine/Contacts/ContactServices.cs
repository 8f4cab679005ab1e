using Edm.Engine.Services;
using Edm.Engine.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Edm.Engine.Contacts;

public static class ContactServices
{
    public static IServiceCollection AddContacts(this IServiceCollection services) => services.AddSingleton<ContactStore>();

    /// <param name="masterKey">As configured, in Base64; null or empty to use the data folder's file.</param>
    public static IServiceCollection AddSuppressions(this IServiceCollection services, string? masterKey)
    {
        services.TryAddSingleton(provider => new SuppressionKey(MasterKey.Load(masterKey, provider.GetRequiredService<StorageSettings>().DataFolder)));
        services.TryAddSingleton<SuppressionStore>();
        return services;
    }
}
