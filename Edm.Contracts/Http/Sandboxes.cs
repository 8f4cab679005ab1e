namespace Edm.Contracts.Http;

/// <summary>The built-in SMTP server on loopback, which delivers nothing and keeps what it gets. Every node has one of its own.</summary>
/// <param name="Port">Where it listens on 127.0.0.1.</param>
/// <param name="Received">Mails to one recipient each, also those that are not kept any more.</param>
/// <param name="Recipients">Different addresses.</param>
/// <param name="Duplicated">Addresses that got more than one.</param>
/// <param name="Behaviour">For everybody who has none of its own.</param>
/// <param name="ByLogin">The behaviours of single login names, that is of services with that user name.</param>
public sealed record SandboxView(
    int? Port, long Received, long Recipients, long Duplicated, SandboxManners Behaviour, IReadOnlyDictionary<string, SandboxManners> ByLogin);

/// <summary>How the sandbox misbehaves. Shares are of all mails, 0 to 1, and together at most 1; the rest is taken as it should be.</summary>
/// <param name="DeferShare">Answered with 4xx: half of them at RCPT, half at the end of data.</param>
/// <param name="RejectShare">Answered with 550 at RCPT.</param>
/// <param name="DropShare">Read to the end of data, then the connection is closed without a reply.</param>
/// <param name="KeepDropped">Whether a mail that is dropped was kept before.</param>
/// <param name="DelayMilliseconds">Between the end of data and the reply; at most 600,000.</param>
/// <param name="DisconnectEvery">Closes each connection after this many mails; null: never.</param>
public sealed record SandboxManners(
    double DeferShare = 0, double RejectShare = 0, double DropShare = 0, bool KeepDropped = false, int DelayMilliseconds = 0, int? DisconnectEvery = null);

/// <summary>A mail to one recipient.</summary>
/// <param name="Login">The user name of the service that sent it; null when it has none.</param>
/// <param name="Size">Octets of the whole mail.</param>
public sealed record SandboxMessageView(
    long Id, DateTimeOffset ReceivedAt, string? Login, string Sender, string Recipient, string? Subject, string? MessageId, int Size);

public sealed record SandboxDuplicateView(string Recipient, long Times);
