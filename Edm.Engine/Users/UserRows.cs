using Edm.Contracts;
using LinqToDB.Mapping;

namespace Edm.Engine.Users;

[Table("users")]
internal sealed class UserRow
{
    // A plain number, because pages compare it.
    [PrimaryKey, Identity] public long Id { get; init; }
    [Column] public required string Name { get; init; }
    [Column] public required string Role { get; init; }
    [Column] public long CreatedAt { get; init; }
    [Column] public int Weight { get; init; } = User.DefaultWeight;

    public const string Admin = "admin";

    public static string RoleName(UserRole role) => role == UserRole.Admin ? Admin : "user";

    public static UserRole RoleOf(string name) => name == Admin ? UserRole.Admin : UserRole.User;

    public User ToUser() => new(new UserId(Id), Name, RoleOf(Role), DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt), Weight);
}

[Table("api_keys")]
internal sealed class ApiKeyRow
{
    [PrimaryKey, Identity] public long Id { get; init; }
    [Column] public long UserId { get; init; }
    [Column] public required string Name { get; init; }
    [Column] public required byte[] Hash { get; init; }
    [Column] public long CreatedAt { get; init; }
    [Column] public long? RevokedAt { get; init; }

    public ApiKey ToKey() => new(
        Id, new UserId(UserId), Name, DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt), RevokedAt is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null);
}
