using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Contacts;

namespace Edm.Engine.Imports;

/// <summary>
/// What a user wants of the columns of a file, by their names: a field, an attribute (<c>attribute</c> under its own name, <c>attribute:NAME</c> under another), or
/// <c>ignore</c>. Columns that are not named are recognised as always. In a file without a header the columns are named <c>column 1</c>, <c>column 2</c> ...
/// </summary>
public sealed class ColumnMappingOverride
{
    public const int MaxColumns = 500;
    private const int MaxHeader = 500;

    private static readonly Dictionary<string, ContactField> Fields = new(StringComparer.OrdinalIgnoreCase)
    {
        ["email"] = ContactField.Email,
        ["handle"] = ContactField.Handle,
        ["nickname"] = ContactField.Nickname,
        ["firstName"] = ContactField.FirstName,
        ["lastName"] = ContactField.LastName,
        ["followers"] = ContactField.Followers,
        ["country"] = ContactField.Country,
        ["language"] = ContactField.Language,
        ["category"] = ContactField.Category,
        ["bio"] = ContactField.Bio,
        ["profileUrl"] = ContactField.ProfileUrl,
        ["tags"] = ContactField.Tags,
    };

    private readonly Dictionary<string, string> _columns;

    private ColumnMappingOverride(Dictionary<string, string> columns) => _columns = columns;

    /// <summary>Column name to <c>email</c>, <c>attribute:NAME</c>, <c>ignore</c> and so on, as the user wrote them.</summary>
    public IReadOnlyDictionary<string, string> Columns => _columns;

    /// <exception cref="FieldException">A name or a target that can't be used.</exception>
    public static ColumnMappingOverride Of(IReadOnlyDictionary<string, string> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        if (columns.Count is 0 or > MaxColumns)
        {
            throw new FieldException("columns", $"Name 1 to {MaxColumns} columns.");
        }

        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (header, target) in columns)
        {
            var field = $"columns.{(header.Length > 100 ? header[..100] : header)}";
            if (string.IsNullOrWhiteSpace(header) || header.Length > MaxHeader)
            {
                throw new FieldException(field, $"The name of a column has 1 to {MaxHeader} characters.");
            }

            if (target is null || Target(header, target) is null)
            {
                throw new FieldException(field, $"'{target}' is nothing that a column can be. Say one of {string.Join(", ", Fields.Keys)}, attribute, attribute:NAME or ignore.");
            }

            if (!known.TryAdd(header, target))
            {
                throw new FieldException(field, "This column is named twice.");
            }
        }

        return new ColumnMappingOverride(known);
    }

    /// <summary>As it is stored; the same mapping gives the same text.</summary>
    public string ToJson() => JsonSerializer.Serialize(new SortedDictionary<string, string>(_columns, StringComparer.Ordinal));

    /// <summary>Of what <see cref="ToJson"/> gave.</summary>
    public static ColumnMappingOverride FromJson(string json) =>
        Of(JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? throw new JsonException("A mapping is an object."));

    /// <summary>As a field is called in a mapping.</summary>
    internal static string NameOf(ContactField field) => field switch
    {
        ContactField.Attribute => "attribute",
        ContactField.Ignored => "ignore",
        ContactField.Status => "status",
        ContactField.MoreAttributes => "attributes",
        _ => Fields.First(f => f.Value == field).Key,
    };

    /// <summary>Whether it names columns of a file without a header.</summary>
    internal bool NamesByNumber => _columns.Keys.Any(k => KnownColumns.Key(k) is var key && key.StartsWith("column", StringComparison.Ordinal) && key[6..].All(char.IsAsciiDigit) && key.Length > 6);

    /// <summary>Null when the mapping doesn't name the column. Its exact name counts first, then one that differs in case, spaces and marks only.</summary>
    internal ImportColumn? Column(string header)
    {
        if (!_columns.TryGetValue(header, out var target))
        {
            var key = KnownColumns.Key(header);
            target = key.Length == 0 ? null : _columns.FirstOrDefault(c => KnownColumns.Key(c.Key) == key).Value;
        }

        return target is null ? null : Target(header, target);
    }

    private static ImportColumn? Target(string header, string target)
    {
        var own = AttributeName.Of(header);
        if (Fields.TryGetValue(target, out var field))
        {
            return new ImportColumn(header, field, -1, own) { Reason = "the mapping says so" };
        }

        if (target.Equals("ignore", StringComparison.OrdinalIgnoreCase))
        {
            return new ImportColumn(header, ContactField.Ignored, 0, own) { Reason = "the mapping leaves it out" };
        }

        var name = target.Equals("attribute", StringComparison.OrdinalIgnoreCase) ? own
            : target.StartsWith("attribute:", StringComparison.OrdinalIgnoreCase) ? AttributeName.Of(target["attribute:".Length..])
            : "";
        return name.Length == 0 ? null : new ImportColumn(header, ContactField.Attribute, 0, name) { Reason = "the mapping says so" };
    }
}
