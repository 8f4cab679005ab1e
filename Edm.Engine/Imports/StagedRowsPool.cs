using System.Collections.Concurrent;

namespace Edm.Engine.Imports;

/// <summary>
/// The buffers that imports use one after the other. They are large objects, of which a garbage collector keeps those of the import before beside those of the next one: an import
/// takes 10 MB of them.
/// </summary>
internal static class StagedRowsPool
{
    /// <summary>Of one import: the chunk that is read, the one that is stored, and the contacts that are there. More imports at once make their own and leave them.</summary>
    private const int Most = 3;

    /// <summary>A file with long rows may not keep its buffers for ever.</summary>
    private const long MostBytes = 16 * 1024 * 1024;

    /// <summary>The largest chunk of either database.</summary>
    private const int Rows = 8_192;

    private static readonly ConcurrentBag<StagedRows> Free = [];

    /// <returns>Empty ones.</returns>
    public static StagedRows Take() => Free.TryTake(out var rows) ? rows : new StagedRows(Rows);

    /// <param name="rows">Nobody uses them any more.</param>
    public static void Return(StagedRows rows)
    {
        if (rows.Capacity <= MostBytes && Free.Count < Most)
        {
            rows.Clear();
            Free.Add(rows);
        }
    }
}
