using Microsoft.Extensions.DependencyInjection;

namespace Edm.Engine.Imports;

public static class ImportServices
{
    /// <summary>Needs the storage and the suppressions.</summary>
    public static IServiceCollection AddImports(this IServiceCollection services) =>
        services.AddSingleton<ImportStore>().AddSingleton<ImportMappingStore>().AddSingleton<ErrorsCsv>().AddSingleton<Importer>().AddSingleton<ImportRecovery>();

    /// <summary>Goes on with what was cut off. After the database was migrated.</summary>
    public static IServiceCollection AddImportRecovery(this IServiceCollection services) =>
        services.AddHostedService(provider => provider.GetRequiredService<ImportRecovery>());
}
