using System.Globalization;

namespace Edm.Engine.Contacts.Filters;

/// <summary>Writes how a filter was understood: with every parenthesis, and moments as they were reckoned.</summary>
internal static class FilterWriter
{
    /// <param name="tags">Names by id.</param>
    public static string Of(FilterNode? node, IReadOnlyDictionary<long, string> tags) => node switch
    {
        null => "everybody",
        FilterNode.And and => $"({string.Join(" and ", and.Nodes.Select(n => Of(n, tags)))})",
        FilterNode.Or or => $"({string.Join(" or ", or.Nodes.Select(n => Of(n, tags)))})",
        FilterNode.Not not => $"not {Of(not.Inner, tags)}",
        FilterNode.Expanded segment => $"segment:{Quote(segment.Name)}",
        FilterNode.Tags { Ids.Count: 1 } tag => $"tag:{Quote(Name(tag.Ids[0], tags))}",
        FilterNode.Tags some => $"tag in ({string.Join(", ", some.Ids.Select(id => Quote(Name(id, tags))))})",
        FilterNode.Untagged => "untagged",
        FilterNode.Empty empty => $"{Field(empty.Field)} is empty",
        FilterNode.Text { Test: TextTest.In, Values.Count: 1 } text => $"{Field(text.Field)} = {Quote(text.Values[0])}",
        FilterNode.Text { Test: TextTest.In } text => $"{Field(text.Field)} in ({string.Join(", ", text.Values.Select(Quote))})",
        FilterNode.Text text => $"{Field(text.Field)} {(text.Test == TextTest.Contains ? "contains" : "starts with")} {Quote(text.Values[0])}",
        FilterNode.Number number => string.Create(CultureInfo.InvariantCulture, $"{Field(number.Field)} {number.Operator} {number.Value}"),
        FilterNode.Whole whole when whole.From == long.MinValue => $"{Field(whole.Field)} <= {Value(whole.Field, whole.To)}",
        FilterNode.Whole whole when whole.To == long.MaxValue => $"{Field(whole.Field)} >= {Value(whole.Field, whole.From)}",
        FilterNode.Whole whole when whole.From == whole.To => $"{Field(whole.Field)} = {Value(whole.Field, whole.From)}",
        FilterNode.Whole whole => $"{Field(whole.Field)} between {Value(whole.Field, whole.From)} and {Value(whole.Field, whole.To)}",
        _ => throw new InvalidOperationException($"{node.GetType().Name} can't be written: the filter has to be bound first."),
    };

    private static string Name(long tag, IReadOnlyDictionary<long, string> tags) => tags.GetValueOrDefault(tag, "?");

    private static string Field(FilterField field) => field.IsAttribute ? $"attr.{field.Name}" : field.Name;

    private static string Quote(string text) => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string Value(FilterField field, long value) => field.Kind switch
    {
        FilterFieldKind.AttributeDay => string.Create(CultureInfo.InvariantCulture, $"{value / 10_000:0000}-{value / 100 % 100:00}-{value % 100:00}"),
        FilterFieldKind.Moment => DateTimeOffset.FromUnixTimeMilliseconds(value).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
        _ => value.ToString(CultureInfo.InvariantCulture),
    };
}
