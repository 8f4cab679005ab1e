using System.Globalization;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Export;

namespace Edm.Engine.Imports;

/// <summary>What a column holds.</summary>
internal enum ContactField
{
    /// <summary>Unknown to us, and kept.</summary>
    Attribute,
    Email,
    Handle,
    Nickname,
    FirstName,
    LastName,
    Followers,
    Country,
    Language,
    Category,
    Bio,

    /// <summary>Where the person is found; kept as an attribute, and has the handle where no column of its own has.</summary>
    ProfileUrl,
    Tags,

    /// <summary>Not wanted by the user.</summary>
    Ignored,

    /// <summary>Whether a contact may be mailed: in EDM's own exports, for contacts that are not there yet.</summary>
    Status,

    /// <summary>A JSON object of attributes that have no column of their own: in EDM's own exports.</summary>
    MoreAttributes,
}

/// <param name="Name">As the file writes it.</param>
/// <param name="Rank">Of several columns for one field the lowest rank that has a value wins.</param>
/// <param name="Attribute">The name when it is kept as an attribute; empty when the header is.</param>
internal sealed record ImportColumn(string Name, ContactField Field, int Rank, string Attribute)
{
    public ColumnForm Form { get; init; } = ColumnForm.Text;

    /// <summary>The file is an export of EDM: values are taken as they stand there.</summary>
    public bool IsExact { get; init; }

    /// <summary>Why it is what it is, for people.</summary>
    public string Reason { get; init; } = "";
}

/// <summary>
/// Recognises columns by their names, and where these say nothing by their values. Case, spaces, punctuation, accents and line breaks in a header don't
/// matter: <c>Follower Count</c>, <c>follower_count</c> and <c>\nFollowers</c> are the same to us.
/// </summary>
internal static class ColumnMapping
{
    public static ImportColumn Of(string header)
    {
        var attribute = AttributeName.Of(header);
        return KnownColumns.Find(header) is var (field, rank, reason)
            ? new ImportColumn(header, field, rank, attribute) { Reason = reason }
            : new ImportColumn(header, ContactField.Attribute, 0, attribute) { Reason = attribute.Length > 0 ? "its name is not known, so it is kept as an attribute" : "it has no name, so it is left out" };
    }

    /// <summary>A column of one of EDM's own exports (<see cref="ExportNames"/>).</summary>
    public static ImportColumn OfExport(string header)
    {
        if (header.StartsWith(ExportNames.Attribute, StringComparison.Ordinal) && header.Length > ExportNames.Attribute.Length)
        {
            return Exact(ContactField.Attribute, header[ExportNames.Attribute.Length..]);
        }

        if (header.StartsWith(ExportNames.Own, StringComparison.Ordinal))
        {
            return Exact(header switch { ExportNames.Status => ContactField.Status, ExportNames.More => ContactField.MoreAttributes, _ => ContactField.Ignored });
        }

        var column = Of(header);
        return column.Field == ContactField.Attribute ? column : column with { IsExact = true };

        ImportColumn Exact(ContactField field, string attribute = "") => new(header, field, 0, attribute) { IsExact = true, Reason = "the file is an export of EDM" };
    }

    /// <summary>The columns of a header line. Attributes that would have the same name are told apart by <c>_2</c>, <c>_3</c> ...</summary>
    /// <param name="asked">What the user wants instead; null when that was not said.</param>
    /// <param name="sample">The values of a column in the first rows, trimmed and without empty ones.</param>
    public static ImportColumn[] Of(IReadOnlyList<string> headers, ColumnMappingOverride? asked = null, Func<int, IReadOnlyList<string>>? sample = null)
    {
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        var isExport = headers.Contains(ExportNames.Id);
        var columns = headers.Select(header =>
        {
            var column = asked?.Column(header) ?? (isExport ? OfExport(header) : Of(header));
            if (column.Attribute.Length == 0 || column.IsExact)
            {
                return column;
            }

            var times = seen[column.Attribute] = seen.GetValueOrDefault(column.Attribute) + 1;
            return times == 1 || column.Field is not (ContactField.Attribute or ContactField.ProfileUrl)
                ? column
                : column with { Attribute = string.Create(CultureInfo.InvariantCulture, $"{column.Attribute}_{times}") };
        }).ToArray();
        if (sample is not null)
        {
            FindAddresses(columns, sample);
            for (var i = 0; i < columns.Length; i++)
            {
                if (columns[i] is { Field: ContactField.Attribute, IsExact: false })
                {
                    columns[i] = columns[i] with { Form = ColumnForm.Guess(sample(i).Where(v => !RowMapper.IsPlaceholder(v))) };
                }
            }
        }

        return columns;
    }

    /// <summary>Where no name tells of addresses, the column that has the most of them does, if most of its values are some.</summary>
    private static void FindAddresses(ImportColumn[] columns, Func<int, IReadOnlyList<string>> sample)
    {
        if (columns.Any(c => c.Field == ContactField.Email))
        {
            return;
        }

        var (best, most, of) = (-1, 0, 0);
        for (var i = 0; i < columns.Length; i++)
        {
            if (columns[i].Field is ContactField.Ignored or ContactField.Bio)
            {
                continue;
            }

            var values = sample(i);
            var addresses = values.Count(v => EmailFinder.TryRead(v, out _, out _));
            if (addresses > most && 2 * addresses >= values.Count)
            {
                (best, most, of) = (i, addresses, values.Count);
            }
        }

        if (best >= 0)
        {
            columns[best] = columns[best] with
            {
                Field = ContactField.Email,
                Reason = string.Create(CultureInfo.InvariantCulture, $"by its values: {most} of the first {of} are addresses"),
            };
        }
    }
}
