using Edm.Contracts;

namespace Edm.Engine.Imports.Chunks;

/// <summary>A row that is not taken.</summary>
/// <param name="Nr">The row's number in the file.</param>
internal sealed record RefusedRow(long Nr, RowProblem Problem, string? Original);

/// <summary>Some rows of a file that follow each other, and are stored in one transaction.</summary>
/// <param name="Rows">Used again for the chunk after the next one.</param>
/// <param name="LastNr">The number of its last row, good or bad.</param>
/// <param name="BytesRead">Of the file as it came, up to about that row.</param>
internal sealed record ImportChunk(StagedRows Rows, IReadOnlyList<RefusedRow> Refused, long LastNr, long BytesRead)
{
    /// <summary>The same chunk as it would be if these rows could not be used.</summary>
    public ImportChunk Without(IReadOnlyList<RefusedRow> refused)
    {
        Rows.Remove(refused.Select(row => row.Nr).ToHashSet());
        return this with { Refused = [.. Refused.Concat(refused).OrderBy(row => row.Nr)] };
    }
}

/// <summary>A contact as it is stored.</summary>
internal sealed record StoredContact(ContactId Id, int Ordinal, StagedContact Fields);

/// <summary>What a chunk adds to the counts of its import; may be negative where a later row shows that an earlier one has to be counted otherwise.</summary>
internal readonly record struct ImportCounts(long Created, long Updated, long Unchanged, long Rejected, long Suppressed)
{
    public static ImportCounts operator +(ImportCounts left, ImportCounts right) => new(
        left.Created + right.Created, left.Updated + right.Updated, left.Unchanged + right.Unchanged, left.Rejected + right.Rejected, left.Suppressed + right.Suppressed);
}
