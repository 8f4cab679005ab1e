using System.Diagnostics;
using Edm.Contracts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Storage;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.Contacts.Search;

/// <summary>How a filter was understood, and what it cost.</summary>
/// <param name="Read">With every parenthesis, and moments as they were reckoned.</param>
/// <param name="Contacts">How many pass.</param>
public sealed record FilterExplanation(string Read, long Contacts, double Milliseconds, IReadOnlyList<FilterPart> Parts);

/// <summary>One test of a filter.</summary>
/// <param name="By">tags, segment, column, index or contacts: where its answer comes from.</param>
/// <param name="Quick">False when contacts have to be read.</param>
/// <param name="Contacts">How many pass this test alone; null when finding out would read too many.</param>
public sealed record FilterPart(string Test, string By, bool Quick, long? Contacts, double Milliseconds);

internal static class FilterExplaining
{
    /// <summary>Each is a question of its own.</summary>
    private const int MaxParts = 50;

    /// <param name="filter">Bound.</param>
    public static async Task<FilterExplanation> OfAsync(EdmConnection connection, UserId user, SelectionRun run, ContactFilter filter, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        var count = (await run.EvaluateAsync(filter, cancellation)).Count;
        var whole = Stopwatch.GetElapsedTime(started);
        var tags = (await connection.QueryToListAsync<TagRow>("SELECT id, name FROM tags WHERE user_id = @user", cancellation, new DataParameter("user", user.Value)))
            .ToDictionary(tag => tag.Id, tag => tag.Name);
        var parts = new List<FilterPart>();
        foreach (var test in Tests(filter.Root).Take(MaxParts))
        {
            started = Stopwatch.GetTimestamp();
            long? passing;
            try
            {
                passing = (await run.EvaluateAsync(test, cancellation)).Count;
            }
            catch (ContactFilterException)
            {
                passing = null;
            }

            parts.Add(new FilterPart(FilterWriter.Of(test, tags), By(test), FilterCost.IsQuick(test), passing, Stopwatch.GetElapsedTime(started).TotalMilliseconds));
        }

        return new FilterExplanation(FilterWriter.Of(filter.Root, tags), count, whole.TotalMilliseconds, parts);
    }

    private static IEnumerable<FilterNode> Tests(FilterNode? node) => node switch
    {
        null => [],
        FilterNode.And and => and.Nodes.SelectMany(Tests),
        FilterNode.Or or => or.Nodes.SelectMany(Tests),
        FilterNode.Not not => Tests(not.Inner),
        _ => [node],
    };

    private static string By(FilterNode node) => node switch
    {
        FilterNode.Tags or FilterNode.Untagged => "tags",
        FilterNode.Expanded => "segment",
        FilterNode.Text { Field.Column: "email_key", Field.Quick: false, Test: TextTest.In } => "index",
        _ => FilterCost.IsQuick(node) ? "column" : "contacts",
    };

    [Table("tags")]
    private sealed record TagRow
    {
        [Column] public long Id { get; init; }
        [Column] public string Name { get; init; } = "";
    }
}
