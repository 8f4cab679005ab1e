using Edm.Engine.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Edm.Engine.Services.Sandbox;

public static class SandboxServices
{
    /// <summary>
    /// The sandbox, kept in the data folder. It starts and stops as a hosted service: add it before the actor system, so that it is there when the first
    /// lane asks for it, and still there while the last mails end.
    /// </summary>
    /// <param name="port">0: any free one.</param>
    public static IServiceCollection AddSandbox(this IServiceCollection services, int port = 0)
    {
        services.AddSingleton<SandboxBehaviours>();
        services.AddSingleton<ISandboxStore>(provider => new SandboxStore(Path.Combine(provider.GetRequiredService<StorageSettings>().DataFolder, SandboxStore.FileName)));
        services.AddSingleton(provider => new SandboxServer(
            provider.GetRequiredService<ISandboxStore>(), provider.GetRequiredService<SandboxBehaviours>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<SandboxServer>>(), port));
        services.AddHostedService(provider => provider.GetRequiredService<SandboxServer>());
        return services;
    }
}
