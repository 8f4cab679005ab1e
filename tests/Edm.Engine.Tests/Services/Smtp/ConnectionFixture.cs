using System.Text;
using Edm.Contracts;
using Edm.Engine.Content.Mime;
using Edm.Engine.Services;
using Edm.Engine.Services.Limits;
using Edm.Engine.Services.Smtp;

namespace Edm.Engine.Tests.Services.Smtp;

/// <summary>Settings, a mail and a connection as the conversations of these tests expect them.</summary>
internal static class ConnectionFixture
{
    public static readonly SmtpTimeouts Short = new()
    {
        Connect = TimeSpan.FromSeconds(5),
        Command = TimeSpan.FromSeconds(1),
        Data = TimeSpan.FromMilliseconds(1500),
        Quit = TimeSpan.FromMilliseconds(200),
    };

    public static ServiceSettings Service(int port, TlsMode tls = TlsMode.None, string host = "127.0.0.1", string? username = null, string? password = null) => new(
        new ServiceId(1), new LaneId(new PoolId(1), 0), "test", host, port, tls, username, password, "sender@example.org", null, null, ServiceLimits.None, 1, true, 1);

    public static SmtpConnection To(ScriptedServer server, SmtpTimeouts? timeouts = null, TlsMode tls = TlsMode.None, string? username = null, string? password = null) =>
        new(Service(server.Port, tls, "127.0.0.1", username, password), timeouts ?? new SmtpTimeouts(), () => null, TimeProvider.System);

    public static SmtpConnection To(ScriptedServer server, TlsMode tls, string host, TrustedAuthorities? authorities) =>
        new(Service(server.Port, tls, host), new SmtpTimeouts(), () => null, TimeProvider.System, authorities);

    public static OutgoingMail Mail(string text = "Hello.\r\n") => Octets(
        "From: Sender <sender@example.org>\r\nTo: Someone <someone@example.com>\r\nSubject: Greetings\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n" + text);

    /// <summary>A mail of these octets, whatever they are.</summary>
    public static OutgoingMail Octets(string octets)
    {
        using var buffer = new MailBuffer();
        buffer.Write(octets.AsSpan());
        return buffer.ToMail(isEightBit: !Ascii.IsValid(octets), hasUtf8Header: false);
    }

    public static Task<Attempt> SendAsync(this SmtpConnection connection, CancellationToken cancellation = default) =>
        connection.SendAsync(Mail(), "sender@example.org", "someone@example.com", cancellation);
}
