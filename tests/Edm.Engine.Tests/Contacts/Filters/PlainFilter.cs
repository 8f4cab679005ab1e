using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;

namespace Edm.Engine.Tests.Contacts.Filters;

/// <summary>What a contact looks like to the plain model.</summary>
internal sealed record PlainContact(int Ordinal, ContactRow Row, IReadOnlyDictionary<string, string> Attributes, long? LastSent, IReadOnlySet<long> Tags);

/// <summary>What a bound filter means, said once more and as simply as can be: what the evaluator and SQL must agree with.</summary>
internal static class PlainFilter
{
    public static bool Passes(FilterNode? node, PlainContact contact) => node switch
    {
        null => true,
        FilterNode.And and => and.Nodes.All(n => Passes(n, contact)),
        FilterNode.Or or => or.Nodes.Any(n => Passes(n, contact)),
        FilterNode.Not not => !Passes(not.Inner, contact),
        FilterNode.Expanded segment => Passes(segment.Inner, contact),
        FilterNode.Tags tags => tags.Ids.Any(contact.Tags.Contains),
        FilterNode.Untagged => contact.Tags.Count == 0,
        FilterNode.Empty { Field.IsText: true } empty => string.IsNullOrEmpty(Text(empty.Field, contact)),
        FilterNode.Empty empty => Number(empty.Field, contact) is null,
        FilterNode.Whole whole => Number(whole.Field, contact) is { } value && value >= whole.From && value <= whole.To,
        FilterNode.Number number => AttributeValue.TryNumber(contact.Attributes.GetValueOrDefault(number.Field.Name), out var value) && number.Operator switch
        {
            "=" => value == number.Value,
            "<" => value < number.Value,
            "<=" => value <= number.Value,
            ">" => value > number.Value,
            _ => value >= number.Value,
        },
        FilterNode.Text text => Text(text.Field, contact) is { } value && text.Test switch
        {
            TextTest.In => text.Values.Contains(Lower(value)),
            TextTest.Contains => Lower(value).Contains(text.Values[0], StringComparison.Ordinal),
            _ => Lower(value).StartsWith(text.Values[0], StringComparison.Ordinal),
        },
        _ => throw new InvalidOperationException($"{node.GetType().Name}"),
    };

    private static string Lower(string text) => string.Concat(text.Select(c => c is >= 'A' and <= 'Z' ? (char)(c + 32) : c));

    private static long? Number(FilterField field, PlainContact contact) => field.Name switch
    {
        _ when field.Kind == FilterFieldKind.AttributeDay => AttributeValue.TryDay(contact.Attributes.GetValueOrDefault(field.Name), out var day) ? day : null,
        "followers" => contact.Row.Followers,
        "createdAt" => contact.Row.CreatedAt,
        "updatedAt" => contact.Row.UpdatedAt,
        _ => contact.LastSent,
    };

    private static string? Text(FilterField field, PlainContact contact) => field switch
    {
        { IsAttribute: true } => contact.Attributes.GetValueOrDefault(field.Name),
        { Name: "domain" } => contact.Row.EmailKey[(contact.Row.EmailKey.LastIndexOf('@') + 1)..],
        { Name: "handle" } => contact.Row.Handle,
        { Name: "nickname" } => contact.Row.Nickname,
        { Name: "country" } => contact.Row.Country,
        { Name: "language" } => contact.Row.Language,
        { Name: "category" } => contact.Row.Category,
        { Name: "bio" } => contact.Row.Bio,
        { Name: "status" } => contact.Row.Status,
        _ => contact.Row.EmailKey,
    };
}
