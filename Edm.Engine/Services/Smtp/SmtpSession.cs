using System.Net;
using System.Net.Sockets;
using System.Text;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Edm.Engine.Services.Smtp;

/// <summary>One TCP connection to a server, from the handshake to QUIT. Throws what MailKit throws; the meaning is found by its owner.</summary>
internal sealed class SmtpSession : IAsyncDisposable
{
    // MailKit copies the options for each mail and sets what SMTP needs; ours are never changed.
    private static readonly FormatOptions Format = FormatOptions.Default.Clone();
    private static readonly FormatOptions Utf8Format = International();

    private readonly SmtpTimeouts _timeouts;
    private readonly PhaseWatch _watch;
    private readonly SmtpClient _client;
    private readonly CertificateCheck _certificate;
    private readonly MailboxAddress[] _recipients = new MailboxAddress[1];
    private Socket? _socket;

    public SmtpSession(SmtpTimeouts timeouts, TrustedAuthorities? authorities, TimeProvider time)
    {
        _timeouts = timeouts;
        _certificate = new CertificateCheck(authorities);
        _watch = new PhaseWatch(timeouts, time);
        _client = new SmtpClient(_watch)
        {
            ServerCertificateValidationCallback = _certificate.Check,

            // Asking a certificate authority's server at each connect fails wherever outgoing traffic is filtered, and mail clients do not do it.
            CheckCertificateRevocation = false,
        };
    }

    public bool IsConnected => _client.IsConnected;

    public bool DataBegun => _watch.DataBegun;

    public bool TimedOut => _watch.TimedOut;

    /// <summary>The server offers SMTPUTF8, and this connection can't use it any more: MailKit lets a capability only be taken away. A fresh one can.</summary>
    public bool HasGivenUpUtf8 { get; private set; }

    /// <summary>What is wrong with the server's certificate, null when it is right or was not shown.</summary>
    public string? CertificateFault => _certificate.Fault;

    /// <summary>For the owner of the service, after a test.</summary>
    public string Achieved =>
        $"connected {(_client.IsSecure ? $"with {_client.SslProtocol}" : "without TLS")}, {(_client.IsAuthenticated ? "logged in" : "no login")}; the server answers";

    /// <summary>
    /// The server closed, or said good-bye with 421, while nothing was asked of it: between mails a server has nothing to say (RFC 5321, 3.8), so
    /// whatever there is to read means that this connection is over.
    /// </summary>
    public bool HungUp => _socket is null || _socket.Poll(0, SelectMode.SelectRead);

    /// <param name="name">The host as the certificate must name it.</param>
    public async Task ConnectAsync(EndPoint server, string name, ServiceSettings service, NetworkCredential? login, CancellationToken cancellation)
    {
        var token = _watch.Begin(_timeouts.Connect, cancellation, out var registration);
        try
        {
            // MailKit's own socket leaves Nagle on, which with delayed acknowledgements costs 40 ms a mail.
            _socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await _socket.ConnectAsync(server, token);
            _watch.Greet();

            // A plain NetworkStream: MailKit's own makes two timers for each read and write, and the watch has the deadlines already.
            await _client.ConnectAsync(new NetworkStream(_socket, ownsSocket: true), name, service.Port, Options(service.Tls), token);
            if (login is not null)
            {
                await _client.AuthenticateAsync(login, token);
            }

            // SIZE would make MailKit write every message twice, once to measure it. BDAT would hide where the data begins. With SMTPUTF8 it would write
            // an internationalised domain in Unicode, and a next hop without SMTPUTF8 would bounce what it takes in ASCII: it is given up at the first such domain.
            _client.Capabilities &= ~(SmtpCapabilities.Size | SmtpCapabilities.Chunking | SmtpCapabilities.BinaryMime);
        }
        finally
        {
            await registration.DisposeAsync();
            _watch.End();
        }
    }

    /// <returns>The words of the final 250.</returns>
    /// <exception cref="NotSupportedException">An address is not ASCII before the @, and this server does not offer SMTPUTF8 (RFC 6531). Nothing was said to it.</exception>
    public async Task<string> SendAsync(MimeMessage message, MailboxAddress from, MailboxAddress to, CancellationToken cancellation)
    {
        _recipients[0] = to;
        var token = _watch.Begin(_timeouts.Command, cancellation, out var registration);
        try
        {
            if (!NeedsUtf8(from) && !NeedsUtf8(to))
            {
                if (_client.Capabilities.HasFlag(SmtpCapabilities.UTF8) && (HasALabel(from) || HasALabel(to)))
                {
                    _client.Capabilities &= ~SmtpCapabilities.UTF8;
                    HasGivenUpUtf8 = true;
                }

                return await _client.SendAsync(Format, message, from, _recipients, token);
            }

            if (!_client.Capabilities.HasFlag(SmtpCapabilities.UTF8 | SmtpCapabilities.EightBitMime))
            {
                throw new NotSupportedException("the server does not offer SMTPUTF8, which letters outside ASCII before the @ need");
            }

            return await _client.SendAsync(Utf8Format, message, from, _recipients, token);
        }
        finally
        {
            registration.Dispose();
            _watch.End();
        }
    }

    /// <summary>Letters outside ASCII stand before the @.</summary>
    public static bool NeedsUtf8(MailboxAddress address) => !Ascii.IsValid(address.LocalPart);

    /// <summary>Asks whether the server still answers.</summary>
    public async Task NoOpAsync(CancellationToken cancellation)
    {
        var token = _watch.Begin(_timeouts.Command, cancellation, out var registration);
        try
        {
            await _client.NoOpAsync(token);
        }
        finally
        {
            await registration.DisposeAsync();
            _watch.End();
        }
    }

    /// <summary>Says QUIT where someone may still listen, then closes.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_client.IsConnected && !HungUp)
        {
            var token = _watch.Begin(_timeouts.Quit, CancellationToken.None, out _);
            await _client.DisconnectAsync(quit: true, token);
        }

        Abort();
    }

    /// <summary>Closes at once.</summary>
    public void Abort()
    {
        _client.Dispose();
        _socket?.Dispose();
    }

    private static bool HasALabel(MailboxAddress address) => !Ascii.IsValid(address.Domain) || address.Domain.Contains("xn--", StringComparison.OrdinalIgnoreCase);

    private static FormatOptions International()
    {
        var format = FormatOptions.Default.Clone();
        format.International = true;
        return format;
    }

    private static SecureSocketOptions Options(TlsMode tls) => tls switch
    {
        TlsMode.None => SecureSocketOptions.None,
        TlsMode.StartTls => SecureSocketOptions.StartTls,
        TlsMode.Implicit => SecureSocketOptions.SslOnConnect,
        TlsMode.Auto => SecureSocketOptions.StartTlsWhenAvailable,
        _ => throw new ArgumentOutOfRangeException(nameof(tls), tls, null),
    };
}
