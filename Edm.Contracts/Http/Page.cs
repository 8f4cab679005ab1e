namespace Edm.Contracts.Http;

/// <summary>A part of a list.</summary>
/// <param name="Items">In the order of the list.</param>
/// <param name="Next">Give this as <c>after</c> to get what follows; null at the end.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, long? Next);
