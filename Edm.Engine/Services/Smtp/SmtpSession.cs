using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Edm.Engine.Services.Smtp;

/// <summary>One TCP connection to a server, from the handshake to QUIT. Throws what goes wrong; the meaning is found by its owner.</summary>
internal sealed class SmtpSession : IAsyncDisposable
{
    private readonly SmtpTimeouts _timeouts;
    private readonly CertificateCheck _certificate;
    private readonly TimeProvider _time;
    private SmtpWire? _wire;
    private MailTransaction? _transaction;
    private string _hello = "";
    private bool _isLoggedIn;
    private bool _timedOut;
    private bool _isOver;

    public SmtpSession(SmtpTimeouts timeouts, TrustedAuthorities? authorities, TimeProvider time)
    {
        (_timeouts, _time) = (timeouts, time);
        _certificate = new CertificateCheck(authorities);
    }

    public Offers Offers { get; private set; } = Offers.Nothing;

    public bool IsConnected => _wire is not null && !_isOver && !TimedOut;

    public bool TimedOut => _timedOut || _wire?.Deadline.HasPassed == true;

    /// <summary>The last octet of the present mail has gone out: nobody but the server can know what became of it.</summary>
    public bool EndHasGone => _transaction?.EndHasGone == true;

    public bool HungUp => _wire is null || _wire.HungUp;

    /// <summary>What is wrong with the server's certificate, null when it is right or was not shown.</summary>
    public string? CertificateFault => _certificate.Fault;

    /// <summary>For the owner of the service, after a test.</summary>
    public string Achieved =>
        $"connected {(_wire?.Tls is { } tls ? $"with {tls.SslProtocol}" : "without TLS")}, {(_isLoggedIn ? "logged in" : "no login")}; the server answers";

    /// <param name="name">The host as the certificate must name it.</param>
    /// <param name="cancellation">Cuts the conversation short as a deadline does.</param>
    public async Task ConnectAsync(string host, int port, string name, ServiceSettings service, NetworkCredential? login, CancellationToken cancellation)
    {
        var wire = _wire = new SmtpWire(await DialAsync(host, port, cancellation), _time);
        await using var cut = cancellation.UnsafeRegister(static wire => ((SmtpWire)wire!).Cut(), wire);
        wire.Deadline.Set(_timeouts.Command);
        if (service.Tls == TlsMode.Implicit)
        {
            await wire.SecureAsync(name, _certificate.Check);
            wire.Deadline.Set(_timeouts.Command);
        }

        Positive(await wire.ReadReplyAsync(keepWords: true));
        _hello = Hello(wire.Local);
        await GreetAsync(wire);
        if (service.Tls == TlsMode.StartTls || (service.Tls == TlsMode.Auto && Offers.StartTls))
        {
            if (!Offers.StartTls)
            {
                throw new MissingExtensionException("it does not offer STARTTLS");
            }

            Positive(await SayAsync(wire, "STARTTLS"));
            wire.Deadline.Set(_timeouts.Command);
            await wire.SecureAsync(name, _certificate.Check);

            // What was offered before could be anybody's (RFC 3207, 4.2).
            await GreetAsync(wire);
        }

        if (login is not null)
        {
            wire.Deadline.Set(_timeouts.Command);
            await Login.AsAsync(login, service.Login, Offers, wire);
            _isLoggedIn = true;
        }

        _transaction = new MailTransaction(wire, Offers, _timeouts);
        wire.Deadline.Clear();
    }

    /// <summary>Sends one mail. What the server answers is an attempt; everything else is thrown, and the session is over.</summary>
    public async ValueTask<Attempt> SendAsync(OutgoingMail mail, EnvelopeAddress from, EnvelopeAddress to, CancellationToken cancellation)
    {
        var wire = _wire!;
        var transaction = _transaction!;
        using var cut = cancellation.UnsafeRegister(static wire => ((SmtpWire)wire!).Cut(), wire);
        var attempt = await transaction.RunAsync(mail, from, to);
        _isOver = transaction.IsSessionOver;
        wire.Deadline.Clear();
        return attempt;
    }

    /// <summary>Asks whether the server still answers.</summary>
    public async Task NoOpAsync(CancellationToken cancellation)
    {
        var wire = _wire!;
        await using var cut = cancellation.UnsafeRegister(static wire => ((SmtpWire)wire!).Cut(), wire);
        wire.Deadline.Set(_timeouts.Command);
        Positive(await SayAsync(wire, "NOOP"));
        wire.Deadline.Clear();
    }

    /// <summary>Says QUIT where someone may still listen, then closes.</summary>
    public async ValueTask DisposeAsync()
    {
        if (IsConnected && !HungUp)
        {
            try
            {
                _wire!.Deadline.Set(_timeouts.Quit);
                await SayAsync(_wire, "QUIT");
            }
            catch (Exception)
            {
                // Good manners, and nothing more: whatever came of it, the connection ends here.
            }
        }

        Abort();
    }

    /// <summary>Closes at once.</summary>
    public void Abort()
    {
        _isOver = true;
        _wire?.Dispose();
    }

    private async Task<Socket> DialAsync(string host, int port, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(_timeouts.Connect, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        try
        {
            return await Dial.ConnectAsync(host, port, _time, either.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            _timedOut = true;
            throw;
        }
    }

    private async Task GreetAsync(SmtpWire wire)
    {
        wire.Deadline.Set(_timeouts.Command);
        var reply = await SayAsync(wire, $"EHLO {_hello}");
        if (reply.Code is >= 500 and <= 599)
        {
            // A server of before 1995, or one that pretends to be (RFC 5321, 3.2).
            Positive(await SayAsync(wire, $"HELO {_hello}"));
            Offers = Offers.Nothing;
            return;
        }

        Positive(reply);
        Offers = Offers.Read(reply.Words);
    }

    private static async ValueTask<SmtpReply> SayAsync(SmtpWire wire, string line)
    {
        await wire.WriteLineAsync(line);
        return await wire.ReadReplyAsync(keepWords: true);
    }

    private static void Positive(SmtpReply reply)
    {
        if (!reply.IsPositive)
        {
            throw new SmtpRefusedException(reply);
        }
    }

    /// <summary>Who we are: the machine's full name where it has one, else the address of this end of the connection (RFC 5321, 4.1.4).</summary>
    private static string Hello(EndPoint? local)
    {
        var name = FullName.Value;
        if (name is not null)
        {
            return name;
        }

        var address = (local as IPEndPoint)?.Address ?? IPAddress.Loopback;
        return address switch
        {
            { IsIPv4MappedToIPv6: true } => $"[{address.MapToIPv4()}]",
            { AddressFamily: AddressFamily.InterNetworkV6 } => $"[IPv6:{new IPAddress(address.GetAddressBytes())}]",
            _ => $"[{address}]",
        };
    }

    private static readonly Lazy<string?> FullName = new(() =>
    {
        var properties = IPGlobalProperties.GetIPGlobalProperties();
        var name = properties.HostName.Contains('.', StringComparison.Ordinal) ? properties.HostName : $"{properties.HostName}.{properties.DomainName}";
        return properties.DomainName is "" or "(none)" && !properties.HostName.Contains('.', StringComparison.Ordinal) ? null
            : Envelope.TryParse($"x@{name}", out _) && System.Text.Ascii.IsValid(name) ? name : null;
    });
}
