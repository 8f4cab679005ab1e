namespace Edm.Contracts.Http;

/// <summary>A person in your list.</summary>
/// <param name="Attributes">Columns of imports that have no field of their own.</param>
/// <param name="Status">active, unsubscribed or suppressed; only active ones get mail.</param>
public sealed record ContactView(
    ContactId Id, string Email, string? Handle, string? Nickname, long? Followers, string? Country, string? Language, string? Category, string? Bio,
    IReadOnlyDictionary<string, string> Attributes, string Status, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

public sealed record CountView(long Count);
