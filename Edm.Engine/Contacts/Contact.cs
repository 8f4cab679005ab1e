using Edm.Contracts;
using Edm.Engine.Content;

namespace Edm.Engine.Contacts;

/// <summary>Whether a contact may be mailed. An import never changes it.</summary>
public enum ContactStatus
{
    Active,

    /// <summary>The person asked not to be mailed.</summary>
    Unsubscribed,

    /// <summary>The address bounced or complained, or an operator stopped it.</summary>
    Suppressed,
}

/// <summary>The names as the API and the database write them.</summary>
public static class ContactStatuses
{
    private static readonly string[] Names = ["active", "unsubscribed", "suppressed"];

    public static IReadOnlyList<string> All => Names;

    public static string Name(this ContactStatus status) => Names[(int)status];

    public static bool TryParse(string? name, out ContactStatus status)
    {
        var index = Array.IndexOf(Names, name);
        status = (ContactStatus)Math.Max(index, 0);
        return index >= 0;
    }
}

/// <summary>A person in a user's list.</summary>
public sealed record Contact(UserId User, ContactCard Card, ContactStatus Status, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public ContactId Id => Card.Id;
}
