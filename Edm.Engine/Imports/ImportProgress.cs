using Edm.Contracts;

namespace Edm.Engine.Imports;

/// <param name="BytesRead">Of the stream as it came, so packed ones for gzip.</param>
/// <param name="Rows">While reading: read so far, good and bad. After it: all of the file.</param>
/// <param name="Merged">Rows gone through for good, refused ones among them; 0 while reading.</param>
public sealed record ImportProgress(ImportId Import, ImportState State, long BytesRead, long Rows, long Rejected, long Merged);

/// <summary>What became of an import. <c>Rows = Created + Updated + Unchanged + Rejected + Suppressed + Doubled</c>.</summary>
/// <param name="Unchanged">Already stored exactly so, or left alone because that was asked for; not written again.</param>
/// <param name="Suppressed">Rows of people who may not come back: they unsubscribed, were suppressed or erased.</param>
public sealed record ImportSummary(ImportId Import, ImportFormat Format, long Rows, long Created, long Updated, long Unchanged, long Rejected, long Suppressed)
{
    /// <summary>Rows with an address that other rows of the file have too, less one for each such address: they were merged into one contact, which is counted once.</summary>
    public long Doubled => Rows - Created - Updated - Unchanged - Rejected - Suppressed;
}

public enum ImportState
{
    /// <summary>The file comes in and is checked; no contact has been touched.</summary>
    Reading,

    /// <summary>The whole file was good and goes into the contacts, chunk by chunk.</summary>
    Merging,

    Finished,

    /// <summary>See the error.</summary>
    Failed,

    /// <summary>Cut off while merging, with nobody at it. It goes on where it stopped when its file comes again under the same key.</summary>
    Interrupted,
}

public static class ImportStates
{
    private static readonly string[] Names = ["reading", "merging", "finished", "failed", "interrupted"];

    public static string Name(this ImportState state) => Names[(int)state];

    public static ImportState Parse(string name) => Array.IndexOf(Names, name) is var index and >= 0
        ? (ImportState)index
        : throw new InvalidOperationException($"'{name}' is not a state of an import.");
}
