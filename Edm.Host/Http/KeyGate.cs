using Microsoft.AspNetCore.Authentication;

namespace Edm.Host.Http;

/// <summary>
/// Nothing passes without a key but health: no address that is added later, none that does not exist, and none that a library opens by itself.
/// </summary>
internal sealed class KeyGate(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context) =>
        context.User.Identity is { IsAuthenticated: true } || context.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal)
            ? next(context)
            : context.ChallengeAsync();
}
