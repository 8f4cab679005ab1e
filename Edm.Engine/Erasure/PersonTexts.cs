using System.Globalization;
using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Data;

namespace Edm.Engine.Erasure;

/// <summary>
/// Cuts a person's addresses out of everything of the user that holds text in words of its own: other contacts, histories, refused rows, the list of imports, filters. Each
/// place is read once through: some seconds where a user has millions of rows.
/// </summary>
/// <param name="book">Contacts that are changed here are said to it.</param>
internal sealed class PersonTexts(EdmConnection connection, ContactBook book, PersonWords words)
{
    /// <summary>Why a refused row is not kept any more.</summary>
    public const string RowReason = "this person was erased, and the row with them";

    private enum Form
    {
        Text,

        /// <summary>In jane@example.com.csv the dot before csv ends the address.</summary>
        FileName,
        Json,
        Filter,
        FilterInJson,
    }

    /// <summary>Whatever a user's texts may hold of a person. What authors write themselves (templates, names of tags and campaigns) is theirs and stays.</summary>
    private static readonly Place[] Places =
    [
        new("contacts", "id", "handle", Form.Text, Of("contacts")),
        new("contacts", "id", "nickname", Form.Text, Of("contacts")),
        new("contacts", "id", "bio", Form.Text, Of("contacts")),
        new("contacts", "id", "attributes", Form.Json, Of("contacts"), IsJsonb: true),
        new("contact_changes", "id", "changes", Form.Json, Of("contact_changes"), IsJsonb: true),
        new("imports", "id", "file_name", Form.FileName, Of("imports")),
        new("imports", "id", "header", Form.Json, Of("imports")),
        new("imports", "id", "options", Form.Json, Of("imports"), IsJsonb: true),
        new("imports", "id", "error", Form.Text, Of("imports")),
        new("imports", "id", "idempotency_key", Form.Text, Of("imports")),
        new("services", "id", "last_error", Form.Text, Of("services")),
        new("segments", "id", "filter", Form.Filter, Of("segments")),
        new("campaigns", "id", "filter", Form.Filter, Of("campaigns")),
        new("tag_operations", "id", "details", Form.FilterInJson, Of("tag_operations"), IsJsonb: true),
    ];

    public async Task CutAsync(CancellationToken cancellation)
    {
        var needles = words.AddressNeedles.ToArray();
        foreach (var place in Places)
        {
            foreach (var (id, ordinal, text) in await FindAsync(place, needles, cancellation))
            {
                if (Cut(place.Form, text) is { } without)
                {
                    await WriteAsync(place, id, without, cancellation);
                    if (ordinal is { } changed)
                    {
                        book.Touch(changed);
                    }
                }
            }
        }

        await CutMappingsAsync(cancellation);
        await CutRefusedRowsAsync([.. needles.Concat(words.NameNeedles).Distinct()], cancellation);
    }

    private string? Cut(Form form, string text)
    {
        switch (form)
        {
            case Form.Json:
                return words.WithoutInJson(text);
            case Form.FilterInJson:
                return words.WithoutInJson(text, PersonWords.CutInFilter);
            case Form.FileName:
                for (var stem = text; stem.Length > 0; stem = Path.GetFileNameWithoutExtension(stem))
                {
                    if (words.Without(stem) is var cut && !ReferenceEquals(cut, stem))
                    {
                        return cut + text[stem.Length..];
                    }

                    if (!Path.HasExtension(stem))
                    {
                        break;
                    }
                }

                return null;
            case Form.Text or Form.Filter:
                var without = words.Without(text, form == Form.Filter ? PersonWords.CutInFilter : PersonWords.Cut);
                return ReferenceEquals(without, text) ? null : without;
            default:
                throw new InvalidOperationException($"{form} is not a form of text.");
        }
    }

    private async Task<List<(long Id, int? Ordinal, string Text)>> FindAsync(Place place, string[] needles, CancellationToken cancellation)
    {
        var found = new List<(long, int?, string)>();
        var column = connection.IsPostgres && place.IsJsonb ? $"{place.Column}::text" : place.Column;
        await new SqlBatch(connection).Read(
            $"SELECT {place.Key}, {(place.Table == "contacts" ? "ordinal" : "NULL")}, {column} FROM {place.Table} WHERE {place.Scope} AND ({HasAny(column, needles.Length)})",
            row => found.Add((row.GetInt64(0), row.IsDBNull(1) ? null : row.GetInt32(1), row.GetString(2))),
            [("@user", book.User.Value), .. Parameters(needles)]).ExecuteAsync(cancellation);
        return found;
    }

