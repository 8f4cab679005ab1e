namespace Edm.Engine.Services.Smtp;

/// <summary>A server's reply (RFC 5321, 4.2).</summary>
/// <param name="Words">Its lines without their codes, joined by line breaks.</param>
internal readonly record struct SmtpReply(int Code, string Words)
{
    public bool IsPositive => Code is >= 200 and <= 299;

    /// <summary>4xx or 5xx: an answer that makes sense to every command.</summary>
    public bool IsRefusal => Code is >= 400 and <= 599;

    /// <summary>The server closes the connection after it, whatever it was the answer to (RFC 5321, 3.8).</summary>
    public bool IsClosing => Code == 421;
}

/// <summary>What the server sends is not SMTP, or has no end, or it closed where a reply was due.</summary>
internal sealed class SmtpProtocolException(string message) : Exception(message);

/// <summary>The server does not want us: the greeting, EHLO, STARTTLS or NOOP was refused.</summary>
internal sealed class SmtpRefusedException(SmtpReply reply) : Exception(reply.Words)
{
    public SmtpReply Reply { get; } = reply;
}

/// <summary>The login was refused, or the server can't be logged in to.</summary>
internal sealed class LoginRefusedException(SmtpReply reply) : Exception(reply.Words)
{
    public SmtpReply Reply { get; } = reply;
}

/// <summary>The server lacks what the service or the mail asks for.</summary>
internal sealed class MissingExtensionException(string message) : Exception(message);
