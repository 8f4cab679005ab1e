using Microsoft.AspNetCore.Authentication;
using Edm.Engine.Users;

namespace Edm.Host.Http;

/// <summary>Who may do what. That nobody does anything without a key is the <see cref="KeyGate"/>'s.</summary>
internal static class Policies
{
    public const string Admin = "admin";

    public static IServiceCollection AddKeys(this IServiceCollection services)
    {
        services.AddSingleton<FailedKeys>();

        // Not AddAuthentication: that brings the machinery of cookies along, and its key ring in the home folder.
        services.AddAuthenticationCore(options => options.DefaultScheme = KeyAuthentication.SchemeName);
        services.AddWebEncoders();
        new AuthenticationBuilder(services).AddScheme<AuthenticationSchemeOptions, KeyAuthentication>(KeyAuthentication.SchemeName, null);
        services.AddAuthorizationBuilder()
            .AddPolicy(Admin, policy => policy.RequireAuthenticatedUser().RequireRole(nameof(UserRole.Admin)));
        return services;
    }
}
