using Edm.Contracts;

namespace Edm.Engine.Imports;

/// <param name="Rows">Contacts gone through: created, updated and unchanged.</param>
internal readonly record struct MergeCounts(long Rows, long Created, long Updated)
{
    public long Unchanged => Rows - Created - Updated;

    public static MergeCounts operator +(MergeCounts left, MergeCounts right) =>
        new(left.Rows + right.Rows, left.Created + right.Created, left.Updated + right.Updated);
}

/// <summary>
/// Where the rows of one import wait until the whole file has been read well. Holds the claim that tells others that this import is alive; both go with the
/// process, however it ends. One call at a time.
/// </summary>
internal interface IStagingStore : IAsyncDisposable
{
    ImportId Import { get; }

    /// <summary>Called at least once before the merge, if only with nothing.</summary>
    /// <param name="firstProblem">The number of the first of these problems.</param>
    Task WriteAsync(IReadOnlyList<StagedContact> rows, IReadOnlyList<RowProblem> problems, long firstProblem, CancellationToken cancellation);

    /// <summary>
    /// Moves everything into contacts and import_errors, in chunks that commit. What the file says twice of one address is made one first. New values win,
    /// a value that is missing changes nothing, attributes are merged, the status stays; a contact that is so already is not written.
    /// </summary>
    /// <param name="merged">Told after each chunk.</param>
    Task<MergeCounts> MergeAsync(UserId user, Func<MergeCounts, Task> merged, CancellationToken cancellation);
}

internal static class Staging
{
    /// <summary>
    /// Merges add attributes for ever where every file names others. Past this many the newest file's own replace what was there.
    /// </summary>
    public const int MaxMergedAttributes = 256;

    /// <summary>Columns of a contact that the newest word decides.</summary>
    public static readonly string[] Fields = ["handle", "nickname", "followers", "country", "language", "category", "bio"];
}
