using Edm.Contracts;

namespace Edm.Engine.Imports;

/// <param name="BytesRead">Of the stream as it came, so packed ones for gzip.</param>
/// <param name="Rows">Read so far, good and bad.</param>
/// <param name="Merged">Rows that are in the contacts by now; 0 while reading.</param>
public sealed record ImportProgress(ImportId Import, ImportState State, long BytesRead, long Rows, long Rejected, long Merged);

/// <summary>What became of an import. <c>Rows = Created + Updated + Unchanged + Rejected + Doubled</c>.</summary>
/// <param name="Unchanged">Already stored exactly so; not written again.</param>
/// <param name="Doubled">Rows with an address that other rows of the file have too, less one for each such address: they were merged into one contact, which is counted once.</param>
public sealed record ImportSummary(ImportId Import, ImportFormat Format, long Rows, long Created, long Updated, long Unchanged, long Rejected)
{
    public long Doubled => Rows - Created - Updated - Unchanged - Rejected;
}

public enum ImportState
{
    /// <summary>The file is being read into the staging place; no contact has been touched.</summary>
    Reading,

    /// <summary>The whole file was good and goes into the contacts, chunk by chunk.</summary>
    Merging,

    Finished,

    /// <summary>See the error. After "reading" nothing was stored; after "merging" some contacts were, and sending the same file again completes it.</summary>
    Failed,
}

public static class ImportStates
{
    private static readonly string[] Names = ["reading", "merging", "finished", "failed"];

    public static string Name(this ImportState state) => Names[(int)state];

    public static ImportState Parse(string name) => Array.IndexOf(Names, name) is var index and >= 0
        ? (ImportState)index
        : throw new InvalidOperationException($"'{name}' is not a state of an import.");
}
