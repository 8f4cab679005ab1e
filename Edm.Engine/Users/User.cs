using System.Text.Json.Serialization;
using Edm.Contracts;

namespace Edm.Engine.Users;

[JsonConverter(typeof(JsonStringEnumConverter<UserRole>))]
public enum UserRole
{
    [JsonStringEnumMemberName("user")] User,

    /// <summary>May make users and keys, share pools and see the cluster. Sees no more of other users' contacts and mails than anybody.</summary>
    [JsonStringEnumMemberName("admin")] Admin,
}

/// <param name="Weight">1 to 100: its share among the users who send through the same lane.</param>
public sealed record User(UserId Id, string Name, UserRole Role, DateTimeOffset CreatedAt, int Weight = User.DefaultWeight)
{
    public const int DefaultWeight = 1;
    public const int MaxWeight = 100;
}

/// <summary>A key without its secret, which is stored nowhere.</summary>
public sealed record ApiKey(long Id, UserId User, string Name, DateTimeOffset CreatedAt, DateTimeOffset? RevokedAt);

/// <summary>Whose key it is, and which one of that user's.</summary>
public sealed record KeyOwner(UserId User, string Name, UserRole Role, long KeyId, string KeyName);
