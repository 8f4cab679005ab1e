using Edm.Engine.Settings;

namespace Edm.Engine.Contacts.Filters;

/// <summary>Recursive descent: or → and → not → test. Every depth and length is bounded, since the text comes from outside.</summary>
internal sealed class ContactFilterParser
{
    /// <summary>Far beyond what a person writes; keeps statement, parameters and stack small.</summary>
    public const int MaxLength = 4000;

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

    private FilterToken Following => _tokens[Math.Min(_next + 1, _tokens.Count - 1)];

    /// <exception cref="ContactFilterException"/>
    public FilterNode Parse()
    {
        var node = Or();
        return Current.Kind == FilterTokenKind.End ? node : throw Unexpected("Expected 'and', 'or' or the end");
    }

    private FilterNode Or() => Joined("or", And, static (at, nodes) => new FilterNode.Or(at, nodes));

    private FilterNode And() => Joined("and", Unary, static (at, nodes) => new FilterNode.And(at, nodes));

    private FilterNode Joined(string word, Func<FilterNode> part, Func<FilterSpan, IReadOnlyList<FilterNode>, FilterNode> join)
    {
        var from = Current;
        var first = part();
        if (!Current.Is(word))
        {
            return first;
        }

        var nodes = new List<FilterNode> { first };
        while (Take(word))
        {
            nodes.Add(part());
        }

        return join(Since(from), nodes);
    }

    private FilterNode Unary()
    {
        if (++_depth > MaxDepth)
        {
            throw new ContactFilterException("The filter is nested too deeply", Current.Position);
        }

        var from = Current;
        FilterNode node;
        if (Take("not"))
        {
            var inner = Unary();
            node = new FilterNode.Not(Since(from), inner);
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
            throw Unexpected("Expected a field, or tag:NAME");
        }

        _next++;
        if (name.Is("untagged"))
        {
            return new FilterNode.Untagged(name.At);
        }

        if (name.Is("tag"))
        {
            return Tag(name);
        }

        if (name.Is("segment"))
        {
            if (Current.Text is not "=" and not "==" || !Take(FilterTokenKind.Operator))
            {
                Expect(FilterTokenKind.Colon, "Expected ':' and the name of a segment after 'segment'");
            }

            var segment = Name();
            return new FilterNode.Segment(Since(name), segment);
        }

        var field = Field(name);
        return field.Kind switch
        {
            FilterFieldKind.Number or FilterFieldKind.Moment => new ScaleTest(this, name, field).Parse(),
            _ => TextTest(name, field),
        };
    }

    private FilterNode Tag(FilterToken from)
    {
        if (Take(FilterTokenKind.Colon) || (Current.Text is "=" or "==" && Take(FilterTokenKind.Operator)))
        {
            var name = Name();
            return new FilterNode.TagNames(Since(from), [name]);
        }

        if (Current.Text == "!=" && Take(FilterTokenKind.Operator))
        {
            var name = Name();
            return new FilterNode.Not(Since(from), new FilterNode.TagNames(Since(from), [name]));
        }

        var not = Take("not");
        if (!Take("in"))
        {
            throw Unexpected("Expected ':' and a name, or 'in', after 'tag'");
        }

        var names = List(Name);
        return Negate(not, new FilterNode.TagNames(Since(from), names));
    }

    private FilterNode TextTest(FilterToken from, FilterField field)
    {
        if (Current.Kind == FilterTokenKind.Operator)
        {
            var test = _tokens[_next++];
            if (test.Text is "=" or "==" or "!=")
            {
                var equal = OneOf(from, field, [Value(field)]);
                return Negate(test.Text == "!=", equal);
            }

            return field.Kind == FilterFieldKind.Attribute
                ? AttributeComparison(from, field, test.Text)
                : throw new ContactFilterException($"'{field.Name}' is text and can't be compared by {test.Text}", test.Position);
        }

        if (TakeEmpty(from, field) is { } empty)
        {
            return empty;
        }

        var not = Take("not");
        if (Take("in"))
        {
            var values = List(() => Value(field));
            return Negate(not, OneOf(from, field, values));
        }

        if (Current.Is("between") && field.Kind == FilterFieldKind.Attribute)
        {
            _next++;
            var low = AttributeComparison(from, field, ">=");
            Expect("and", "Expected 'and' and the other end");
            var high = AttributeComparison(from, field, "<=");
            return Negate(not, new FilterNode.And(Since(from), [low, high]));
        }

        if (Current.Is("contains") || (Current.Is("starts") && Following.Is("with")))
        {
            var contains = Current.Is("contains");
            RefuseStatus(field, contains ? "contains" : "starts with");
            _next += contains ? 1 : 2;
            var value = Value(field);
            return Negate(not, new FilterNode.Text(Since(from), field, contains ? Filters.TextTest.Contains : Filters.TextTest.StartsWith, [Lower(value.Text)]));
        }

        throw Unexpected($"Expected a test after '{field.Name}': = != {(field.Kind == FilterFieldKind.Attribute ? "< <= > >= between " : "")}in, contains, starts with or is empty");
    }

