namespace Edm.Engine.Imports;

/// <param name="Format">Null to find out: by content type, then by extension, then by the first byte.</param>
/// <param name="ContentType">The Content-Type header of an upload.</param>
public sealed record ImportOptions(ImportFormat? Format = null, string? ContentType = null)
{
    /// <summary>A row, a line and a value each: what has to be held in memory at once. A creator's row has a few hundred bytes.</summary>
    public const int MaxRowBytes = 1024 * 1024;

    /// <summary>Unpacked. A few hundred bytes packed with gzip can become a terabyte, which the staging place would have to hold.</summary>
    public long MaxBytes { get; init; } = 16L * 1024 * 1024 * 1024;

    public long MaxRows { get; init; } = 20_000_000;
}
