namespace Edm.Engine.Services.Smtp;

/// <summary>How long a connection waits before it counts as lost. Shorter than RFC 5321, 4.5.3.2 asks where a slow server would hold up a whole lane.</summary>
public sealed record SmtpTimeouts
{
    /// <summary>Name look-up and TCP handshake together.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Greeting, TLS handshake, and every command with its reply.</summary>
    public TimeSpan Command { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// From the DATA command to the final reply, the body included: giving up here leaves a mail in doubt, so it is long
    /// (RFC 5321 asks for 10 minutes at the end of data; what answers after five does not answer).
    /// </summary>
    public TimeSpan Data { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>A QUIT is good manners and nothing waits for it longer than this.</summary>
    public TimeSpan Quit { get; init; } = TimeSpan.FromSeconds(2);
}
