namespace Edm.Engine.Imports;

/// <summary>What an import can read; each of them also packed with gzip.</summary>
public enum ImportFormat
{
    /// <summary>RFC 4180 with a header line; the delimiter is found out.</summary>
    Csv,

    /// <summary>One JSON object a line.</summary>
    NdJson,

    /// <summary>One array of objects.</summary>
    Json,
}

public static class ImportFormats
{
    private static readonly string[] Names = ["csv", "ndjson", "json"];

    public static string Name(this ImportFormat format) => Names[(int)format];

    /// <summary>By a Content-Type header; null when it says nothing of use.</summary>
    public static ImportFormat? FromContentType(string? contentType) => contentType?.Split(';')[0].Trim().ToLowerInvariant() switch
    {
        "text/csv" or "application/csv" or "text/tab-separated-values" or "application/vnd.ms-excel" => ImportFormat.Csv,
        "application/x-ndjson" or "application/ndjson" or "application/jsonl" or "application/x-jsonlines" or "application/json-lines" => ImportFormat.NdJson,
        "application/json" or "text/json" => ImportFormat.Json,
        _ => null,
    };

    /// <summary>By the extension, a <c>.gz</c> aside; null when it says nothing of use.</summary>
    public static ImportFormat? FromFileName(string? fileName)
    {
        var name = fileName ?? "";
        if (name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
        {
            name = name[..^3];
        }

        return Path.GetExtension(name).ToLowerInvariant() switch
        {
            ".csv" or ".tsv" or ".tab" => ImportFormat.Csv,
            ".ndjson" or ".jsonl" => ImportFormat.NdJson,
            ".json" => ImportFormat.Json,
            _ => null,
        };
    }
}
