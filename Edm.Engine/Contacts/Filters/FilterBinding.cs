using Edm.Contracts;
using Edm.Engine.Settings;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;

namespace Edm.Engine.Contacts.Filters;

/// <summary>Gives the names and moments of a filter their meaning for one user, at one time.</summary>
internal sealed class FilterBinding(EdmConnection connection, UserId user, DateTimeOffset now)
{
    /// <summary>A person remembers two or three levels; each is a look-up.</summary>
    private const int MaxSegmentDepth = 8;

    /// <summary>Segments that mention each other often could grow without bound; each test takes time at each question.</summary>
    private const int MaxTests = 2000;

    // Only so many names are read to find the nearest one.
    private const int MaxNamesToCompare = 5000;

    private readonly Dictionary<string, long> _tags = [];
    private readonly Dictionary<string, (FilterNode? Node, int Tests)> _segments = [];
    private readonly List<string> _open = [];
    private int _tests;

    /// <exception cref="ContactFilterException"/>
    public async Task<FilterNode> BindAsync(FilterNode root, CancellationToken cancellation)
    {
        SqliteFilterFunctions.Register(connection);
        await FindTagsAsync(root, cancellation);
        return await OfAsync(root, cancellation);
    }

    private async Task<FilterNode> OfAsync(FilterNode node, CancellationToken cancellation)
    {
        CountTests(1, node);
        return node switch
        {
            FilterNode.And and => and with { Nodes = await AllAsync(and.Nodes, cancellation) },
            FilterNode.Or or => or with { Nodes = await AllAsync(or.Nodes, cancellation) },
            FilterNode.Not not => not with { Inner = await OfAsync(not.Inner, cancellation) },
            FilterNode.Moment moment => OfMoment(moment),
            FilterNode.TagNames tags => await TagsAsync(tags, cancellation),
            FilterNode.Segment segment => await SegmentAsync(segment, cancellation),
            _ => node,
        };
    }

    private void CountTests(int count, FilterNode node)
    {
        _tests += count;
        if (_tests > MaxTests)
        {
            throw new ContactFilterException($"With its segments the filter has more than {MaxTests} tests", node.At.Position);
        }
    }

    private async Task<FilterNode[]> AllAsync(IReadOnlyList<FilterNode> nodes, CancellationToken cancellation)
    {
        var bound = new FilterNode[nodes.Count];
        for (var i = 0; i < bound.Length; i++)
        {
            bound[i] = await OfAsync(nodes[i], cancellation);
        }

        return bound;
    }

    private FilterNode.Whole OfMoment(FilterNode.Moment moment)
    {
        var (first, last) = moment.Value.Of(now);
        if (moment.Field.Kind == FilterFieldKind.AttributeDay)
        {
            (first, last) = (Day(first), Day(last));
        }

        return ContactFilterParser.Whole(moment.At, moment.Field, moment.Operator, first, last);

        static long Day(long milliseconds)
        {
            var date = DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).UtcDateTime;
            return (((date.Year * 100L) + date.Month) * 100) + date.Day;
        }
    }

    private async Task<FilterNode> TagsAsync(FilterNode.TagNames node, CancellationToken cancellation)
    {
        var ids = new List<long>(node.Names.Count);
        foreach (var name in node.Names)
        {
            ids.Add(_tags.TryGetValue(NameKey.Of(name.Text), out var id)
                ? id
                : throw await UnknownAsync("tag", "SELECT name FROM tags WHERE user_id = @user AND deleted_at IS NULL ORDER BY id LIMIT @limit", name, cancellation));
        }

        return new FilterNode.Tags(node.At, ids);
    }

    /// <summary>All tags that a text mentions, in one statement.</summary>
    private async Task FindTagsAsync(FilterNode root, CancellationToken cancellation)
    {
        var keys = FilterTexts.Mentions(root, FilterNameKind.Tag).Select(name => NameKey.Of(name.Text)).Except(_tags.Keys).ToArray();
        if (keys.Length > 0)
        {
            var batch = new SqlBatch(connection);
            await batch.Read(
                $"SELECT id, name_key FROM tags WHERE user_id = @user AND name_key {batch.In("@keys")} AND deleted_at IS NULL",
                row => _tags[row.GetString(1)] = row.GetInt64(0), ("@user", user.Value), ("@keys", keys)).ExecuteAsync(cancellation);
        }
    }

    private async Task<FilterNode> SegmentAsync(FilterNode.Segment node, CancellationToken cancellation)
    {
        var key = NameKey.Of(node.Name.Text);
        if (_segments.TryGetValue(key, out var known))
        {
            CountTests(known.Tests, node);
            return new FilterNode.Expanded(node.At, node.Name.Text, known.Node);
        }

        if (_open.Contains(key))
        {
            throw new ContactFilterException($"The segment '{node.Name.Text}' contains itself: {string.Join(" → ", _open.Append(key))}", node.Name.At.Position);
        }

        if (_open.Count >= MaxSegmentDepth)
        {
            throw new ContactFilterException($"Segments in segments, more than {MaxSegmentDepth} deep", node.Name.At.Position);
        }

        var text = await connection.ExecuteAsync<string?>(
            "SELECT filter FROM segments WHERE user_id = @user AND name_key = @key",
            cancellation, new DataParameter("user", user.Value), new DataParameter("key", key, DataType.Text))
            ?? throw await UnknownAsync("segment", "SELECT name FROM segments WHERE user_id = @user ORDER BY id LIMIT @limit", node.Name, cancellation);
        _open.Add(key);
        try
        {
            var before = _tests;
            var inner = ContactFilter.Parse(text).Root;
            if (inner is not null)
            {
                await FindTagsAsync(inner, cancellation);
            }

            var bound = inner is null ? null : await OfAsync(inner, cancellation);
            _segments.Add(key, (bound, _tests - before));
            return new FilterNode.Expanded(node.At, node.Name.Text, bound);
        }
        catch (ContactFilterException exception) when (_open.Count == 1)
        {
            // The position that a person can do something with is the one in the text that was given.
            throw new ContactFilterException($"In the segment '{node.Name.Text}': {exception.Message}", node.Name.At.Position);
        }
        finally
        {
            _open.RemoveAt(_open.Count - 1);
        }
    }

    private async Task<ContactFilterException> UnknownAsync(string what, string sql, FilterName name, CancellationToken cancellation)
    {
        var names = await connection.QueryToListAsync<string>(sql, cancellation, new DataParameter("user", user.Value), new DataParameter("limit", MaxNamesToCompare));
        var shown = name.Text.Length > 40 ? name.Text[..40] + "…" : name.Text;
        return new ContactFilterException(
            names.Count == 0 ? $"There is no {what} '{shown}', and no other either" : $"There is no {what} '{shown}'; did you mean '{NearestName.Of(name.Text, names)}'?",
            name.At.Position);
    }
}

/// <summary>How names of tags and segments are compared.</summary>
internal static class NameKey
{
    public static string Of(string name) => name.Trim().Normalize().ToLowerInvariant();
}
