namespace Edm.Contracts.Http;

/// <summary>A person in your list.</summary>
/// <param name="Attributes">Columns of imports that have no field of their own.</param>
/// <param name="Status">active, unsubscribed or suppressed; only active ones get mail.</param>
public sealed record ContactView(
    ContactId Id, string Email, string? Handle, string? Nickname, long? Followers, string? Country, string? Language, string? Category, string? Bio,
    IReadOnlyDictionary<string, string> Attributes, string Status, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

public sealed record CountView(long Count);

/// <param name="Email">No other contact of yours has it.</param>
/// <param name="Attributes">At most 256. Names are lower case letters, digits and single _.</param>
/// <param name="Status">active (default), unsubscribed or suppressed.</param>
public sealed record NewContact(
    string Email, string? Handle = null, string? Nickname = null, long? Followers = null, string? Country = null, string? Language = null, string? Category = null, string? Bio = null,
    IReadOnlyDictionary<string, string>? Attributes = null, string? Status = null);

/// <summary>What is left out stays as it is. Of attributes only those that are named change; null takes one away.</summary>
public sealed record ContactChange
{
    public Optional<string> Email { get; init; }
    public Optional<string> Handle { get; init; }
    public Optional<string> Nickname { get; init; }
    public Optional<long?> Followers { get; init; }
    public Optional<string> Country { get; init; }
    public Optional<string> Language { get; init; }
    public Optional<string> Category { get; init; }
    public Optional<string> Bio { get; init; }
    public IReadOnlyDictionary<string, string?>? Attributes { get; init; }
    public Optional<string> Status { get; init; }
}

/// <summary>Something that happened to a contact.</summary>
/// <param name="Kind">created, changed, unchanged (an import met it), merged, or tags.</param>
/// <param name="Source">person, import, mail (a mail server said that there is no such mailbox), rule or ai.</param>
/// <param name="By">The name of the key, the rule or the model, or the number of the import or the task.</param>
/// <param name="Changes">By field; attributes are attributes.NAME.</param>
/// <param name="MergedId">The contact that became a part of this one.</param>
/// <param name="OperationId">Of tags: what can be looked up, and undone.</param>
public sealed record ContactHistoryView(
    DateTimeOffset At, string Kind, string Source, string By, IReadOnlyDictionary<string, FieldChangeView> Changes, IReadOnlyList<string> TagsAdded,
    IReadOnlyList<string> TagsRemoved, ContactId? MergedId, TagOperationId? OperationId);

/// <summary>null where the field had, or has, no value.</summary>
public sealed record FieldChangeView(string? From, string? To);

/// <param name="Next">Give this as <c>after</c> to get what follows; null at the end.</param>
public sealed record ContactHistoryPage(IReadOnlyList<ContactHistoryView> Items, string? Next);

/// <param name="From">1 to 100 contacts that become a part of this one, and are gone then. What this one has not comes from the first that has it.</param>
public sealed record ContactMergeRequest(IReadOnlyList<ContactId> From);

/// <summary>Contacts that are likely one person.</summary>
/// <param name="Reason">mailbox (the same address but for a +tag and, at Gmail, dots), handle, or nickname (the same at one domain).</param>
/// <param name="Count">Of all of them.</param>
/// <param name="Contacts">The oldest 20.</param>
public sealed record DuplicateView(string Reason, int Count, IReadOnlyList<ContactView> Contacts);

/// <param name="Next">Give this as <c>after</c> to get what follows; null at the end.</param>
public sealed record DuplicatePage(IReadOnlyList<DuplicateView> Items, string? Next);
