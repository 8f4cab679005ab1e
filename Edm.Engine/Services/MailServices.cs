using Edm.Engine.Services.Dkim;
using Edm.Engine.Services.Sandbox;
using Edm.Engine.Services.Smtp;
using Edm.Engine.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Edm.Engine.Services;

public static class MailServices
{
    /// <summary>Pools, services, and the way to their servers. Needs the storage.</summary>
    /// <param name="masterKey">As configured, in Base64; null or empty to use the data folder's file.</param>
    /// <param name="authorities">Whose certificates are trusted beside those of the system; null: nobody's.</param>
    public static IServiceCollection AddServices(this IServiceCollection services, string? masterKey, SmtpTimeouts? timeouts = null, TrustedAuthorities? authorities = null)
    {
        services.AddSingleton(provider => new SecretBox(MasterKey.Load(masterKey, provider.GetRequiredService<StorageSettings>().DataFolder)));
        services.AddSingleton<PoolStore>();
        services.AddSingleton<ServiceStore>();
        services.AddSingleton<DkimStore>();
        services.AddSingleton<ILaneServices>(provider => provider.GetRequiredService<ServiceStore>());
        services.AddSingleton(provider => new SmtpTransport(
            timeouts ?? new SmtpTimeouts(), () => provider.GetService<SandboxServer>()?.EndPoint, provider.GetRequiredService<TimeProvider>(), authorities));
        services.AddSingleton<IMailTransport>(provider => provider.GetRequiredService<SmtpTransport>());
        services.AddSingleton<ServiceTester>();
        return services;
    }
}
