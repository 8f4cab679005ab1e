namespace Edm.Engine.TagMigration;

/// <summary>Where the old tags are and how its rows become contacts, as the operator says it; nothing is looked up yet.</summary>
public sealed record MigrationSource
{
    /// <summary>Of the old database. It holds a password and is stored nowhere.</summary>
    public required string Connection { get; init; }

    /// <summary>As SQL writes it: contacts, crm.contacts, "My CRM"."Contacts".</summary>
    public string Table { get; init; } = "contacts";

    /// <summary>The column with the array of tags: jsonb or json.</summary>
    public string Column { get; init; } = "tags";

    /// <summary>The columns by which a row is found: unique and never null.</summary>
    public IReadOnlyList<string> Key { get; init; } = ["id"];

    public string Email { get; init; } = "email";

    /// <summary>The EDM user who gets all rows; null when <see cref="UserColumn"/> says it for each.</summary>
    public string? User { get; init; }

    /// <summary>The column that says whose contact a row is.</summary>
    public string? UserColumn { get; init; }

    /// <summary>Value of <see cref="UserColumn"/> to the name of an EDM user; a value that is not here is the name itself.</summary>
    public IReadOnlyDictionary<string, string> Users { get; init; } = new Dictionary<string, string>();

    /// <summary>A field of EDM's contacts to the column that fills it when a contact is new; any other name becomes an attribute.</summary>
    public IReadOnlyDictionary<string, string> Fields { get; init; } = new Dictionary<string, string>();

    /// <summary>A column that grows whenever a row is changed; null: triggers tell.</summary>
    public string? ChangesBy { get; init; }

    /// <summary>False: spellings that differ by case alone become one tag.</summary>
    public bool SeparateVariants { get; init; }

    /// <summary>The field of an object that names the tag.</summary>
    public string? ObjectName { get; init; }

    internal TagPolicy Policy => new(SeparateVariants, ObjectName);

    // A record prints its members; the connection holds a password.
    public override string ToString() => $"{Table}.{Column}";
}
