namespace Edm.Contracts.Http;

/// <summary>An account. It owns contacts, services, templates and campaigns, and nobody sees another's.</summary>
/// <param name="Role">admin or user.</param>
/// <param name="Weight">1 to 100: its share among the users who send through the same services at the same time.</param>
public sealed record UserView(UserId Id, string Name, string Role, DateTimeOffset CreatedAt, int Weight);

/// <summary>What is left out stays as it is.</summary>
public sealed record UserChange
{
    public Optional<int> Weight { get; init; }
}

/// <param name="Name">1 to 64 letters, digits, dots, dashes, underscores or @.</param>
/// <param name="Role">admin or user; user when it is left out.</param>
public sealed record NewUser(string Name, string? Role = null);

/// <summary>A key without its secret.</summary>
public sealed record KeyView(long Id, string Name, DateTimeOffset CreatedAt);

/// <param name="Name">What you call it, so that you know later which one to revoke.</param>
public sealed record NewKey(string Name);

/// <summary>A key just made. It is shown here and never again.</summary>
/// <param name="Key">The secret: send it as <c>Authorization: Bearer KEY</c>.</param>
public sealed record MadeKey(long Id, string Name, string Key, DateTimeOffset CreatedAt);

/// <summary>Whose key this is.</summary>
/// <param name="Role">admin or user.</param>
/// <param name="KeyId">The key that the request came with.</param>
public sealed record Me(UserId Id, string Name, string Role, long KeyId);
