using System.Globalization;
using LinqToDB;
using LinqToDB.Data;

namespace Edm.Engine.Contacts.Filters;

/// <summary>
/// Writes a bound filter as SQL. Every test is true or false and never NULL, so that NOT means what it says. Lower-casing is A–Z only on both
/// databases: SQLite can do no other, and on PostgreSQL the collation "C" makes it so (and fast).
/// </summary>
internal sealed class ContactFilterSql(bool isPostgres, ICollection<DataParameter> parameters, string contacts)
{
    private int _number;

    public string Of(FilterNode node) => node switch
    {
        FilterNode.And and => $"({string.Join(" AND ", and.Nodes.Select(Of))})",
        FilterNode.Or or => $"({string.Join(" OR ", or.Nodes.Select(Of))})",
        FilterNode.Not not => $"(NOT {Of(not.Inner)})",
        FilterNode.Expanded segment => segment.Inner is null ? "(1 = 1)" : Of(segment.Inner),
        FilterNode.Text text => $"coalesce({TestOf(text)}, {False})",
        FilterNode.Whole whole => $"coalesce({Number(whole.Field)} BETWEEN {Add(whole.From, DataType.Int64)} AND {Add(whole.To, DataType.Int64)}, {False})",
        FilterNode.Number number => $"coalesce({Number(number.Field)} {number.Operator} {Add(number.Value, DataType.Double)}, {False})",
        FilterNode.Empty { Field.IsText: true } empty => $"(coalesce({Value(empty.Field)}, '') = '')",
        FilterNode.Empty empty => $"({Value(empty.Field)} IS NULL)",
        FilterNode.Tags tags => HasTag($"m.tag_id IN ({string.Join(", ", tags.Ids.Select(id => id.ToString(CultureInfo.InvariantCulture)))})"),
        FilterNode.Untagged => $"(NOT {HasTag($"m.tag_id IN (SELECT t.id FROM tags t WHERE t.user_id = {contacts}.user_id AND t.deleted_at IS NULL)")})",
        _ => throw new InvalidOperationException($"{node.GetType().Name} has no SQL: the filter has to be bound first."),
    };

    private string False => isPostgres ? "false" : "0";

    private string TestOf(FilterNode.Text text)
    {
        var (value, first) = (Lower(text.Field), Text(text.Values[0]));
        return text.Test switch
        {
            TextTest.In when text.Values.Count == 1 => $"{value} = {first}",
            TextTest.In => $"{value} IN ({string.Join(", ", text.Values.Skip(1).Select(Text).Prepend(first))})",
            TextTest.Contains => isPostgres ? $"position({first} in {value}) > 0" : $"instr({value}, {first}) > 0",
            TextTest.StartsWith => isPostgres ? $"starts_with({value}, {first})" : $"substr({value}, 1, length({first})) = {first}",
            _ => throw new InvalidOperationException($"{text.Test} has no SQL."),
        };
    }

    // SQLite has get_bit by SqliteFilterFunctions.
    private string HasTag(string which) =>
        $"EXISTS (SELECT 1 FROM tag_members m WHERE {which} AND m.chunk = {contacts}.ordinal / 8192 AND get_bit(m.bits, {contacts}.ordinal % 8192) = 1)";

    private string Lower(FilterField field) => isPostgres ? $"lower({Value(field)} COLLATE \"C\")" : $"lower({Value(field)})";

    private string Value(FilterField field) => field.Kind switch
    {
        _ when field.IsAttribute => $"({contacts}.attributes ->> {Add(field.Name, DataType.Text)})",
        _ when field.IsActivity => $"(SELECT a.last_sent_at FROM contact_activity a WHERE a.user_id = {contacts}.user_id AND a.ordinal = {contacts}.ordinal)",
        FilterFieldKind.Domain when isPostgres => $"substring({contacts}.email_key from '[^@]*$')",
        FilterFieldKind.Domain => $"substr({contacts}.email_key, length(rtrim({contacts}.email_key, replace({contacts}.email_key, '@', ''))) + 1)",
        _ => $"{contacts}.{field.Column}",
    };

    private string Number(FilterField field)
    {
        var value = Value(field);
        return field.Kind switch
        {
            FilterFieldKind.AttributeNumber when isPostgres =>
                $"CASE WHEN {value} ~ '{AttributeValue.NumberPattern}' THEN replace(rtrim({value}, 'kKmMbB%'), ',', '')::double precision * "
                + $"(CASE lower(right({value}, 1)) WHEN 'k' THEN 1e3 WHEN 'm' THEN 1e6 WHEN 'b' THEN 1e9 ELSE 1 END)::double precision END",
            FilterFieldKind.AttributeNumber => $"edm_number({value})",
            FilterFieldKind.AttributeDay when isPostgres => $"CASE WHEN {value} ~ '{AttributeValue.DayPattern}' THEN translate(left({value}, 10), '-/.', '')::int END",
            FilterFieldKind.AttributeDay => $"edm_day({value})",
            _ => value,
        };
    }

    private string Text(string value) => Add(value, DataType.Text);

    public static string AsciiLower(string value) =>
        string.Create(value.Length, value, static (span, text) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = char.IsAsciiLetterUpper(text[i]) ? (char)(text[i] | 0x20) : text[i];
            }
        });

    private string Add(object value, DataType type)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"filter{_number++}");
        parameters.Add(new DataParameter(name, value, type));
        return $"@{name}";
    }
}
