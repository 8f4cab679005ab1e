using Edm.Contracts;
using Edm.Engine.Services;
using Edm.Engine.Services.Smtp;
using MimeKit;

namespace Edm.Engine.Tests.Services.Smtp;

/// <summary>Settings, a mail and a connection as the conversations of these tests expect them.</summary>
internal static class ConnectionFixture
{
    public static readonly SmtpTimeouts Short = new()
    {
        Connect = TimeSpan.FromSeconds(5),
        Command = TimeSpan.FromMilliseconds(300),
        Data = TimeSpan.FromMilliseconds(600),
        Quit = TimeSpan.FromMilliseconds(200),
    };

    public static ServiceSettings Service(int port, TlsMode tls = TlsMode.None, string host = "127.0.0.1", string? username = null, string? password = null) => new(
        new ServiceId(1), new LaneId(new PoolId(1), 0), "test", host, port, tls, username, password, "sender@example.org", null, null, null, null, 1, true, 1);

    public static MailKitConnection To(ScriptedServer server, SmtpTimeouts? timeouts = null, TlsMode tls = TlsMode.None, string? username = null, string? password = null) =>
        new(Service(server.Port, tls, "127.0.0.1", username, password), timeouts ?? new SmtpTimeouts(), () => null, TimeProvider.System);

    public static MailKitConnection To(ScriptedServer server, TlsMode tls, string host, TrustedAuthorities? authorities) =>
        new(Service(server.Port, tls, host), new SmtpTimeouts(), () => null, TimeProvider.System, authorities);

    public static MimeMessage Mail(string text = "Hello.\r\n") => new()
    {
        From = { new MailboxAddress("Sender", "sender@example.org") },
        To = { new MailboxAddress("Someone", "someone@example.com") },
        Subject = "Greetings",
        Body = new TextPart("plain") { Text = text },
    };

    public static Task<Attempt> SendAsync(this MailKitConnection connection, CancellationToken cancellation = default) =>
        connection.SendAsync(Mail(), "sender@example.org", "someone@example.com", cancellation);
}
