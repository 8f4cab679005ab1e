using System.Globalization;
using System.Reflection;
using System.Security.Claims;
using Edm.Contracts;
using Edm.Engine.Users;

namespace Edm.Host.Http;

/// <summary>Whose key the request carries. A handler takes it as a parameter, and passes its <see cref="User"/> to every store.</summary>
public sealed record Caller(UserId User, string Name, UserRole Role, long KeyId, string KeyName)
{
    public bool IsAdmin => Role == UserRole.Admin;

    // Minimal APIs find this by its name.
    public static ValueTask<Caller?> BindAsync(HttpContext context, ParameterInfo parameter) => ValueTask.FromResult<Caller?>(Of(context.User));

    internal ClaimsPrincipal ToPrincipal(string scheme) => new(new ClaimsIdentity(
        [
            new Claim(ClaimTypes.NameIdentifier, User.ToString()),
            new Claim(ClaimTypes.Name, Name),
            new Claim(ClaimTypes.Role, Role.ToString()),
            new Claim("key", KeyId.ToString(CultureInfo.InvariantCulture)),
            new Claim("key-name", KeyName),
        ],
        scheme));

    private static Caller Of(ClaimsPrincipal principal) => new(
        new UserId(long.Parse(Value(principal, ClaimTypes.NameIdentifier), CultureInfo.InvariantCulture)),
        Value(principal, ClaimTypes.Name),
        Enum.Parse<UserRole>(Value(principal, ClaimTypes.Role)),
        long.Parse(Value(principal, "key"), CultureInfo.InvariantCulture),
        Value(principal, "key-name"));

    private static string Value(ClaimsPrincipal principal, string type) =>
        principal.FindFirstValue(type) ?? throw new InvalidOperationException("A handler that needs a caller answers without a key.");
}
