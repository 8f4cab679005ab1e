namespace Edm.Engine.Services.Sandbox;

/// <summary>A mail as it came in.</summary>
/// <param name="Login">Who had logged in; null when nobody had.</param>
/// <param name="Size">Octets of the whole mail; <paramref name="Raw"/> may be only its beginning.</param>
public sealed record SandboxMail(
    DateTimeOffset ReceivedAt, string? Login, string Sender, IReadOnlyList<string> Recipients, string? Subject, string? MessageId, int Size, byte[] Raw);

/// <summary>A mail to one recipient, as it is kept.</summary>
/// <param name="Id">Counts up; never used again.</param>
public sealed record SandboxMessage(long Id, DateTimeOffset ReceivedAt, string? Login, string Sender, string Recipient, string? Subject, string? MessageId, int Size);

/// <param name="Received">Mails to one recipient each, also those that are not kept any more.</param>
/// <param name="Recipients">Different addresses.</param>
/// <param name="Duplicated">Addresses that got more than one.</param>
public sealed record SandboxCount(long Received, long Recipients, long Duplicated);

public sealed record SandboxDuplicate(string Recipient, long Times);

/// <summary>Keeps what the sandbox gets. Counts every recipient; messages only the newest, because a sandbox must not fill a disk.</summary>
public interface ISandboxStore : IAsyncDisposable
{
    /// <summary>The mail is kept when this returns: the server answers 250 only then.</summary>
    Task AddAsync(SandboxMail mail, CancellationToken cancellation);

    /// <param name="before">Only those below this id; <see cref="long.MaxValue"/> for the first page.</param>
    /// <param name="login">Null: of everybody.</param>
    /// <returns>The newest first.</returns>
    Task<IReadOnlyList<SandboxMessage>> PageAsync(long before, int limit, string? login, CancellationToken cancellation);

    /// <returns>The beginning of the mail, at most <see cref="SandboxServer.MaxRaw"/> octets; null when it is not kept.</returns>
    Task<byte[]?> GetRawAsync(long id, CancellationToken cancellation);

    Task<SandboxCount> CountAsync(CancellationToken cancellation);

    /// <returns>The addresses that got more than one, the most first.</returns>
    Task<IReadOnlyList<SandboxDuplicate>> DuplicatesAsync(int limit, CancellationToken cancellation);

    /// <summary>
    /// Forgets the mails to some people, for good: no file holds them afterwards. How often each of them got one stays, under a name that is made up.
    /// </summary>
    /// <param name="isMeant">Called for each address once.</param>
    /// <returns>How many addresses.</returns>
    Task<int> ForgetAsync(Func<string, bool> isMeant, CancellationToken cancellation);

    /// <summary>Forgets all of it.</summary>
    Task ClearAsync(CancellationToken cancellation);
}
