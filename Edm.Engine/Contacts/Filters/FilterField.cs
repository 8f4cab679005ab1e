namespace Edm.Engine.Contacts.Filters;

/// <summary>What a filter can ask about a contact, and what a list can be sorted by.</summary>
/// <param name="Name">As the user knows it; of an attribute, its own name.</param>
/// <param name="Column">The column of contacts or contact_activity, or attributes.</param>
/// <param name="Quick">It is answered from columns in memory, or by an index; else contacts are read.</param>
internal sealed record FilterField(string Name, string Column, FilterFieldKind Kind, bool Quick)
{
    private const string AttributePrefix = "attr.";

    public static IReadOnlyList<FilterField> Known { get; } =
    [
        new("handle", "handle", FilterFieldKind.Text, Quick: false),
        new("nickname", "nickname", FilterFieldKind.Text, Quick: false),
        new("country", "country", FilterFieldKind.Text, Quick: true),
        new("language", "language", FilterFieldKind.Text, Quick: true),
        new("category", "category", FilterFieldKind.Text, Quick: true),
        new("bio", "bio", FilterFieldKind.Text, Quick: false),
        new("email", "email_key", FilterFieldKind.Text, Quick: false),
        new("domain", "email_key", FilterFieldKind.Domain, Quick: true),
        new("status", "status", FilterFieldKind.Status, Quick: true),
        new("followers", "followers", FilterFieldKind.Number, Quick: true),
        new("createdAt", "created_at", FilterFieldKind.Moment, Quick: true),
        new("updatedAt", "updated_at", FilterFieldKind.Moment, Quick: true),
        new("lastSent", "last_sent_at", FilterFieldKind.Moment, Quick: true),
    ];

    /// <summary>Words that begin a test without being a field.</summary>
    public static IReadOnlyList<string> Words { get; } = ["tag", "untagged", "segment"];

    public bool IsAttribute => Kind is FilterFieldKind.Attribute or FilterFieldKind.AttributeNumber or FilterFieldKind.AttributeDay;

    public bool IsText => Kind is FilterFieldKind.Text or FilterFieldKind.Domain or FilterFieldKind.Status or FilterFieldKind.Attribute;

    /// <summary>It comes from contact_activity, which changes without the contact.</summary>
    public bool IsActivity => Column == "last_sent_at";

    /// <summary>The same attribute, read as a number or a day.</summary>
    public FilterField As(FilterFieldKind kind) => this with { Kind = kind };

    /// <summary>Both <c>lastSent</c> and <c>last_sent</c> are understood, in any case.</summary>
    /// <returns>Null when there is none.</returns>
    /// <exception cref="ContactFilterException">Nothing stands after <c>attr.</c>.</exception>
    public static FilterField? Find(string name, int position)
    {
        if (name.StartsWith(AttributePrefix, StringComparison.OrdinalIgnoreCase))
        {
            var attribute = AttributeName.Of(name[AttributePrefix.Length..]);
            return attribute.Length > 0
                ? new FilterField(attribute, "attributes", FilterFieldKind.Attribute, Quick: true)
                : throw new ContactFilterException("Expected a name after 'attr.'", position);
        }

        var plain = name.Replace("_", "", StringComparison.Ordinal);
        return Known.FirstOrDefault(f => f.Name.Equals(plain, StringComparison.OrdinalIgnoreCase));
    }
}

internal enum FilterFieldKind
{
    Text,

    /// <summary>What stands after the last @ of the address.</summary>
    Domain,
    Status,
    Number,

    /// <summary>Milliseconds since 1970.</summary>
    Moment,

    /// <summary>Text, as the import brought it.</summary>
    Attribute,
    AttributeNumber,

    /// <summary>Days as the number yyyymmdd.</summary>
    AttributeDay,
}
