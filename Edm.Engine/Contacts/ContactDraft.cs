using System.Text.Encodings.Web;
using System.Text.Json;
using Edm.Contracts;

namespace Edm.Engine.Contacts;

/// <summary>What a person wants a contact to be. Read as an import would read it: space around a value is not part of it, nor the @ before a handle, and nothing is null.</summary>
public sealed record ContactDraft
{
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public required string Email { get; init; }
    public string? Handle { get; init; }
    public string? Nickname { get; init; }
    public long? Followers { get; init; }
    public string? Country { get; init; }
    public string? Language { get; init; }
    public string? Category { get; init; }
    public string? Bio { get; init; }
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();
    public ContactStatus Status { get; init; }

    public static ContactDraft Of(Contact contact)
    {
        ArgumentNullException.ThrowIfNull(contact);
        var card = contact.Card;
        return new ContactDraft
        {
            Email = card.Email,
            Handle = card.Handle,
            Nickname = card.Nickname,
            Followers = card.Followers,
            Country = card.Country,
            Language = card.Language,
            Category = card.Category,
            Bio = card.Bio,
            Attributes = card.Attributes,
            Status = contact.Status,
        };
    }

    /// <summary>The row with these values. Values that it has already are not looked at: an import may have brought what nobody could write.</summary>
    /// <exception cref="FieldException">A value can't be used.</exception>
    internal ContactRow Onto(ContactRow row)
    {
        var address = Email == row.Email ? null
            : EmailAddress.TryParse(Email, out var parsed, out var reason) ? parsed
            : throw new FieldException("email", $"This is not an e-mail address: {reason}.");
        return row with
        {
            Email = address?.Address ?? row.Email,
            EmailKey = address?.Key ?? row.EmailKey,
            Handle = Handle == row.Handle ? row.Handle : Clean(Handle?.Trim().TrimStart('@'), "handle", ContactLimits.Length),
            Nickname = Nickname == row.Nickname ? row.Nickname : Clean(Nickname, "nickname", ContactLimits.Length),
            Followers = Followers is null or (>= 0 and <= ContactLimits.Followers) ? Followers : throw new FieldException("followers", $"{Followers} is not a number of followers."),
            Country = Country == row.Country ? row.Country : Capitals(Clean(Country, "country", ContactLimits.Length)),
            Language = Language == row.Language ? row.Language : Clean(Language, "language", ContactLimits.Length),
            Category = Category == row.Category ? row.Category : Clean(Category, "category", ContactLimits.Length),
            Bio = Bio == row.Bio ? row.Bio : Clean(Bio, "bio", ContactLimits.BioLength),
            Attributes = AttributesOnto(row),
            Status = Status.Name(),
        };
    }

    private string AttributesOnto(ContactRow row)
    {
        var (before, after) = (row.ReadAttributes(), new SortedDictionary<string, string>(StringComparer.Ordinal));
        foreach (var (name, value) in Attributes)
        {
            after.Add(name, before.TryGetValue(name, out var same) && same == value ? value : Attribute(name, value));
        }

        if (after.Count == before.Count && after.All(pair => before.TryGetValue(pair.Key, out var value) && value == pair.Value))
        {
            return row.Attributes;
        }

        return after.Count <= ContactLimits.Attributes
            ? JsonSerializer.Serialize(after, Json)
            : throw new FieldException("attributes", $"A contact has at most {ContactLimits.Attributes} attributes; these are {after.Count}.");
    }

    private static string Attribute(string name, string value)
    {
        var normal = AttributeName.Of(name);
        if (normal != name)
        {
            throw new FieldException(
                "attributes",
                normal.Length == 0 ? "The name of an attribute has a letter or a digit." : $"The name of an attribute is lower case letters, digits and single _; write '{normal}'.");
        }

        return Clean(value, $"attributes.{name}", ContactLimits.AttributeLength) ?? throw new FieldException($"attributes.{name}", "An attribute has a value; null takes it away.");
    }

    /// <returns>Null for an empty one.</returns>
    private static string? Clean(string? text, string field, int length)
    {
        text = text?.Trim();
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        if (text.Length > length)
        {
            throw new FieldException(field, $"This is longer than {length} characters.");
        }

        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0' || (char.IsSurrogate(text[i]) && !(i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))))
            {
                throw new FieldException(field, $"The character at position {i + 1} can't be stored: NUL and halves of characters are not text.");
            }

            i += char.IsHighSurrogate(text[i]) ? 1 : 0;
        }

        return text;
    }

    // ISO 3166 codes; names stay as they are.
    private static string? Capitals(string? country) =>
        country is { Length: 2 } && char.IsAsciiLetter(country[0]) && char.IsAsciiLetter(country[1]) ? country.ToUpperInvariant() : country;
}
