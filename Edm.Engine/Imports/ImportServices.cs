using Microsoft.Extensions.DependencyInjection;

namespace Edm.Engine.Imports;

public static class ImportServices
{
    /// <summary>The host calls <see cref="ImportStore.FailInterruptedAsync(CancellationToken)"/> once at its start.</summary>
    public static IServiceCollection AddImports(this IServiceCollection services) =>
        services.AddSingleton<ImportStore>().AddSingleton<Importer>();
}
