using Edm.Contracts;
using Edm.Engine.Users;

namespace Edm.Host.Commands;

/// <summary>Whose contacts a command works on.</summary>
internal static class CommandUser
{
    private const int Page = 1000;

    /// <param name="name">Null: the first administrator.</param>
    /// <returns>Null when nobody has this name.</returns>
    public static async Task<User?> FindAsync(UserStore users, string? name, CancellationToken cancellation)
    {
        if (name is not null)
        {
            return await users.FindByNameAsync(name, cancellation);
        }

        var after = default(UserId);
        while (await users.ListAsync(after, Page, cancellation) is { Count: > 0 } page)
        {
            if (page.FirstOrDefault(user => user.Role == UserRole.Admin) is { } administrator)
            {
                return administrator;
            }

            after = page[^1].Id;
        }

        throw new InvalidOperationException("There is no administrator, although one was just made sure of.");
    }
}
