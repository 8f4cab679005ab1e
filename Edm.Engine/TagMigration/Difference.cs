namespace Edm.Engine.TagMigration;

/// <summary>One thing in which the two sides differ.</summary>
/// <param name="Kind">
/// missing-tag and extra-tag (of EDM's contact), row-gone (EDM knows a row that is not there), row-not-copied, contact-missing, wrong-contact (another address), set-aside-differs,
/// tag-renamed, tag-deleted, count-differs (the number that EDM keeps for a tag).
/// </param>
/// <param name="Key">Of the old row.</param>
/// <param name="Ordinal">Of EDM's contact within its user.</param>
public sealed record Difference(string Kind, long? User = null, string? Key = null, int? Ordinal = null, string? Tag = null, string? Is = null);
