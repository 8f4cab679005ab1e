namespace Edm.Contracts.Http;

/// <param name="Email">Of the person, in any spelling.</param>
public sealed record ErasureRequest(string Email);

/// <summary>That a person was erased; who it was is not kept.</summary>
/// <param name="ContactId">The number that the contact had; null when the person was no contact any more.</param>
/// <param name="State">erased: gone from the database. finished: also no import that was under way then holds the person any more, nor a file of the database a remnant.</param>
/// <param name="By">The name of the key that asked for it.</param>
public sealed record ErasureView(ErasureId Id, ContactId? ContactId, string State, string By, DateTimeOffset At, DateTimeOffset? FinishedAt);
