using System.Text.Json;
using Edm.Contracts;
using LinqToDB;
using LinqToDB.Mapping;

namespace Edm.Engine.Imports;

/// <summary>One import, running or past.</summary>
/// <param name="Format">csv, ndjson or json; <c>unknown</c> when it ended before that was found out.</param>
/// <param name="Rows">While it reads: read so far. After that: gone through for good.</param>
/// <param name="Bytes">As <paramref name="Rows"/>, of the file as it came.</param>
/// <param name="TotalRows">Null until the file was read to its end.</param>
/// <param name="Error">For the user; null unless failed or interrupted.</param>
public sealed record Import(
    ImportId Id, UserId User, string FileName, string Format, ImportState State, long Rows, long Created, long Updated, long Unchanged, long Rejected, long Suppressed,
    long Bytes, long? TotalBytes, long? TotalRows, string? Error, DateTimeOffset CreatedAt, DateTimeOffset? FinishedAt)
{
    public required ImportOptions Options { get; init; }

    /// <summary>The names of the columns as the file writes them; null where each row names its own.</summary>
    public IReadOnlyList<string>? Header { get; init; }

    /// <summary>While it merges, since it last began to; null before the first chunk is stored.</summary>
    public double? RowsPerSecond { get; init; }

    /// <summary>While it merges, at this rate.</summary>
    public TimeSpan? Left => State == ImportState.Merging && RowsPerSecond is > 0 and { } rate && TotalRows is { } all ? TimeSpan.FromSeconds(Math.Max(all - Rows, 0) / rate) : null;

    /// <summary>Rows that came upon a contact that another row of the file has brought already.</summary>
    public long Doubled => State is ImportState.Reading || TotalRows is null ? 0 : Rows - Created - Updated - Unchanged - Rejected - Suppressed;

    /// <summary>SHA-256 of the file as it came; null until it was read to its end.</summary>
    internal byte[]? ContentHash { get; init; }

    internal ImportSummary ToSummary() => new(
        Id, Enum.Parse<ImportFormat>(Format, ignoreCase: true), Rows, Created, Updated, Unchanged, Rejected, Suppressed);
}

/// <summary>The table imports.</summary>
[Table("imports")]
internal sealed record ImportRow
{
    [PrimaryKey, Identity] public ImportId Id { get; init; }
    [Column] public UserId UserId { get; init; }
    [Column] public string FileName { get; init; } = "";
    [Column] public string Format { get; init; } = "";
    [Column] public string State { get; init; } = "";
    [Column] public long Rows { get; init; }
    [Column] public long Created { get; init; }
    [Column] public long Updated { get; init; }
    [Column] public long Unchanged { get; init; }
    [Column] public long Rejected { get; init; }
    [Column] public long Suppressed { get; init; }
    [Column] public long Bytes { get; init; }
    [Column] public long? TotalBytes { get; init; }
    [Column] public long? TotalRows { get; init; }
    [Column] public string? IdempotencyKey { get; init; }
    [Column] public byte[]? ContentHash { get; init; }
    [Column(DataType = DataType.BinaryJson)] public string Options { get; init; } = "{}";
    [Column] public string? Header { get; init; }
    [Column] public string? Error { get; init; }
    [Column] public long? RunAt { get; init; }
    [Column] public long RunFrom { get; init; }
    [Column] public long? ProgressAt { get; init; }
    [Column] public long CreatedAt { get; init; }
    [Column] public long? FinishedAt { get; init; }

    public Import ToImport()
    {
        var state = ImportStates.Parse(State);
        return new Import(
            Id, UserId, FileName, Format, state, Rows, Created, Updated, Unchanged, Rejected, Suppressed, Bytes, TotalBytes, TotalRows, Error,
            DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt), FinishedAt is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null)
        {
            Options = StoredOptions.Read(Options) with { Key = IdempotencyKey },
            Header = Header is null ? null : JsonSerializer.Deserialize<string[]>(Header),
            ContentHash = ContentHash,
            RowsPerSecond = state == ImportState.Merging && RunAt is { } began && ProgressAt > began ? 1000.0 * (Rows - RunFrom) / (ProgressAt.Value - began) : null,
        };
    }
}

[Table("import_errors")]
internal sealed record ImportErrorRow
{
    [Column] public ImportId ImportId { get; init; }
    [Column] public long Nr { get; init; }
    [Column] public long Line { get; init; }
    [Column] public string Field { get; init; } = "";
    [Column] public string Value { get; init; } = "";
    [Column] public string Reason { get; init; } = "";
    [Column] public string? Original { get; init; }
}

/// <summary>What was asked for beside the file, as the column imports.options keeps it: an import that goes on does so by the same rules.</summary>
internal static class StoredOptions
{
    public static string Write(ImportOptions options) => JsonSerializer.Serialize(
        new Stored(options.Format?.Name(), options.ContentType, options.Policy.ToString(), [.. options.Tags], options.TagWhich.ToString(), options.DryRun, options.MaxErrors, options.Mapping?.ToJson()));

    public static ImportOptions Read(string json)
    {
        var stored = JsonSerializer.Deserialize<Stored>(json) ?? throw new InvalidDataException("The options of an import are no JSON object.");
        return new ImportOptions(stored.Format is null ? null : Enum.Parse<ImportFormat>(stored.Format, ignoreCase: true), stored.ContentType)
        {
            Policy = Parse<ConflictPolicy>(stored.Policy),
            Tags = stored.Tags ?? [],
            TagWhich = Parse(stored.TagWhich, TagWhich.All),
            DryRun = stored.DryRun,
            MaxErrors = stored.MaxErrors,
            Mapping = stored.Mapping is null ? null : ColumnMappingOverride.FromJson(stored.Mapping),
        };
    }

    public static bool Same(ImportOptions left, ImportOptions right) => Write(left) == Write(right);

    // Imports from before there were options have none.
    private static T Parse<T>(string? name, T otherwise = default) where T : struct, Enum => name is null ? otherwise : Enum.Parse<T>(name);

    private sealed record Stored(string? Format, string? ContentType, string? Policy, string[]? Tags, string? TagWhich, bool DryRun, long? MaxErrors, string? Mapping = null);
}
