using Edm.Contracts;
using Edm.Engine.Contacts;

namespace Edm.Engine.TagMigration;

/// <summary>A row of the old table as EDM takes it.</summary>
/// <param name="User">Null: it is gone, or set aside.</param>
/// <param name="SetAside">Why it can't become a contact.</param>
/// <param name="Value">The column as it is.</param>
internal sealed record ReadRow(string Key, UserId? User, EmailAddress? Email, IReadOnlyList<string> Names, Oddity? SetAside, string? Value, string?[] Fields)
{
    public static ReadRow Of(OldRow row, OwnerNames owners, TagPolicy policy)
    {
        if (!row.Exists)
        {
            return new ReadRow(row.Key, null, null, [], null, null, row.Fields);
        }

        if (row.TooLarge)
        {
            return Aside(Oddity.TooLarge);
        }

        if (owners.Find(row.Owner) is not { } user)
        {
            return Aside(row.Owner is null ? Oddity.NoOwner : Oddity.UnknownOwner);
        }

        if (!EmailAddress.TryParse(row.Email, out var email))
        {
            return Aside(string.IsNullOrWhiteSpace(row.Email) ? Oddity.NoAddress : Oddity.InvalidAddress);
        }

        var reading = TagReading.Of(row.Tags, policy);
        return reading.SetAside is { } why ? Aside(why) : new ReadRow(row.Key, user, email, reading.Names, null, row.Tags, row.Fields);

        ReadRow Aside(Oddity why) => new(row.Key, null, null, [], why, row.Tags, row.Fields);
    }
}

/// <summary>Whose contact a row is.</summary>
internal sealed class OwnerNames
{
    private readonly UserId? _all;
    private readonly IReadOnlyDictionary<string, UserId> _users;

    public OwnerNames(UserId all) => (_all, _users) = (all, new Dictionary<string, UserId>());

    /// <param name="users">By the value of the owner column.</param>
    public OwnerNames(IReadOnlyDictionary<string, UserId> users) => _users = users;

    public IEnumerable<UserId> Users => _all is { } all ? [all] : _users.Values.Distinct();

    public UserId? Find(string? owner) => _all ?? (owner is not null && _users.TryGetValue(owner, out var user) ? user : null);
}
