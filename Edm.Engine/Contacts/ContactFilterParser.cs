using Edm.Engine.Settings;

namespace Edm.Engine.Contacts;

/// <summary>Recursive descent: or → and → not → test. Every depth and length is bounded, since the text comes from outside.</summary>
internal sealed class ContactFilterParser
{
    /// <summary>Far beyond what a person writes; keeps statement, parameters and stack small.</summary>
    private const int MaxLength = 4000;

    private const int MaxDepth = 32;
    private const int MaxValues = 500;

    private readonly List<FilterToken> _tokens;
    private int _next;
    private int _depth;
    private int _values;

    public ContactFilterParser(string text)
    {
        if (text.Length > MaxLength)
        {
            throw new ContactFilterException($"The filter is longer than {MaxLength} characters", MaxLength);
        }

        _tokens = ContactFilterLexer.Read(text);
    }

    private FilterToken Current => _tokens[_next];

    /// <exception cref="ContactFilterException"/>
    public FilterNode Parse()
    {
        var node = Or();
        return Current.Kind == FilterTokenKind.End ? node : throw Unexpected("Expected 'and', 'or' or the end");
    }

    private FilterNode Or()
    {
        var left = And();
        while (Take("or"))
        {
            left = new FilterNode.Or(left, And());
        }

        return left;
    }

    private FilterNode And()
    {
        var left = Unary();
        while (Take("and"))
        {
            left = new FilterNode.And(left, Unary());
        }

        return left;
    }

    private FilterNode Unary()
    {
        if (++_depth > MaxDepth)
        {
            throw new ContactFilterException("The filter is nested too deeply", Current.Position);
        }

        FilterNode node;
        if (Take("not"))
        {
            node = new FilterNode.Not(Unary());
        }
        else if (Take(FilterTokenKind.Open))
        {
            node = Or();
            Expect(FilterTokenKind.Close, "Expected ')'");
        }
        else
        {
            node = Test();
        }

        _depth--;
        return node;
    }

    private FilterNode Test()
    {
        var name = Current;
        if (name.Kind != FilterTokenKind.Word)
        {
            throw Unexpected("Expected a field");
        }

        _next++;
        var field = Field(name);
        if (Current.Kind == FilterTokenKind.Operator)
        {
            return Comparison(field, _tokens[_next++]);
        }

        if (Take("is"))
        {
            var negated = Take("not");
            return Take("empty") ? Negate(negated, new FilterNode.Empty(field)) : throw Unexpected("Expected 'empty'");
        }

        var not = Take("not");
        if (Take("in"))
        {
            return Negate(not, In(field));
        }

        if (Current.Is("contains"))
        {
            RefuseFor(field, "contains", FilterFieldKind.Number, FilterFieldKind.Status);
            _next++;
            return Negate(not, new FilterNode.TextContains(field, Value()));
        }

        throw Unexpected($"Expected a test after '{field.Name}': = != < <= > >= in, contains or is empty");
    }

    private FilterNode Comparison(FilterField field, FilterToken test)
    {
        if (test.Text is "=" or "==" or "!=")
        {
            return Negate(test.Text == "!=", Equal(field));
        }

        if (field.Kind is not (FilterFieldKind.Number or FilterFieldKind.Attribute))
        {
            throw new ContactFilterException($"'{field.Name}' is text and can't be compared by {test.Text}", test.Position);
        }

        return new FilterNode.Compare(field, test.Text, Number());
    }

    private FilterNode In(FilterField field)
    {
        Expect(FilterTokenKind.Open, "Expected '(' after 'in'");
        if (field.Kind == FilterFieldKind.Number)
        {
            var node = Equal(field);
            while (Take(FilterTokenKind.Comma))
            {
                node = new FilterNode.Or(node, Equal(field));
            }

            Expect(FilterTokenKind.Close, "Expected ',' or ')'");
            return node;
        }

        var values = new List<string> { TextValue(field) };
        while (Take(FilterTokenKind.Comma))
        {
            values.Add(TextValue(field));
        }

        Expect(FilterTokenKind.Close, "Expected ',' or ')'");
        return new FilterNode.TextIn(field, values);
    }

    private FilterNode Equal(FilterField field) => field.Kind == FilterFieldKind.Number
        ? new FilterNode.Compare(field, "=", Number())
        : new FilterNode.TextIn(field, [TextValue(field)]);

    private string TextValue(FilterField field)
    {
        var token = Current;
        var value = Value();
        if (field.Kind == FilterFieldKind.Status && !ContactStatuses.TryParse(value.ToLowerInvariant(), out _))
        {
            throw new ContactFilterException($"'{value}' is not a status; there are {string.Join(", ", ContactStatuses.All)}", token.Position);
        }

        // @handle and @domain are how people write them.
        return field.Name is "handle" or "domain" ? value.TrimStart('@') : value;
    }

    private long Number()
    {
        var token = Current;
        var value = Value();
        return CompactNumber.TryParse(value, out var number)
            ? number
            : throw new ContactFilterException($"{token} is not a number, such as 5000, 10k or 1.5m", token.Position);
    }

    private string Value()
    {
        if (Current.Kind is not (FilterTokenKind.Word or FilterTokenKind.Quoted))
        {
            throw Unexpected("Expected a value");
        }

        return ++_values <= MaxValues
            ? _tokens[_next++].Text
            : throw new ContactFilterException($"More than {MaxValues} values", Current.Position);
    }

    private static FilterField Field(FilterToken token)
    {
        const string attribute = "attr.";
        if (token.Text.StartsWith(attribute, StringComparison.OrdinalIgnoreCase))
        {
            var name = AttributeName.Of(token.Text[attribute.Length..]);
            return name.Length > 0
                ? new FilterField(name, null, FilterFieldKind.Attribute)
                : throw new ContactFilterException("Expected a name after 'attr.'", token.Position);
        }

        return FilterField.Known.FirstOrDefault(f => f.Name.Equals(token.Text, StringComparison.OrdinalIgnoreCase))
            ?? throw new ContactFilterException(
                $"There is no field {token}; did you mean '{NearestName.Of(token.Text, FilterField.Known.Select(f => f.Name))}'? Other columns of an import are attr.NAME",
                token.Position);
    }

    private void RefuseFor(FilterField field, string test, params FilterFieldKind[] kinds)
    {
        if (kinds.Contains(field.Kind))
        {
            throw new ContactFilterException($"'{field.Name}' can't be tested by '{test}'", Current.Position);
        }
    }

    private bool Take(string keyword)
    {
        var taken = Current.Is(keyword);
        _next += taken ? 1 : 0;
        return taken;
    }

    private bool Take(FilterTokenKind kind)
    {
        var taken = Current.Kind == kind;
        _next += taken ? 1 : 0;
        return taken;
    }

    private void Expect(FilterTokenKind kind, string otherwise)
    {
        if (!Take(kind))
        {
            throw Unexpected(otherwise);
        }
    }

    private ContactFilterException Unexpected(string expected) => new($"{expected}, found {Current}", Current.Position);

    private static FilterNode Negate(bool negated, FilterNode node) => negated ? new FilterNode.Not(node) : node;
}
