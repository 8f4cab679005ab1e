using Edm.Engine.Contacts.Duplicates;
using Edm.Engine.Contacts.Export;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Filters.Columns;
using Edm.Engine.Contacts.History;
using Edm.Engine.Contacts.Search;
using Edm.Engine.Contacts.Suppressions;
using Edm.Engine.Services;
using Edm.Engine.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Edm.Engine.Contacts;

public static class ContactServices
{
    public static IServiceCollection AddContacts(this IServiceCollection services, FilterSettings filters)
    {
        ArgumentNullException.ThrowIfNull(filters);
        services.AddSingleton(new ContactColumns(filters.ColumnMemory));
        services.AddSingleton(filters.Scan);
        services.AddSingleton<ContactSelection>();
        services.AddSingleton<ContactSearch>();
        services.AddSingleton<ContactExport>();
        services.AddSingleton<ContactHistory>();
        services.AddSingleton<ContactMerge>();
        services.AddSingleton<DuplicateSearch>();
        services.AddSingleton<SuppressionList>();
        return services.AddSingleton<ContactStore>();
    }

    /// <summary>Suppresses contacts whose mailbox does not exist. Starts behind what migrates the database.</summary>
    public static IServiceCollection AddDeadAddressSuppression(this IServiceCollection services)
    {
        services.AddSingleton<DeadAddressSuppression>();
        return services.AddHostedService(provider => provider.GetRequiredService<DeadAddressSuppression>());
    }

    /// <param name="masterKey">As configured, in Base64; null or empty to use the data folder's file.</param>
    public static IServiceCollection AddSuppressions(this IServiceCollection services, string? masterKey)
    {
        services.TryAddSingleton(provider => new SuppressionKey(MasterKey.Load(masterKey, provider.GetRequiredService<StorageSettings>().DataFolder)));
        services.TryAddSingleton<SuppressionStore>();
        return services;
    }
}
