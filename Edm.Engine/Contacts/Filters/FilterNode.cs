namespace Edm.Engine.Contacts.Filters;

/// <summary>What a filter is made of, once parsed. Every test is true or false for every contact, never unknown.</summary>
/// <param name="At">Where it stands in the text that was parsed.</param>
internal abstract record FilterNode(FilterSpan At)
{
    /// <param name="Nodes">Two or more.</param>
    public sealed record And(FilterSpan At, IReadOnlyList<FilterNode> Nodes) : FilterNode(At);

    /// <param name="Nodes">Two or more.</param>
    public sealed record Or(FilterSpan At, IReadOnlyList<FilterNode> Nodes) : FilterNode(At);

    public sealed record Not(FilterSpan At, FilterNode Inner) : FilterNode(At);

    /// <param name="Values">In lower case (A–Z), none empty.</param>
    public sealed record Text(FilterSpan At, FilterField Field, TextTest Test, IReadOnlyList<string> Values) : FilterNode(At);

    /// <summary>A whole number from <paramref name="From"/> to <paramref name="To"/>, both included. Nothing passes when they are in the wrong order.</summary>
    public sealed record Whole(FilterSpan At, FilterField Field, long From, long To) : FilterNode(At);

    /// <summary>An attribute that reads as a number (<see cref="AttributeValue"/>).</summary>
    /// <param name="Operator">One of = &lt; &lt;= &gt; &gt;=.</param>
    public sealed record Number(FilterSpan At, FilterField Field, string Operator, double Value) : FilterNode(At);

    /// <summary>A moment or day compared with one that may depend on now. Binding makes it <see cref="Whole"/>.</summary>
    /// <param name="Operator">One of = &lt; &lt;= &gt; &gt;=.</param>
    public sealed record Moment(FilterSpan At, FilterField Field, string Operator, FilterMoment Value) : FilterNode(At);

    public sealed record Empty(FilterSpan At, FilterField Field) : FilterNode(At);

    /// <summary>Has one of the tags of these names. Binding makes it <see cref="Tags"/>.</summary>
    public sealed record TagNames(FilterSpan At, IReadOnlyList<FilterName> Names) : FilterNode(At);

    /// <summary>Has one of the tags of these ids.</summary>
    public sealed record Tags(FilterSpan At, IReadOnlyList<long> Ids) : FilterNode(At);

    /// <summary>Has no tag at all.</summary>
    public sealed record Untagged(FilterSpan At) : FilterNode(At);

    /// <summary>Passes the filter of the segment. Binding puts that in its place.</summary>
    public sealed record Segment(FilterSpan At, FilterName Name) : FilterNode(At);

    /// <summary>What binding makes of a segment: its filter, or everybody when <paramref name="Inner"/> is null.</summary>
    public sealed record Expanded(FilterSpan At, string Name, FilterNode? Inner) : FilterNode(At);
}

/// <param name="Start">Counted from 0.</param>
internal readonly record struct FilterSpan(int Start, int End)
{
    /// <summary>As errors count it.</summary>
    public int Position => Start + 1;
}

/// <summary>A name that the user wrote, and where.</summary>
internal readonly record struct FilterName(string Text, FilterSpan At);

internal enum TextTest
{
    In,
    Contains,
    StartsWith,
}
