using System.Text;
using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.Contacts.Filters;

/// <summary>What a filter mentions by name.</summary>
internal enum FilterNameKind
{
    Tag,
    Segment,
}

/// <summary>A stored filter that mentions a name.</summary>
/// <param name="Owner">For people, such as <c>the segment 'Newcomers'</c>.</param>
internal sealed record FilterUse(string Owner, string? Segment);

/// <summary>
/// Filters that are kept as text: segments and the drafts of campaigns. They mention tags and segments by name, as people wrote them; when such a thing gets another name the
/// texts follow, in the same transaction, so that they mean what they meant. What can't be read any more stays as it is.
/// </summary>
internal static class FilterTexts
{
    /// <summary>Everything that mentions <paramref name="from"/> mentions <paramref name="to"/> from now on. Inside of the transaction that renames or merges.</summary>
    public static async Task RenameAsync(EdmConnection connection, UserId user, FilterNameKind kind, string from, string to, CancellationToken cancellation)
    {
        foreach (var row in await ReadAsync(connection, user, cancellation))
        {
            var text = Renamed(row.Filter, kind, from, to);
            if (text == row.Filter)
            {
                continue;
            }

            if (text.Length > ContactFilterParser.MaxLength)
            {
                throw new ConflictException($"With the new name the filter of {Owner(row)} would be longer than {ContactFilterParser.MaxLength} characters.", "name");
            }

            await connection.ExecuteAsync(
                $"UPDATE {(row.IsSegment ? "segments" : "campaigns")} SET filter = @filter WHERE id = @id", cancellation,
                new DataParameter("filter", text, DataType.Text), new DataParameter("id", row.Id));
        }
    }

    /// <summary>What mentions a name.</summary>
    public static async Task<IReadOnlyList<FilterUse>> UsesAsync(EdmConnection connection, UserId user, FilterNameKind kind, string name, CancellationToken cancellation)
    {
        var uses = new List<FilterUse>();
        foreach (var row in await ReadAsync(connection, user, cancellation))
        {
            if (Mentions(row.Filter, kind).Any(mention => NameKey.Of(mention.Text) == NameKey.Of(name)))
            {
                uses.Add(new FilterUse(Owner(row), row.IsSegment ? row.Name : null));
            }
        }

        return uses;
    }

    /// <summary>The text with each mention of a tag or segment put into other words; all the rest stays as the user wrote it.</summary>
    public static string Renamed(string text, FilterNameKind kind, string from, string to)
    {
        var (result, end) = (new StringBuilder(), 0);
        foreach (var mention in Mentions(text, kind).Where(mention => NameKey.Of(mention.Text) == NameKey.Of(from)).OrderBy(mention => mention.At.Start))
        {
            result.Append(text, end, mention.At.Start - end).Append('"').Append(to.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
            end = mention.At.End;
        }

        return end == 0 ? text : result.Append(text, end, text.Length - end).ToString();
    }

    public static IReadOnlyList<FilterName> Mentions(FilterNode root, FilterNameKind kind)
    {
        var names = new List<FilterName>();
        Visit(root);
        return names;

        void Visit(FilterNode node)
        {
            switch (node)
            {
                case FilterNode.And and: and.Nodes.ToList().ForEach(Visit); break;
                case FilterNode.Or or: or.Nodes.ToList().ForEach(Visit); break;
                case FilterNode.Not not: Visit(not.Inner); break;
                case FilterNode.TagNames tags when kind == FilterNameKind.Tag: names.AddRange(tags.Names); break;
                case FilterNode.Segment segment when kind == FilterNameKind.Segment: names.Add(segment.Name); break;
                default: break;
            }
        }
    }

    private static IReadOnlyList<FilterName> Mentions(string text, FilterNameKind kind)
    {
        try
        {
            return ContactFilter.Parse(text).Root is { } root ? Mentions(root, kind) : [];
        }
        catch (ContactFilterException)
        {
            // From a version of EDM that read filters otherwise; its owner will be told when it is used.
            return [];
        }
    }

    private static Task<List<TextRow>> ReadAsync(EdmConnection connection, UserId user, CancellationToken cancellation) => connection.QueryToListAsync<TextRow>(
        """
        SELECT id, name, filter, 1 AS kind FROM segments WHERE user_id = @user
        UNION ALL
        SELECT id, name, filter, 2 AS kind FROM campaigns WHERE user_id = @user AND state = 'draft'
        """,
        cancellation, new DataParameter("user", user.Value));

    private static string Owner(TextRow row) => row.IsSegment ? $"the segment '{row.Name}'" : $"the campaign '{row.Name}'";

    private sealed record TextRow
    {
        [Column] public long Id { get; init; }
        [Column] public string Name { get; init; } = "";
        [Column] public string Filter { get; init; } = "";
        [Column] public int Kind { get; init; }

        public bool IsSegment => Kind == 1;
    }
}