    private Task<int> WriteAsync(Place place, long id, string text, CancellationToken cancellation) => connection.ExecuteAsync(
        $"UPDATE {place.Table} SET {place.Column} = {(connection.IsPostgres && place.IsJsonb ? "@text::jsonb" : "@text")} WHERE {place.Key} = @id",
        cancellation, new DataParameter("text", text, DataType.Text), new DataParameter("id", id));

    // Few: what a user saves by name.
    private async Task CutMappingsAsync(CancellationToken cancellation)
    {
        var found = new List<(string Name, string Mapping)>();
        await new SqlBatch(connection).Read(
            "SELECT name, mapping FROM import_mappings WHERE user_id = @user", row => found.Add((row.GetString(0), row.GetString(1))), ("@user", book.User.Value)).ExecuteAsync(cancellation);
        foreach (var (name, mapping) in found)
        {
            if (words.WithoutInJson(mapping) is { } without)
            {
                await connection.ExecuteAsync(
                    "UPDATE import_mappings SET mapping = @mapping WHERE user_id = @user AND name = @name", cancellation,
                    new DataParameter("mapping", without, DataType.Text), new DataParameter("user", book.User.Value), new DataParameter("name", name, DataType.Text));
            }
        }
    }

    /// <summary>A row that was refused stays counted, and nothing else of it stays: it is the person's own row when it holds an address or, as a whole cell, a name of theirs.</summary>
    private async Task CutRefusedRowsAsync(string[] needles, CancellationToken cancellation)
    {
        var rows = new List<(long Import, long Nr)>();
        await new SqlBatch(connection).Read(
            $"""
            SELECT e.import_id, e.nr, e.value, e.reason, e.original FROM import_errors e
            WHERE e.import_id IN (SELECT id FROM imports WHERE user_id = @user)
              AND ({HasAny("e.value", needles.Length)} OR {HasAny("e.reason", needles.Length)} OR {HasAny("e.original", needles.Length)})
            """,
            row =>
            {
                if (IsTheirs(row.GetString(2)) || IsTheirs(row.GetString(3)) || (!row.IsDBNull(4) && Cells(row.GetString(4)).Any(IsTheirs)))
                {
                    rows.Add((row.GetInt64(0), row.GetInt64(1)));
                }
            },
            [("@user", book.User.Value), .. Parameters(needles)]).ExecuteAsync(cancellation);
        foreach (var (import, nr) in rows)
        {
            await connection.ExecuteAsync(
                "UPDATE import_errors SET value = '', original = NULL, reason = @reason WHERE import_id = @import AND nr = @nr", cancellation,
                new DataParameter("reason", RowReason, DataType.Text), new DataParameter("import", import), new DataParameter("nr", nr));
        }
    }

    private bool IsTheirs(string cell) => words.IsName(cell) || !ReferenceEquals(words.Without(cell), cell);

    private static IEnumerable<string> Cells(string original)
    {
        using var document = JsonDocument.Parse(original);
        return document.RootElement.ValueKind == JsonValueKind.Array
            ? [.. document.RootElement.EnumerateArray().Select(cell => cell.GetString() ?? "")]
            : [.. document.RootElement.EnumerateObject().Select(cell => cell.Value.GetString() ?? "")];
    }

    private string HasAny(string column, int needles) => string.Join(" OR ", Enumerable.Range(0, needles).Select(i => connection.IsPostgres
        ? $"position(@needle{i.ToString(CultureInfo.InvariantCulture)} in lower({column} COLLATE \"C\")) > 0"
        : $"instr(lower({column}), @needle{i.ToString(CultureInfo.InvariantCulture)}) > 0"));

    private static IEnumerable<(string, object)> Parameters(string[] needles) =>
        needles.Select((needle, i) => (string.Create(CultureInfo.InvariantCulture, $"@needle{i}"), (object)needle));

    private static string Of(string table) => $"{table}.user_id = @user";

    private sealed record Place(string Table, string Key, string Column, Form Form, string Scope, bool IsJsonb = false);
}
