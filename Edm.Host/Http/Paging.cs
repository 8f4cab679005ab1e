using Edm.Contracts;
using Edm.Contracts.Http;

namespace Edm.Host.Http;

/// <summary>Pages by key: stable while rows come and go, and as quick at the end of a list as at its start.</summary>
internal static class Paging
{
    public const int Default = 100;

    /// <summary>A page is held in memory on both sides.</summary>
    public const int Max = 1000;

    /// <exception cref="FieldException">Not 1 to <see cref="Max"/>.</exception>
    public static int Limit(int limit) => limit is >= 1 and <= Max ? limit : throw new FieldException("limit", $"{limit} is not from 1 to {Max}.");

    /// <param name="found">At most <paramref name="limit"/>; fewer mean that this is the end.</param>
    public static Page<TView> Page<T, TView>(IReadOnlyList<T> found, int limit, Func<T, long> key, Func<T, TView> view) =>
        new([.. found.Select(view)], found.Count < limit ? null : key(found[^1]));
}
