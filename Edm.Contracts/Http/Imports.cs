namespace Edm.Contracts.Http;

/// <summary>A file that goes into contacts. Rows = created + updated + unchanged + rejected + suppressed + doubled.</summary>
/// <param name="State">reading (the file comes in and is checked), merging, finished, failed, or interrupted (goes on when its node is back, or when its file comes again under its Idempotency-Key).</param>
/// <param name="Format">csv, ndjson or json; unknown when it ended before that was found out.</param>
/// <param name="Rows">While reading: read so far. After that: gone through for good.</param>
/// <param name="Unchanged">Stored exactly so already, or left alone because the policy says so; not written again.</param>
/// <param name="Rejected">Rows that can't be used; each is kept with line, field, value and reason.</param>
/// <param name="Suppressed">Rows of people who unsubscribed, were suppressed or erased, and are not brought back.</param>
/// <param name="Doubled">Rows for a contact that another row of the file has brought already.</param>
/// <param name="TotalRows">Null until the file was read to its end.</param>
/// <param name="Bytes">Of the file as it came, gone through.</param>
/// <param name="RowsPerSecond">While merging.</param>
/// <param name="SecondsLeft">While merging, at this rate.</param>
/// <param name="Policy">merge, replace, skip or reject.</param>
/// <param name="DryRun">Nothing was written, whatever the counts say.</param>
/// <param name="Error">Why it failed or was interrupted; null otherwise.</param>
public sealed record ImportView(
    ImportId Id, string File, string Format, string State, long Rows, long Created, long Updated, long Unchanged, long Rejected, long Suppressed, long Doubled,
    long? TotalRows, long Bytes, long? TotalBytes, double? RowsPerSecond, double? SecondsLeft, string Policy, IReadOnlyList<string> Tags, bool DryRun, string? Error,
    DateTimeOffset CreatedAt, DateTimeOffset? FinishedAt);
