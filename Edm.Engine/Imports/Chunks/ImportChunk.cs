using System.Runtime.InteropServices;
using Edm.Contracts;

namespace Edm.Engine.Imports.Chunks;

/// <param name="Line">Where the row begins.</param>
/// <param name="Original">As the file has it; null where nobody could ask for it.</param>
internal readonly record struct ChunkRow(StagedContact Contact, long Line, string? Original);

/// <summary>A row that is not taken.</summary>
/// <param name="Nr">The row's number in the file.</param>
internal sealed record RefusedRow(long Nr, RowProblem Problem, string? Original);

/// <summary>Some rows of a file that follow each other, and are stored in one transaction.</summary>
/// <param name="Rows">By the key of their address, in the order in which each first stands in the chunk.</param>
/// <param name="LastNr">The number of its last row, good or bad.</param>
/// <param name="BytesRead">Of the file as it came, up to about that row.</param>
internal sealed record ImportChunk(Dictionary<string, RowsOfAddress> Rows, IReadOnlyList<RefusedRow> Refused, long LastNr, long BytesRead)
{
    public static void Add(Dictionary<string, RowsOfAddress> rows, ChunkRow row)
    {
        ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(rows, row.Contact.EmailKey, out var exists);
        if (exists)
        {
            (entry.Others ??= []).Add(row);
        }
        else
        {
            entry = new RowsOfAddress(row);
        }
    }

    /// <summary>The same chunk as it would be if these rows could not be used.</summary>
    public ImportChunk Without(IReadOnlyList<RefusedRow> refused)
    {
        var gone = refused.Select(row => row.Nr).ToHashSet();
        var rows = new Dictionary<string, RowsOfAddress>(Rows.Count, StringComparer.Ordinal);
        foreach (var row in Rows.Values.SelectMany(some => some.All).Where(row => !gone.Contains(row.Contact.Nr)).OrderBy(row => row.Contact.Nr))
        {
            Add(rows, row);
        }

        return this with { Rows = rows, Refused = [.. Refused.Concat(refused).OrderBy(row => row.Nr)] };
    }
}

/// <summary>The rows of a chunk that have one address: nearly always a single one, which takes no list.</summary>
internal struct RowsOfAddress(ChunkRow first)
{
    /// <summary>Of the address's key, for <see cref="KnownAddresses"/>: reckoned where there is time for it.</summary>
    public int Hash { get; } = KnownAddresses.HashOf(first.Contact.EmailKey);

    public ChunkRow First { get; } = first;

    public List<ChunkRow>? Others { get; set; }

    public readonly int Count => 1 + (Others?.Count ?? 0);

    public readonly IEnumerable<ChunkRow> All => Others is null ? [First] : [First, .. Others];
}

/// <summary>A contact as it is stored.</summary>
internal sealed record StoredContact(ContactId Id, int Ordinal, StagedContact Fields);

/// <summary>What a chunk adds to the counts of its import; may be negative where a later row shows that an earlier one has to be counted otherwise.</summary>
internal readonly record struct ImportCounts(long Created, long Updated, long Unchanged, long Rejected, long Suppressed)
{
    public static ImportCounts operator +(ImportCounts left, ImportCounts right) => new(
        left.Created + right.Created, left.Updated + right.Updated, left.Unchanged + right.Unchanged, left.Rejected + right.Rejected, left.Suppressed + right.Suppressed);
}
