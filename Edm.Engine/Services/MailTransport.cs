using Edm.Engine.Services.Replies;

namespace Edm.Engine.Services;

/// <summary>What one try to send one mail came to. The words are the server's, with addresses cut out.</summary>
public enum AttemptResult
{
    /// <summary>2xx to the end of data: the server has taken responsibility (RFC 5321, 4.2.5).</summary>
    Accepted,

    /// <summary>4xx, or the connection was lost before the end of the mail had gone out: may be tried again.</summary>
    Deferred,

    /// <summary>5xx: this mail will never be taken.</summary>
    Rejected,

    /// <summary>The connection was lost, or no reply came in time, after the end of the mail had gone out: nobody can know.</summary>
    Unknown,
}

/// <param name="ReplyCode">RFC 5321 reply code, null when there was no reply.</param>
/// <param name="Enhanced">RFC 3463 enhanced status code such as <c>5.1.1</c>, null when the reply had none.</param>
/// <param name="Reply">The server's words or, without a reply, what happened; at most 500 characters; no addresses.</param>
/// <param name="Reason">One plain sentence for people, such as <c>connection lost before DATA</c>; null when Accepted.</param>
/// <param name="Stage">What the server was asked.</param>
public sealed record Attempt(AttemptResult Result, int? ReplyCode, string? Enhanced, string Reply, string? Reason, ReplyStage Stage = ReplyStage.None);

/// <summary>The service itself is broken, not the mail: it can't be reached, its certificate doesn't fit, or it refuses our login. No mail was tried.</summary>
public sealed class ServiceFaultException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What the server replied, code and words; null where it did not get as far.</summary>
    public string? Reply { get; init; }
}

/// <summary>One kept connection to one service. Not thread-safe: one mail at a time, which is what bounds the mails in doubt to one a connection.</summary>
public interface IMailConnection : IAsyncDisposable
{
    /// <summary>Connected, and ready as far as we know; the server may have hung up meanwhile.</summary>
    bool IsReady { get; }

    /// <summary>Connects, secures and authenticates unless that has been done.</summary>
    /// <exception cref="ServiceFaultException">The service can't be used; the message is fit for its owner's screen.</exception>
    Task EnsureReadyAsync(CancellationToken cancellation);

    /// <summary>The server takes octets above 127 in a body (8BITMIME, RFC 6152). Known once the connection has been ready.</summary>
    bool TakesEightBit { get; }

    /// <summary>
    /// Sends one mail. A kept connection that turns out to be closed before the mail's end has gone out is opened once more and the mail tried again at
    /// once. Never throws for what the server or the network does: that is an <see cref="Attempt"/>.
    /// </summary>
    Task<Attempt> SendAsync(OutgoingMail mail, string sender, string recipient, CancellationToken cancellation);
}

public interface IMailTransport
{
    IMailConnection Open(ServiceSettings service);
}
