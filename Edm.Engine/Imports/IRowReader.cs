namespace Edm.Engine.Imports;

/// <summary>Rows of a file, one at a time. Row by row the same memory is used again.</summary>
internal interface IRowReader : IAsyncDisposable
{
    /// <summary>Where the current row begins, counted from 1.</summary>
    long Line { get; }

    /// <summary>The values of the current row that are not empty, until the next call.</summary>
    List<ImportCell> Cells { get; }

    /// <summary>The names of the columns as the file writes them, in its order; null where each row names its own.</summary>
    IReadOnlyList<string>? Header { get; }

    /// <summary>The current row as it stands in the file, whole or cut, to be given back to its owner (see <see cref="OriginalRow"/>).</summary>
    string Original();

    /// <summary>Why the current row can't be used although the file can; null when it can.</summary>
    RowProblem? Problem { get; }

    /// <returns>False at the end.</returns>
    /// <exception cref="ImportFormatException">The file can't be read on.</exception>
    ValueTask<bool> ReadAsync(CancellationToken cancellation);

    /// <summary>As <see cref="ReadAsync"/>, and finds whatever is wrong with the file, but the values of the row need not be there.</summary>
    ValueTask<bool> SkipAsync(CancellationToken cancellation) => ReadAsync(cancellation);

    /// <summary>Called at the end: whether such a file can have brought anybody.</summary>
    /// <exception cref="ImportFormatException">No row had a place for an address.</exception>
    void EnsureAddressable();
}
