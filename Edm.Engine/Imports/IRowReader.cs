namespace Edm.Engine.Imports;

/// <summary>Rows of a file, one at a time. Row by row the same memory is used again.</summary>
internal interface IRowReader : IAsyncDisposable
{
    /// <summary>Where the current row begins, counted from 1.</summary>
    long Line { get; }

    /// <summary>The values of the current row that are not empty, until the next call.</summary>
    IReadOnlyList<ImportCell> Cells { get; }

    /// <summary>Why the current row can't be used although the file can; null when it can.</summary>
    RowProblem? Problem { get; }

    /// <returns>False at the end.</returns>
    /// <exception cref="ImportFormatException">The file can't be read on.</exception>
    ValueTask<bool> ReadAsync(CancellationToken cancellation);

    /// <summary>Called at the end: whether such a file can have brought anybody.</summary>
    /// <exception cref="ImportFormatException">No row had a place for an address.</exception>
    void EnsureAddressable();
}
