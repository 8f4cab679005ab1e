using System.Globalization;
using LinqToDB;
using LinqToDB.Data;

namespace Edm.Engine.Contacts;

/// <summary>
/// Writes a filter as SQL. Every test is true or false and never NULL, so that NOT means what it says. Lower-casing is A–Z only on both
/// databases: SQLite can do no other, and on PostgreSQL the collation "C" makes it so (and fast).
/// </summary>
internal sealed class ContactFilterSql(bool isPostgres, ICollection<DataParameter> parameters, string contacts)
{
    private int _number;

    public string Of(FilterNode node) => node switch
    {
        FilterNode.And and => $"({Of(and.Left)} AND {Of(and.Right)})",
        FilterNode.Or or => $"({Of(or.Left)} OR {Of(or.Right)})",
        FilterNode.Not not => $"(NOT {Of(not.Inner)})",
        FilterNode.TextIn one when one.Values.Count == 1 => $"coalesce({Lower(one.Field)} = {Text(one.Values[0])}, {False})",
        FilterNode.TextIn some => $"coalesce({Lower(some.Field)} IN ({string.Join(", ", some.Values.Select(Text))}), {False})",
        FilterNode.TextContains contains => $"coalesce({Position(Lower(contains.Field), Text(contains.Value))} > 0, {False})",
        FilterNode.Compare compare => $"coalesce({Number(compare.Field)} {compare.Operator} {Add(compare.Value, DataType.Int64)}, {False})",
        FilterNode.Empty empty => $"(coalesce({(empty.Field.Kind == FilterFieldKind.Number ? AsText(Value(empty.Field)) : Value(empty.Field))}, '') = '')",
        _ => throw new InvalidOperationException($"{node.GetType().Name} has no SQL."),
    };

    private string False => isPostgres ? "false" : "0";

    private string Lower(FilterField field) => isPostgres ? $"lower({Value(field)} COLLATE \"C\")" : $"lower({Value(field)})";

    private string Value(FilterField field) => field.Kind switch
    {
        FilterFieldKind.Attribute => $"({contacts}.attributes ->> {Add(field.Name, DataType.Text)})",
        // What stands after the last @.
        FilterFieldKind.Domain when isPostgres => $"substring({contacts}.email_key from '[^@]*$')",
        FilterFieldKind.Domain => $"substr({contacts}.email_key, length(rtrim({contacts}.email_key, replace({contacts}.email_key, '@', ''))) + 1)",
        _ => $"{contacts}.{field.Column}",
    };

    /// <summary>An attribute counts as a number only where it is a plain one.</summary>
    private string Number(FilterField field)
    {
        if (field.Kind == FilterFieldKind.Number)
        {
            return Value(field);
        }

        var value = Value(field);
        return isPostgres
            ? $"CASE WHEN {value} ~ '^-?[0-9]{{1,18}}([.][0-9]{{1,18}})?$' THEN {value}::numeric END"
            : $"CASE WHEN ltrim({value}, '-') GLOB '[0-9]*' AND NOT ltrim({value}, '-') GLOB '*[^0-9.]*' AND NOT {value} GLOB '--*' AND NOT {value} GLOB '*.*.*' THEN CAST({value} AS REAL) END";
    }

    private static string AsText(string value) => $"CAST({value} AS text)";

    private string Position(string text, string part) => isPostgres ? $"position({part} in {text})" : $"instr({text}, {part})";

    private string Text(string value) => Add(AsciiLower(value), DataType.Text);

    private static string AsciiLower(string value) =>
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
