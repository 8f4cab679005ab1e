namespace Edm.Engine.Imports;

/// <summary>What becomes of a contact that is there already when the file has it too. An import never changes a status.</summary>
public enum ConflictPolicy
{
    /// <summary>New values win, a value that is missing changes nothing, attributes are merged.</summary>
    Merge,

    /// <summary>The row takes the place of all fields and attributes.</summary>
    Replace,

    /// <summary>Who is there stays as they are.</summary>
    Skip,

    /// <summary>Who is there stays as they are, and the row is refused.</summary>
    Reject,
}

/// <summary>Who gets the tags that are given to an import as a whole.</summary>
public enum TagWhich
{
    New,
    Changed,

    /// <summary>Every contact that a row of the file stands for, stored exactly so already or not.</summary>
    All,
}

/// <param name="Format">Null to find out: by content type, then by extension, then by the first byte.</param>
/// <param name="ContentType">The Content-Type header of an upload.</param>
public sealed record ImportOptions(ImportFormat? Format = null, string? ContentType = null)
{
    /// <summary>A row, a line and a value each: what has to be held in memory at once. A creator's row has a few hundred bytes.</summary>
    public const int MaxRowBytes = 1024 * 1024;

    public const int MaxKeyLength = 200;

    public const int MaxTags = 20;

    public ConflictPolicy Policy { get; init; }

    /// <summary>Tags for what the import brings, beside those of a column.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    public TagWhich TagWhich { get; init; } = TagWhich.All;

    /// <summary>Everything but the writing: the same counts and refused rows, and no contact is touched.</summary>
    public bool DryRun { get; init; }

    /// <summary>More refused rows than this end the import; null for any number. Rows that can't be read are counted before anything is stored.</summary>
    public long? MaxErrors { get; init; }

    /// <summary>The same key with the same file is the same import: it goes on where it stopped, or answers what it came to. 1 to 200 visible characters; null for none.</summary>
    public string? Key { get; init; }

    /// <summary>Unpacked. A few hundred bytes packed with gzip can become a terabyte, which would have to be read.</summary>
    public long MaxBytes { get; init; } = 16L * 1024 * 1024 * 1024;

    /// <summary>What the user wants of the columns; null when they are to be recognised.</summary>
    public ColumnMappingOverride? Mapping { get; init; }

    public long MaxRows { get; init; } = 20_000_000;

    public static bool IsKey(string key) => key.Length is >= 1 and <= MaxKeyLength && key.All(c => c is > ' ' and <= '~');
}
