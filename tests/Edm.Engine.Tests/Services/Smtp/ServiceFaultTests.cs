using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Edm.Engine.Services;
using Edm.Engine.Services.Smtp;
using Edm.Testing;
using Xunit;
using static Edm.Engine.Tests.Services.Smtp.ConnectionFixture;

namespace Edm.Engine.Tests.Services.Smtp;

public sealed class ServiceFaultTests
{
    private static readonly string Plain = Convert.ToBase64String(Encoding.UTF8.GetBytes("\0me\0secret"));

    [Fact]
    public async Task A_port_where_nobody_listens_is_named()
    {
        var port = FreePort.Next();
        await using var connection = new SmtpConnection(Service(port), new SmtpTimeouts(), () => null, TimeProvider.System);

        var fault = await Assert.ThrowsAsync<ServiceFaultException>(() => connection.EnsureReadyAsync(default));

        Assert.StartsWith($"127.0.0.1:{port} can't be reached", fault.Message, StringComparison.Ordinal);
        Assert.False(connection.IsReady);
    }

    [Fact]
    public async Task A_greeting_that_refuses_is_quoted()
    {
        await using var server = new ScriptedServer("S: 554 5.7.1 your address is on our list\nclose");
        await using var connection = To(server);

        Assert.Contains("554 5.7.1 your address is on our list", await FaultAsync(connection), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_never_greets_is_given_up()
    {
        await using var server = new ScriptedServer("hold");
        await using var connection = To(server, Short);

        Assert.Contains("did not answer in time", await FaultAsync(connection), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_speaks_something_else_is_called_that()
    {
        await using var server = new ScriptedServer("S: HTTP/1.1 400 Bad Request\nclose");
        await using var connection = To(server);

        Assert.Contains("does not speak SMTP", await FaultAsync(connection), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_login_goes_out_as_plain_and_the_mail_after_it()
    {
        await using var server = new ScriptedServer(
            "S: 220 test\nC: EHLO *\nS: 250-test\nS: 250 AUTH PLAIN LOGIN\nC: AUTH PLAIN " + Plain + "\nS: 235 2.7.0 welcome\n" + ScriptedServer.UpToBody + "S: 250 ok");
        await using var connection = To(server, username: "me", password: "secret");

        Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync()).Result);
    }

    [Fact]
    public async Task A_refused_login_is_quoted_without_the_secret()
    {
        await using var server = new ScriptedServer(
            "S: 220 test\nC: EHLO *\nS: 250-test\nS: 250 AUTH PLAIN\nC: AUTH PLAIN " + Plain + "\nS: 535 5.7.8 bad credentials for me@example.org");
        await using var connection = To(server, username: "me", password: "secret");

        var fault = await FaultAsync(connection);

        Assert.Contains("refused the login: 535 5.7.8 bad credentials for <address>", fault, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_without_PLAIN_gets_the_login_by_LOGIN()
    {
        await using var server = new ScriptedServer(
            "S: 220 test\nC: EHLO *\nS: 250-test\nS: 250 AUTH CRAM-MD5 LOGIN\nC: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: bWU=\nS: 334 UGFzc3dvcmQ6\nC: c2VjcmV0\nS: 235 2.7.0 welcome\n"
            + ScriptedServer.UpToBody + "S: 250 ok");
        await using var connection = To(server, username: "me", password: "secret");

        Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync()).Result);
    }

    [Theory]
    [InlineData("S: 235 2.7.0 welcome", null)]
    [InlineData("S: 334 eyJzdGF0dXMiOiI0MDAifQ==\nC: *\nS: 535 5.7.3 token expired", "refused the login: 535 5.7.3 token expired")]
    public async Task A_token_goes_out_by_XOAUTH2_and_its_refusal_is_fetched(string answer, string? fault)
    {
        var token = Convert.ToBase64String(Encoding.UTF8.GetBytes("user=me@example.org\u0001auth=Bearer ya29.token\u0001\u0001"));
        await using var server = new ScriptedServer($"S: 220 test\nC: EHLO *\nS: 250-test\nS: 250 AUTH PLAIN XOAUTH2\nC: AUTH XOAUTH2 {token}\n{answer}");
        await using var connection = new SmtpConnection(
            Service(server.Port, username: "me@example.org", password: "ya29.token") with { Login = LoginKind.XOAuth2 }, new SmtpTimeouts(), () => null, TimeProvider.System);

        if (fault is null)
        {
            await connection.EnsureReadyAsync(default);
            Assert.True(connection.IsReady);
        }
        else
        {
            Assert.Contains(fault, await FaultAsync(connection), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_server_that_offers_no_login_is_told_apart_from_one_that_refuses_it()
    {
        await using var server = new ScriptedServer(ScriptedServer.Hello);
        await using var connection = To(server, username: "me", password: "secret");

        Assert.Contains("offers no login", await FaultAsync(connection), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_comes_before_the_TLS_handshake_is_not_taken_for_the_servers()
    {
        using var certificate = SelfSigned();
        await using var server = new ScriptedServer(certificate, "S: 220 test\nC: EHLO *\nS: 250-test\nS: 250 STARTTLS\nC: STARTTLS\nboth: 220 go|250 injected");
        await using var connection = To(server, tls: TlsMode.StartTls);

        Assert.Contains("said something before the TLS handshake", await FaultAsync(connection), StringComparison.Ordinal);
    }

    [Fact]
    public async Task STARTTLS_that_is_asked_for_and_not_offered_is_a_fault()
    {
        await using var server = new ScriptedServer(ScriptedServer.Hello);
        await using var connection = To(server, tls: TlsMode.StartTls);

        Assert.Contains("STARTTLS", await FaultAsync(connection), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TlsMode.Implicit, "tls")]
    [InlineData(TlsMode.StartTls, "S: 220 test\nC: EHLO *\nS: 250-test\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\ntls")]
    [InlineData(TlsMode.Auto, "S: 220 test\nC: EHLO *\nS: 250-test\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\ntls")]
    public async Task A_certificate_that_nobody_vouches_for_is_refused(TlsMode mode, string conversation)
    {
        using var certificate = SelfSigned();
        await using var server = new ScriptedServer(certificate, conversation);
        await using var connection = To(server, tls: mode);

        Assert.Contains("certificate is not trusted", await FaultAsync(connection), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sandbox_service_without_a_running_sandbox_is_a_fault()
    {
        await using var connection = new SmtpConnection(Service(25) with { Host = null }, new SmtpTimeouts(), () => null, TimeProvider.System);

        Assert.Contains("sandbox is not running", await FaultAsync(connection), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopping_is_no_fault()
    {
        await using var server = new ScriptedServer("hold");
        await using var connection = To(server);
        using var stop = new CancellationTokenSource();
        var opening = connection.EnsureReadyAsync(stop.Token);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening);
    }

    private static async Task<string> FaultAsync(SmtpConnection connection) =>
        (await Assert.ThrowsAsync<ServiceFaultException>(() => connection.EnsureReadyAsync(default))).Message;

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256) { CertificateExtensions = { names.Build() } };
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}
