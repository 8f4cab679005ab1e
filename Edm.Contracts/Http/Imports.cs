namespace Edm.Contracts.Http;

/// <summary>A file that was read into contacts. Rows = created + updated + unchanged + rejected + rows whose address another row of the file has too.</summary>
/// <param name="State">reading, merging, finished or failed.</param>
/// <param name="Format">csv, ndjson or json; unknown when it ended before that was found out.</param>
/// <param name="Unchanged">Stored exactly so already; not written again.</param>
/// <param name="Rejected">Rows that can't be used; each is kept with line, field, value and reason.</param>
/// <param name="Error">Why it failed; null otherwise.</param>
public sealed record ImportView(
    ImportId Id, string File, string Format, string State, long Rows, long Created, long Updated, long Unchanged, long Rejected, string? Error,
    DateTimeOffset CreatedAt, DateTimeOffset? FinishedAt);
