using Microsoft.Extensions.DependencyInjection;

namespace Edm.Engine.Contacts;

public static class ContactServices
{
    public static IServiceCollection AddContacts(this IServiceCollection services) => services.AddSingleton<ContactStore>();
}
