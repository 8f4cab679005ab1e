namespace Edm.Engine.Contacts.Export;

/// <summary>
/// How the columns of an export are called. An import knows a file by the first of them for one of EDM's own, and takes every value then exactly as it stands there: nothing
/// is guessed, put into another form, or looked for in another column.
/// </summary>
public static class ExportNames
{
    /// <summary>The first column of every export.</summary>
    public const string Id = "edm.id";

    /// <summary>New contacts get it; of those that are there an import never changes it.</summary>
    public const string Status = "edm.status";

    public const string CreatedAt = "edm.created_at";
    public const string UpdatedAt = "edm.updated_at";
    public const string LastSentAt = "edm.last_sent_at";

    /// <summary>A JSON object of the attributes that have no column of their own.</summary>
    public const string More = "edm.more";

    /// <summary>Of what belongs to EDM and not to the person.</summary>
    public const string Own = "edm.";

    /// <summary>Before the name of an attribute, as in filters.</summary>
    public const string Attribute = "attr.";

    /// <summary>A JSON list: a tag may hold anything that could divide two.</summary>
    public const string Tags = "tags";

    /// <summary>What a CSV export begins with, after its byte order mark.</summary>
    public const string CsvStart = Id + ",";
}
