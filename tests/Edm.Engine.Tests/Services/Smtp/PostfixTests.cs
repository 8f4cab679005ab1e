using System.Text;
using Edm.Contracts;
using Edm.Engine.Content;
using Edm.Engine.Services;
using Edm.Engine.Services.Dkim;
using Edm.Engine.Services.Sandbox;
using Edm.Engine.Services.Smtp;
using Edm.Engine.Tests.Services.Dkim;
using Edm.Engine.Tests.Services.Sandbox;
using Edm.Testing;
using Edm.Testing.Servers;
using MimeKit;
using Xunit;

namespace Edm.Engine.Tests.Services.Smtp;

/// <summary>The transport against Debian's Postfix: certificate, login, and what comes out behind it.</summary>
public sealed class PostfixTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly PrivateAuthority authority = new();
    private readonly TempFolder folder = new();
    private SandboxFixture sink = null!;
    private PostfixServer postfix = null!;
    private TrustedAuthorities trusted = null!;

    public async Task InitializeAsync()
    {
        sink = await SandboxFixture.StartAsync();
        using var certificate = authority.Issue("localhost");
        postfix = await PostfixServer.StartAsync(certificate, sink.Server.EndPoint!.Port);
        await File.WriteAllTextAsync(folder.Combine("authority.pem"), authority.Pem);
        trusted = TrustedAuthorities.Read(folder.Combine("authority.pem"));
    }

    public async Task DisposeAsync()
    {
        await postfix.DisposeAsync();
        await sink.DisposeAsync();
        authority.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task Mails_come_out_behind_it_as_they_were_written()
    {
        var key = DkimKey.Generate(DkimAlgorithm.Rsa);
        const string text = "Grüße,\r\n.\r\n..two dots\r\n\r\nAnna\r\n";
        await using var connection = Connect(TlsMode.StartTls, postfix.Port);
        foreach (var (recipient, dkim) in ((string, DkimSettings?)[])[("plain@example.com", null), ("signed@example.com", new DkimSettings("brand.example", "edm", key.Pem)), ("jürgen@bücher.example", null)])
        {
            await connection.EnsureReadyAsync(default);
            Assert.True(connection.TakesEightBit);
            using var mail = Compose(recipient, text, dkim, connection.TakesEightBit);
            var attempt = await connection.SendAsync(mail, "anna@brand.example", recipient, default);
            Assert.True(attempt is { Result: AttemptResult.Accepted, ReplyCode: 250, Enhanced: "2.0.0" }, $"{attempt}");
        }

        var received = new List<MimeMessage>();
        foreach (var recipient in (string[])["plain@example.com", "signed@example.com", "jürgen@xn--bcher-kva.example"])
        {
            received.Add(await ReceivedAsync(recipient));
        }

        Assert.All(received, mail => Assert.Equal(("Grüße für Sie", text), (mail.Subject, mail.TextBody!.Replace("\n", "\r\n", StringComparison.Ordinal))));
        Assert.Equal("Anna Schäfer", received[0].From.Mailboxes.Single().Name);
        var verifier = new MimeKit.Cryptography.DkimVerifier(new OneKey(key));
        Assert.True(verifier.Verify(received[1], received[1].Headers.First(header => header.Id == HeaderId.DkimSignature)));
    }

    [Fact]
    public async Task It_takes_a_login_over_TLS_from_the_first_byte_and_is_reached_over_IPv6_where_its_name_is_checked_too()
    {
        using var certificate = authority.Issue("localhost");
        await using var implicitTls = Connect(TlsMode.Implicit, postfix.TlsPort);
        await using var six = Connect(TlsMode.StartTls, postfix.Port, host: "::1");

        Assert.Equal(AttemptResult.Accepted, (await implicitTls.SendAsync()).Result);
        Assert.Contains(PostfixServer.HasIpv6 ? "for another name" : "can't be reached", (await Assert.ThrowsAsync<ServiceFaultException>(() => six.EnsureReadyAsync(default))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_password_and_an_unknown_authority_are_told_in_words()
    {
        await using var wrong = Connect(TlsMode.StartTls, postfix.Port, password: "wrong");
        await using var unknown = new SmtpConnection(Service(TlsMode.StartTls, postfix.Port), new SmtpTimeouts(), () => null, TimeProvider.System);

        Assert.Contains("refused the login: 535 5.7.8", (await Assert.ThrowsAsync<ServiceFaultException>(() => wrong.EnsureReadyAsync(default))).Message, StringComparison.Ordinal);
        Assert.Contains("certificate is not trusted", (await Assert.ThrowsAsync<ServiceFaultException>(() => unknown.EnsureReadyAsync(default))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_login_every_recipient_is_refused_and_the_connection_stays_good()
    {
        await using var connection = new SmtpConnection(
            Service(TlsMode.StartTls, postfix.Port) with { Username = null, Password = null }, new SmtpTimeouts(), () => null, TimeProvider.System, trusted);

        for (var nr = 0; nr < 3; nr++)
        {
            var attempt = await connection.SendAsync();
            Assert.Equal((AttemptResult.Rejected, 554, "5.7.1"), (attempt.Result, attempt.ReplyCode, attempt.Enhanced));
            Assert.True(connection.IsReady);
        }
    }

    [Fact]
    public async Task A_mail_above_its_limit_is_refused_without_being_sent()
    {
        await using var connection = Connect(TlsMode.StartTls, postfix.Port);
        using var mail = ConnectionFixture.Mail(string.Concat(Enumerable.Repeat("0123456789\r\n", 900_000)));

        var attempt = await connection.SendAsync(mail, "sender@example.org", "someone@example.com", default);

        Assert.Equal(AttemptResult.Rejected, attempt.Result);
        Assert.Contains("the server takes 10240000 at most", attempt.Reason, StringComparison.Ordinal);
        Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync()).Result);
    }

    private static ServiceSettings Service(TlsMode tls, int port, string host = "localhost", string password = PostfixServer.Password) =>
        ConnectionFixture.Service(port, tls, host, PostfixServer.User, password);

    private SmtpConnection Connect(TlsMode tls, int port, string host = "localhost", string password = PostfixServer.Password) =>
        new(Service(tls, port, host, password), new SmtpTimeouts(), () => null, TimeProvider.System, trusted);

    private static OutgoingMail Compose(string recipient, string text, DkimSettings? dkim, bool eightBit)
    {
        var service = ConnectionFixture.Service(25) with { SenderAddress = "anna@brand.example", SenderName = "Anna Schäfer", Dkim = dkim };
        return new MimeComposer().Compose(new MailToCompose(
            new RenderedMail("Grüße für Sie", null, text), service, recipient, "Mia", "1.7@brand.example", DateTimeOffset.UtcNow, eightBit));
    }

    private async Task<MimeMessage> ReceivedAsync(string recipient)
    {
        SandboxMessage? found = null;
        await Eventually.Async(
            async () => (found = (await sink.Store.PageAsync(long.MaxValue, 100, null, default)).FirstOrDefault(message => message.Recipient == recipient)) is not null,
            Patience, $"the mail to {recipient} comes out");
        using var raw = new MemoryStream((await sink.Store.GetRawAsync(found!.Id, default))!);
        return await MimeMessage.LoadAsync(raw);
    }
}