    /// <summary>Of an attribute, an unquoted number, day or truth value also means what reads as the same: 10k is 10000, true is yes.</summary>
    private FilterNode OneOf(FilterToken from, FilterField field, IReadOnlyList<FilterToken> values)
    {
        var at = Since(from);
        var texts = new List<string>();
        var others = new List<FilterNode>();
        foreach (var value in values)
        {
            var text = Lower(value.Text);
            texts.AddRange(field.Kind == FilterFieldKind.Attribute && value.Kind == FilterTokenKind.Word ? TruthValue(text) : [text]);
            if (field.Kind == FilterFieldKind.Attribute && value.Kind == FilterTokenKind.Word)
            {
                if (AttributeValue.TryNumber(value.Text, out var number))
                {
                    others.Add(new FilterNode.Number(at, field.As(FilterFieldKind.AttributeNumber), "=", number));
                }
                else if (FilterMoment.TryParse(value.Text, out var moment))
                {
                    others.Add(new FilterNode.Moment(at, field.As(FilterFieldKind.AttributeDay), "=", moment));
                }
            }
        }

        var same = new FilterNode.Text(at, field, Filters.TextTest.In, texts);
        return others.Count == 0 ? same : new FilterNode.Or(at, [same, .. others]);
    }

    private static string[] TruthValue(string text) => text switch
    {
        "true" => ["true", "yes", "y", "1"],
        "false" => ["false", "no", "n", "0"],
        _ => [text],
    };

    private FilterNode AttributeComparison(FilterToken from, FilterField field, string test)
    {
        if (TakeMoment() is { } moment)
        {
            return new FilterNode.Moment(Since(from), field.As(FilterFieldKind.AttributeDay), test, moment);
        }

        var token = Value();
        return AttributeValue.TryNumber(token.Text, out var number)
            ? new FilterNode.Number(Since(from), field.As(FilterFieldKind.AttributeNumber), test, number)
            : throw new ContactFilterException($"{token} is neither a number, such as 5000, 10k or 2.5%, nor a day, such as 2026-01-31 or 30d ago", token.Position);
    }

    private FilterToken Value(FilterField field)
    {
        var token = Value();
        if (field.Kind == FilterFieldKind.Status && !ContactStatuses.TryParse(token.Text.ToLowerInvariant(), out _))
        {
            throw new ContactFilterException($"{token} is not a status; there are {string.Join(", ", ContactStatuses.All)}", token.Position);
        }

        // @handle and @domain are how people write them.
        return field.Name is "handle" or "domain" && !field.IsAttribute && token.Text.Length > 1 ? token with { Text = token.Text.TrimStart('@') } : token;
    }

    private FilterToken Value()
    {
        var token = Current;
        if (token.Kind is not (FilterTokenKind.Word or FilterTokenKind.Quoted))
        {
            throw Unexpected("Expected a value");
        }

        if (token.Text.Length == 0)
        {
            throw new ContactFilterException("An empty value; write 'is empty'", token.Position);
        }

        if (++_values > MaxValues)
        {
            throw new ContactFilterException($"More than {MaxValues} values", token.Position);
        }

        _next++;
        return token;
    }

    private FilterName Name()
    {
        var token = Value();
        return new FilterName(token.Text, token.At);
    }

    /// <returns>Null, and nothing taken, when there is no day or moment.</returns>
    private FilterMoment? TakeMoment()
    {
        if (Current.Kind is not (FilterTokenKind.Word or FilterTokenKind.Quoted))
        {
            return null;
        }

        if (Following.Is("ago") && FilterMoment.TryParseAgo(Current.Text, "", out var moment))
        {
            _next += 2;
            return moment;
        }

        if (Following.Kind == FilterTokenKind.Word && _tokens[Math.Min(_next + 2, _tokens.Count - 1)].Is("ago") && FilterMoment.TryParseAgo(Current.Text, Following.Text, out moment))
        {
            _next += 3;
            return moment;
        }

        if (FilterMoment.TryParse(Current.Text, out moment))
        {
            _next++;
            return moment;
        }

        return null;
    }

    private List<T> List<T>(Func<T> item)
    {
        Expect(FilterTokenKind.Open, "Expected '(' after 'in'");
        var items = new List<T> { item() };
        while (Take(FilterTokenKind.Comma))
        {
            items.Add(item());
        }

        Expect(FilterTokenKind.Close, "Expected ',' or ')'");
        return items;
    }

