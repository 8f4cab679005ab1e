using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.Contacts.History;

/// <summary>What a line of a contact's history tells.</summary>
public static class ContactChangeKinds
{
    public const string Created = "created";
    public const string Changed = "changed";

    /// <summary>An import that found nothing to change.</summary>
    public const string Unchanged = "unchanged";

    public const string Merged = "merged";

    /// <summary>Not in contact_changes: a change of tags.</summary>
    public const string Tags = "tags";
}

/// <summary>The table contact_changes.</summary>
[Table("contact_changes")]
internal sealed record ContactChangeRow
{
    [PrimaryKey, Identity] public long Id { get; init; }
    [Column] public UserId UserId { get; init; }
    [Column] public ContactId ContactId { get; init; }
    [Column] public long At { get; init; }
    [Column] public string Kind { get; init; } = ContactChangeKinds.Changed;
    [Column] public string Source { get; init; } = ChangeLine.Person;

    /// <summary>The name of the key, or the number of the import.</summary>
    [Column] public string? Reference { get; init; }

    /// <summary>The contact that became a part of this one.</summary>
    [Column] public long? Merged { get; init; }

    [Column(DataType = DataType.BinaryJson)] public string Changes { get; init; } = "{}";
}

/// <summary>Writes lines of history: <c>{"handle":["old","new"],"attributes.mood":[null,"new"]}</c>.</summary>
internal static class ChangeLine
{
    public const string Person = "person";

    public const string Import = "import";

    /// <summary>What a mail server said; the reference is the number of the task.</summary>
    public const string Mail = "mail";

    /// <summary>The address of a contact that was merged, as the field whose old value it is.</summary>
    public const string MergedEmail = "merged.email";

    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <returns>Empty when nothing differs.</returns>
    public static JsonObject Of(ContactRow old, ContactRow fresh)
    {
        var changes = new JsonObject();
        Put(changes, "email", NullIfEmpty(old.Email), NullIfEmpty(fresh.Email));
        Put(changes, "handle", old.Handle, fresh.Handle);
        Put(changes, "nickname", old.Nickname, fresh.Nickname);
        if (old.Followers != fresh.Followers)
        {
            changes["followers"] = new JsonArray(old.Followers, fresh.Followers);
        }

        Put(changes, "country", old.Country, fresh.Country);
        Put(changes, "language", old.Language, fresh.Language);
        Put(changes, "category", old.Category, fresh.Category);
        Put(changes, "bio", old.Bio, fresh.Bio);
        if (old.Attributes != fresh.Attributes)
        {
            var (before, after) = (old.ReadAttributes(), fresh.ReadAttributes());
            foreach (var name in before.Keys.Union(after.Keys).Order(StringComparer.Ordinal))
            {
                Put(changes, $"attributes.{name}", before.GetValueOrDefault(name), after.GetValueOrDefault(name));
            }
        }

        Put(changes, "status", old.Status, fresh.Status);
        return changes;
    }

    public static Task AddAsync(
        EdmConnection connection, ContactRow contact, long now, string kind, string by, JsonObject changes, CancellationToken cancellation, ContactId? merged = null,
        string source = Person) =>
        connection.InsertAsync(
            new ContactChangeRow
            {
                UserId = contact.UserId, ContactId = contact.Id, At = now, Kind = kind, Source = source, Reference = by, Merged = merged?.Value, Changes = changes.ToJsonString(Json),
            },
            token: cancellation);

    public static Task ForgetAsync(EdmConnection connection, UserId user, ContactId contact, CancellationToken cancellation) => connection.ExecuteAsync(
        "DELETE FROM contact_changes WHERE user_id = @user AND contact_id = @contact",
        cancellation, new DataParameter("user", user.Value), new DataParameter("contact", contact.Value));

    /// <summary>A stored line, field by field.</summary>
    public static IReadOnlyDictionary<string, FieldChange> Read(string changes)
    {
        using var document = JsonDocument.Parse(changes);
        return document.RootElement.EnumerateObject().ToDictionary(field => field.Name, field => new FieldChange(Text(field.Value[0]), Text(field.Value[1])));
    }

    private static void Put(JsonObject changes, string field, string? old, string? fresh)
    {
        if (old != fresh)
        {
            changes[field] = new JsonArray(old, fresh);
        }
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.Number => value.GetInt64().ToString(CultureInfo.InvariantCulture),
        _ => value.GetString(),
    };
}

/// <summary>What became of a field; null where it had or has no value.</summary>
public sealed record FieldChange(string? From, string? To);
