using Edm.Engine.Services;
using Edm.Engine.Services.Smtp;
using Edm.Testing;
using Edm.Testing.Servers;
using Xunit;
using static Edm.Engine.Tests.Services.Smtp.ConnectionFixture;

namespace Edm.Engine.Tests.Services.Smtp;

/// <summary>TLS with a server whose certificate a private authority vouches for.</summary>
public sealed class TrustedConnectionTests : IDisposable
{
    private const string UpToTls = "S: 220 test\nC: EHLO *\nS: 250-test\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\ntls\n";
    private const string SecondHello = "C: EHLO *\nS: 250-test\nS: 250 ENHANCEDSTATUSCODES\n";

    private readonly PrivateAuthority root = new();
    private readonly TempFolder folder = new();

    public void Dispose()
    {
        root.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData(TlsMode.Implicit, "localhost")]
    [InlineData(TlsMode.StartTls, "localhost")]
    [InlineData(TlsMode.Auto, "localhost")]
    [InlineData(TlsMode.Implicit, "127.0.0.1")]
    public async Task A_mail_goes_out_where_the_authority_is_trusted_and_the_name_is_right(TlsMode tls, string host)
    {
        using var certificate = root.Issue(host);
        await using var server = new ScriptedServer(certificate, Conversation(tls) + ScriptedServer.UpToBody + "S: 250 2.0.0 taken");
        await using var connection = To(server, tls, host, Trusted(root.Pem));

        Assert.Equal(new Attempt(AttemptResult.Accepted, 250, "2.0.0", "2.0.0 taken", null), await connection.SendAsync());
        Assert.Single(server.Mails);
    }

    [Fact]
    public async Task An_intermediate_certificate_comes_from_the_server()
    {
        using var intermediate = root.Intermediate();
        using var certificate = intermediate.Issue("localhost");
        await using var server = new ScriptedServer(certificate, Conversation(TlsMode.Implicit) + ScriptedServer.UpToBody + "S: 250 ok") { SentAlong = { intermediate.Public } };
        await using var connection = To(server, TlsMode.Implicit, "localhost", Trusted(root.Pem));

        Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync()).Result);
    }

    [Fact]
    public async Task A_self_signed_certificate_is_trusted_where_it_stands_in_the_file_itself()
    {
        using var certificate = PrivateAuthority.SelfSigned("localhost");
        await using var server = new ScriptedServer(certificate, Conversation(TlsMode.Implicit) + ScriptedServer.UpToBody + "S: 250 ok");
        await using var connection = To(server, TlsMode.Implicit, "localhost", Trusted(root.Pem + "\n" + certificate.ExportCertificatePem()));

        Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync()).Result);
    }

    [Theory]
    [InlineData(TlsMode.Implicit)]
    [InlineData(TlsMode.StartTls)]
    [InlineData(TlsMode.Auto)]
    public async Task A_certificate_for_another_name_is_refused_and_the_name_is_told(TlsMode tls)
    {
        using var certificate = root.Issue("mail.example.org");

        Assert.Contains("the server's certificate is for another name: mail.example.org", await FaultAsync(tls, certificate, Trusted(root.Pem)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TlsMode.Implicit)]
    [InlineData(TlsMode.StartTls)]
    public async Task A_certificate_that_is_out_of_date_is_refused_and_that_is_told(TlsMode tls)
    {
        using var certificate = root.Issue("localhost", new DateTimeOffset(2021, 1, 1, 0, 0, 0, TimeSpan.Zero));

        Assert.EndsWith("the server's certificate is not trusted: certificate has expired", await FaultAsync(tls, certificate, Trusted(root.Pem)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TlsMode.Implicit)]
    [InlineData(TlsMode.StartTls)]
    public async Task A_self_signed_certificate_is_refused_and_that_is_told(TlsMode tls)
    {
        using var certificate = PrivateAuthority.SelfSigned("localhost");

        Assert.EndsWith("the server's certificate is not trusted: self-signed certificate", await FaultAsync(tls, certificate, Trusted(root.Pem)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_authority_of_the_same_name_is_refused()
    {
        using var other = new PrivateAuthority();
        using var certificate = other.Issue("localhost");

        Assert.Contains("the server's certificate is not trusted", await FaultAsync(TlsMode.Implicit, certificate, Trusted(root.Pem)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_file_nobody_vouches_for_a_private_authority()
    {
        using var certificate = root.Issue("localhost");

        Assert.Contains("the server's certificate is not trusted", await FaultAsync(TlsMode.Implicit, certificate, authorities: null), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "It holds no certificate")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "It holds no certificate")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "It holds a certificate that can't be read")]
    public void A_file_that_vouches_for_nobody_is_refused(string text, string message)
    {
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => Trusted(text)).Message, StringComparison.Ordinal);
    }

    private static string Conversation(TlsMode tls) => tls == TlsMode.Implicit ? "tls\n" + ScriptedServer.Hello : UpToTls + SecondHello;

    private TrustedAuthorities Trusted(string pem)
    {
        var file = folder.Combine("authorities.pem");
        File.WriteAllText(file, pem);
        return TrustedAuthorities.Read(file);
    }

    private static async Task<string> FaultAsync(TlsMode tls, System.Security.Cryptography.X509Certificates.X509Certificate2 certificate, TrustedAuthorities? authorities)
    {
        await using var server = new ScriptedServer(certificate, Conversation(tls));
        await using var connection = To(server, tls, "localhost", authorities);
        return (await Assert.ThrowsAsync<ServiceFaultException>(() => connection.EnsureReadyAsync(default))).Message;
    }
}
