namespace Edm.Contracts.Http;

/// <summary>A filter under a name. Who belongs to it is found out at each question.</summary>
/// <param name="Contacts">How many belong to it now; null when its filter can't be answered.</param>
/// <param name="Problem">Why not, such as a tag in it that was deleted; null otherwise.</param>
public sealed record SegmentView(SegmentId Id, string Name, string Filter, long? Contacts, string? Problem, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

public sealed record NewSegment(string Name, string Filter);

/// <summary>What is left out stays as it is.</summary>
public sealed record SegmentChange
{
    public Optional<string> Name { get; init; }
    public Optional<string> Filter { get; init; }
}

public sealed record SegmentList(IReadOnlyList<SegmentView> Items);

/// <summary>A part of a list of contacts.</summary>
/// <param name="Next">Give this as <c>after</c> to get what follows; null at the end. A number, or a text where the list is sorted.</param>
public sealed record ContactPage(IReadOnlyList<ContactView> Items, PageEnd? Next);

public sealed record ContactSampleView(IReadOnlyList<ContactView> Items);

/// <summary>How a filter was understood, and what it cost.</summary>
/// <param name="Read">With every parenthesis, and moments as they were reckoned.</param>
/// <param name="Count">How many contacts pass.</param>
/// <param name="Milliseconds">For the whole.</param>
public sealed record FilterExplanationView(string Read, long Count, double Milliseconds, IReadOnlyList<FilterPartView> Parts);

/// <summary>One test of a filter.</summary>
/// <param name="By">Where its answer comes from: tags, segment, column, index or contacts.</param>
/// <param name="Quick">False when contacts have to be read one by one.</param>
/// <param name="Count">How many pass this test alone; null when finding out would read too many.</param>
public sealed record FilterPartView(string Test, string By, bool Quick, long? Count, double Milliseconds);
