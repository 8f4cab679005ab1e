using Edm.Contracts;
using Edm.Engine.Storage;
using Edm.Engine.Tags;
using LinqToDB.Data;

namespace Edm.Engine.Imports.Chunks;

/// <summary>
/// Sees to it that the rows of a file name no more tags than their user may have: in the order of the file, a row that would make one too many is refused and leaves
/// the place to the next. The tags that the import as a whole was asked to give go before those of any row.
/// </summary>
internal sealed class TagRoom(Import import)
{
    /// <summary>
    /// From so many tags on, of the user and of the file together, rows that name some are kept as their owner wrote them. So far below the bound that what others make
    /// meanwhile does not reach it; not above <see cref="TagCell.MaxKept"/>, where counting ends.
    /// </summary>
    public const int Watched = TagCell.MaxKept;

    private static readonly string Reason = $"this tag would be new, and you may have {TagWriter.MaxTags} tags at most; merge or delete some first";

    // What a dry run would have made. Not more than the bound.
    private readonly HashSet<string> _imagined = new(StringComparer.Ordinal);

    public static Task<long> CountAsync(EdmConnection connection, UserId user, CancellationToken cancellation) => connection.ExecuteAsync<long>(
        "SELECT count(*) FROM tags WHERE user_id = @user AND deleted_at IS NULL", cancellation, new DataParameter("user", user.Value));

    /// <summary>Under the lock of the user's contacts, unless it is a dry run. Nothing of the chunk may be folded yet.</summary>
    /// <param name="takes">Whether the rows of an address, of which it is asked the first, give it their tags.</param>
    /// <returns>The chunk without the rows for whose tags there is no place.</returns>
    public async Task<ImportChunk> RefuseAsync(EdmConnection connection, ImportChunk chunk, Func<int, bool> takes, CancellationToken cancellation)
    {
        var names = Names(chunk.Rows);
        if (names == 0)
        {
            return chunk;
        }

        // Also with those of rows that give no tags there may be place.
        if (!import.Options.DryRun && await CountAsync(connection, import.User, cancellation) + names + import.Options.Tags.Count <= TagWriter.MaxTags)
        {
            return chunk;
        }

        var rows = chunk.Rows.Firsts().Where(takes).SelectMany(chunk.Rows.OfAddress).Order().ToList();
        var places = new Places(await connection.QueryToListAsync<string>(
            "SELECT name_key FROM tags WHERE user_id = @user AND deleted_at IS NULL", cancellation, new DataParameter("user", import.User.Value)));
        places.Reserve(_imagined);
        places.Reserve(import.Options.Tags.Select(TagName.KeyOf));
        var refused = new List<RefusedRow>();
        foreach (var row in rows)
        {
            if (places.Take(chunk.Rows.TagsOf(row)) is { } name)
            {
                var staged = chunk.Rows[row];
                refused.Add(new RefusedRow(staged.Nr, RowProblem.Of(staged.Line, staged.TagsColumn ?? "", name, Reason), staged.Original));
            }
        }

        if (import.Options.DryRun)
        {
            _imagined.UnionWith(places.Taken);
        }

        return refused.Count == 0 ? chunk : chunk.Without(refused);
    }

    /// <summary>How many different names the rows have; no more than one above the bound.</summary>
    private static int Names(StagedRows rows)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var row = 0; row < rows.Count && names.Count <= TagWriter.MaxTags; row++)
        {
            foreach (var name in rows.TagsOf(row))
            {
                names.Add(name);
            }
        }

        return names.Count;
    }

    private sealed class Places(IEnumerable<string> taken)
    {
        private readonly HashSet<string> _taken = new(taken, StringComparer.Ordinal);
        private readonly HashSet<string> _row = new(StringComparer.Ordinal);
        // Names by the text as it stands in the file, of which many rows have the same.
        private readonly Dictionary<string, string> _keys = new(StringComparer.Ordinal);

        /// <summary>Those that rows took.</summary>
        public List<string> Taken { get; } = [];

        public void Reserve(IEnumerable<string> keys) => _taken.UnionWith(keys);

        /// <returns>The first name that finds no place, and then none of the row has taken one.</returns>
        public string? Take(ReadOnlySpan<string> names)
        {
            _row.Clear();
            foreach (var name in names)
            {
                if (!_keys.TryGetValue(name, out var key))
                {
                    _keys.Add(name, key = TagName.KeyOf(name));
                }

                if (!_taken.Contains(key) && _row.Add(key) && _taken.Count + _row.Count > TagWriter.MaxTags)
                {
                    return name;
                }
            }

            foreach (var key in _row)
            {
                _taken.Add(key);
                Taken.Add(key);
            }

            return null;
        }
    }
}