    private FilterNode? TakeEmpty(FilterToken from, FilterField field)
    {
        if (!Take("is"))
        {
            return null;
        }

        var not = Take("not");
        return Take("empty") ? Negate(not, new FilterNode.Empty(Since(from), field)) : throw Unexpected("Expected 'empty'");
    }

    private static FilterField Field(FilterToken token)
    {
        if (FilterField.Find(token.Text, token.Position) is { } field)
        {
            return field;
        }

        var near = NearestName.Of(token.Text.Replace("_", "", StringComparison.Ordinal), FilterField.Known.Select(f => f.Name).Concat(FilterField.Words));
        throw new ContactFilterException($"There is no field {token}; did you mean '{near}'? Other columns of an import are attr.NAME", token.Position);
    }

    private void RefuseStatus(FilterField field, string test)
    {
        if (field.Kind == FilterFieldKind.Status)
        {
            throw new ContactFilterException($"'{field.Name}' can't be tested by '{test}'", Current.Position);
        }
    }

    private static string Lower(string value) => ContactFilterSql.AsciiLower(value);

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

    private void Expect(string keyword, string otherwise)
    {
        if (!Take(keyword))
        {
            throw Unexpected(otherwise);
        }
    }

    private void Expect(FilterTokenKind kind, string otherwise)
    {
        if (!Take(kind))
        {
            throw Unexpected(otherwise);
        }
    }

    private ContactFilterException Unexpected(string expected) => new($"{expected}, found {Current}", Current.Position);

    private FilterSpan Since(FilterToken from) => new(from.At.Start, _tokens[_next - 1].At.End);

    private static FilterNode Negate(bool negated, FilterNode node) => negated ? new FilterNode.Not(node.At, node) : node;

    /// <summary>The tests of fields that have an order of their own: followers and moments.</summary>
    private readonly struct ScaleTest(ContactFilterParser parser, FilterToken from, FilterField field)
    {
        private bool IsMoment => @field.Kind == FilterFieldKind.Moment;

        public FilterNode Parse()
        {
            if (parser.Current.Kind == FilterTokenKind.Operator)
            {
                var test = parser._tokens[parser._next++];
                var equal = test.Text is "==" or "!=";
                return Negate(test.Text == "!=", Compare(equal ? "=" : test.Text));
            }

            if (parser.TakeEmpty(from, field) is { } empty)
            {
                return empty;
            }

            var not = parser.Take("not");
            if (parser.Take("in"))
            {
                var test = this;
                var nodes = parser.List(() => test.Compare("="));
                return Negate(not, nodes.Count == 1 ? nodes[0] : new FilterNode.Or(parser.Since(from), nodes));
            }

            if (parser.Take("between"))
            {
                var low = Compare(">=");
                parser.Expect("and", "Expected 'and' and the other end");
                var high = Compare("<=");
                return Negate(not, new FilterNode.And(parser.Since(from), [low, high]));
            }

            if (parser.Current.Is("contains") || parser.Current.Is("starts"))
            {
                throw new ContactFilterException($"'{field.Name}' can't be tested by '{parser.Current.Text}'", parser.Current.Position);
            }

            throw parser.Unexpected($"Expected a test after '{field.Name}': = != < <= > >= in, between or is empty");
        }

        private FilterNode Compare(string test)
        {
            if (IsMoment)
            {
                var at = parser.Current;
                var moment = parser.TakeMoment()
                    ?? throw (at.Kind is FilterTokenKind.Word or FilterTokenKind.Quoted
                        ? new ContactFilterException($"{at} is not a day or moment, such as 2026-01-31, today or 30d ago", at.Position)
                        : parser.Unexpected("Expected a day, such as 2026-01-31 or 30d ago"));
                parser.CountValue(at);
                return new FilterNode.Moment(parser.Since(from), field, test, moment);
            }

            var token = parser.Value();
            if (!CompactNumber.TryParse(token.Text, out var number))
            {
                throw new ContactFilterException($"{token} is not a number, such as 5000, 10k or 1.5m", token.Position);
            }

            return Whole(parser.Since(from), field, test, number, number);
        }
    }

    private void CountValue(FilterToken at)
    {
        if (++_values > MaxValues)
        {
            throw new ContactFilterException($"More than {MaxValues} values", at.Position);
        }
    }

    /// <param name="first">The smallest number that the value stands for; a day stands for many.</param>
    public static FilterNode.Whole Whole(FilterSpan at, FilterField field, string test, long first, long last) => test switch
    {
        "=" => new FilterNode.Whole(at, field, first, last),
        "<" => new FilterNode.Whole(at, field, long.MinValue, first - 1),
        "<=" => new FilterNode.Whole(at, field, long.MinValue, last),
        ">" => new FilterNode.Whole(at, field, last + 1, long.MaxValue),
        ">=" => new FilterNode.Whole(at, field, first, long.MaxValue),
        _ => throw new ContactFilterException($"'{test}' is not a test", at.Position),
    };
}
