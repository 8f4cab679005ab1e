using Edm.Contracts;
using Edm.Engine.Imports;
using Edm.Engine.Tags;
using Microsoft.Extensions.Primitives;

namespace Edm.Host.Api;

/// <summary>The options of an import as the API and the command line write them.</summary>
internal static class ImportWords
{
    public const string Policies = "merge, replace, skip or reject";

    public static string Name(ConflictPolicy policy) => policy.ToString().ToLowerInvariant();

    /// <exception cref="FieldException">Not one of them.</exception>
    public static ConflictPolicy Policy(string? word) => word switch
    {
        null or "merge" => ConflictPolicy.Merge,
        "replace" => ConflictPolicy.Replace,
        "skip" => ConflictPolicy.Skip,
        "reject" => ConflictPolicy.Reject,
        _ => throw new FieldException("policy", $"'{word}' is not a policy: {Policies}."),
    };

    /// <exception cref="FieldException">Not one of them.</exception>
    public static TagWhich TagWhich(string? word) => word switch
    {
        null or "all" => Edm.Engine.Imports.TagWhich.All,
        "new" => Edm.Engine.Imports.TagWhich.New,
        "changed" => Edm.Engine.Imports.TagWhich.Changed,
        _ => throw new FieldException("tagWhich", $"'{word}' is not one of new, changed and all."),
    };

    /// <exception cref="FieldException">Too many, or one that is no name.</exception>
    public static IReadOnlyList<string> Tags(string[] names)
    {
        if (names.Length > ImportOptions.MaxTags)
        {
            throw new FieldException("tag", $"An import gives at most {ImportOptions.MaxTags} tags to what it brings.");
        }

        return [.. names.Select(name => TagName.Parse(name, "tag").Text).Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    /// <exception cref="FieldException">Several, or not a key.</exception>
    public static string? Key(StringValues header) => header.Count switch
    {
        0 => null,
        1 when ImportOptions.IsKey(header[0]!) => header[0],
        _ => throw new FieldException("Idempotency-Key", $"A key is 1 to {ImportOptions.MaxKeyLength} visible ASCII characters, and given once."),
    };
}
