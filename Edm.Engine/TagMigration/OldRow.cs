using System.Text.Json;

namespace Edm.Engine.TagMigration;

/// <summary>One row of the old table as it stood at one moment.</summary>
/// <param name="Key">The primary key as a JSON array of strings, as the old server writes it.</param>
/// <param name="Exists">False: asked for by its key, and not there.</param>
/// <param name="Tags">The column as text; null for NULL, and when <paramref name="TooLarge"/>.</param>
/// <param name="Fields">The mapped columns, in the order of the mapping.</param>
internal sealed record OldRow(string Key, bool Exists, string? Owner, string? Email, string? Tags, bool TooLarge, string?[] Fields)
{
    public static string[] Parts(string key) => JsonSerializer.Deserialize<string[]>(key) ?? [];
}
