using System.Text.RegularExpressions;
using Edm.Contracts;

namespace Edm.Engine.Tags;

/// <summary>A label on contacts.</summary>
/// <param name="Color"><c>#rrggbb</c>, or null.</param>
/// <param name="Contacts">How many contacts have it; kept, not counted.</param>
public sealed record Tag(TagId Id, string Name, string? Color, int Contacts, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public TagDefinition Definition => new(Name, Color);
}

/// <summary>What a person says of a tag itself.</summary>
public sealed partial record TagDefinition(string Name, string? Color)
{
    /// <exception cref="FieldException">Not <c>#rrggbb</c>.</exception>
    public static string? ParseColor(string? color, string field) =>
        color is null || ColorPattern().IsMatch(color) ? color?.ToLowerInvariant() : throw new FieldException(field, "A colour is # and six hexadecimal digits, such as #ff8800.");

    [GeneratedRegex("^#[0-9A-Fa-f]{6}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex ColorPattern();
}

/// <summary>What an operation makes of a tag itself.</summary>
/// <param name="Before">Null: it comes into being.</param>
/// <param name="After">Null: it goes.</param>
internal sealed record TagDefinitionChange(TagId Tag, TagDefinition? Before, TagDefinition? After)
{
    public TagDefinitionChange Reversed => new(Tag, After, Before);
}
