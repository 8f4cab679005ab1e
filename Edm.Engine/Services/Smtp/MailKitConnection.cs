using System.Net;
using MailKit;
using MailKit.Net.Smtp;
using MimeKit;

namespace Edm.Engine.Services.Smtp;

/// <summary>One kept connection through MailKit. Whatever goes wrong becomes an <see cref="Attempt"/> that says exactly what is known of the mail.</summary>
internal sealed class MailKitConnection(
    ServiceSettings service, SmtpTimeouts timeouts, Func<IPEndPoint?> sandbox, TimeProvider time, TrustedAuthorities? authorities = null) : IMailConnection
{
    private const string Stopped = "stopped before DATA";
    private const string Lost = "connection lost before DATA";

    private SmtpSession? _session;
    private MailboxAddress? _sender;
    private bool _disposed;

    public bool IsReady => _session is { IsConnected: true };

    public async Task EnsureReadyAsync(CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (IsReady)
        {
            return;
        }

        Close();
        var (server, name, login) = Server();
        var place = $"{name}:{Port(server)}";
        var fresh = new SmtpSession(timeouts, authorities, time);
        try
        {
            await fresh.ConnectAsync(server, name, service, login, cancellation);
            _session = fresh;
        }
        catch (Exception) when (cancellation.IsCancellationRequested)
        {
            fresh.Abort();
            throw new OperationCanceledException(cancellation);
        }
        catch (Exception exception)
        {
            var fault = ServiceFaults.Of(exception, place, fresh.CertificateFault, fresh.TimedOut);
            fresh.Abort();
            throw fault;
        }
    }

    public async Task<Attempt> SendAsync(MimeMessage message, string sender, string recipient, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!Envelope.TryParse(recipient, out var to))
        {
            return Attempts.Unsendable("the recipient is not an address that SMTP can carry");
        }

        if (!string.Equals(_sender?.Address, sender, StringComparison.Ordinal) && !Envelope.TryParse(sender, out _sender))
        {
            return Attempts.Unsendable("the sender is not an address that SMTP can carry");
        }

        if (IsReady && (_session!.HungUp || (_session.HasGivenUpUtf8 && (SmtpSession.NeedsUtf8(_sender!) || SmtpSession.NeedsUtf8(to)))))
        {
            Close();
        }

        if (IsReady)
        {
            // A kept connection may be dead without our knowing; before DATA that says nothing about the mail, so it is tried on a fresh one, once.
            var (attempt, lostBeforeData) = await TryAsync(message, _sender!, to, cancellation);
            if (!lostBeforeData || cancellation.IsCancellationRequested)
            {
                return attempt;
            }
        }

        try
        {
            await EnsureReadyAsync(cancellation);
        }
        catch (ServiceFaultException fault)
        {
            return Attempts.BeforeData("the service can't be used", fault.Message);
        }
        catch (OperationCanceledException)
        {
            return Attempts.BeforeData(Stopped);
        }

        return (await TryAsync(message, _sender!, to, cancellation)).Attempt;
    }

    /// <summary>Asks the server for a sign of life.</summary>
    /// <returns>What was achieved, in words.</returns>
    /// <exception cref="ServiceFaultException">It did not give one.</exception>
    public async Task<string> ProbeAsync(CancellationToken cancellation)
    {
        await EnsureReadyAsync(cancellation);
        try
        {
            await _session!.NoOpAsync(cancellation);
            return _session.Achieved;
        }
        catch (Exception) when (cancellation.IsCancellationRequested)
        {
            Close();
            throw new OperationCanceledException(cancellation);
        }
        catch (Exception exception)
        {
            var fault = ServiceFaults.Of(exception, service.Host ?? "sandbox", null, _session!.TimedOut);
            Close();
            throw fault;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        if (_session is { } open)
        {
            _session = null;
            await open.DisposeAsync();
        }
    }

    private async Task<(Attempt Attempt, bool LostBeforeData)> TryAsync(MimeMessage message, MailboxAddress from, MailboxAddress to, CancellationToken cancellation)
    {
        var open = _session!;
        try
        {
            return (Attempts.Accepted(await open.SendAsync(message, from, to, cancellation)), false);
        }
        catch (SmtpCommandException refusal)
        {
            // MailKit has sent RSET, so the connection is good for the next mail; after 421 the server closes it (RFC 5321, 3.8).
            var attempt = Attempts.Of(refusal, out var outOfStep);
            if (outOfStep || refusal.StatusCode == SmtpStatusCode.ServiceNotAvailable)
            {
                Close();
            }

            return (attempt, false);
        }
        catch (ServiceNotAuthenticatedException refusal)
        {
            return (Attempts.LoginWanted(refusal.Message), false);
        }
        catch (NotSupportedException missing) when (!open.DataBegun)
        {
            // Thrown before the first command: the address or the message needs an extension that this server lacks.
            return (Attempts.Unsendable(ReplyText.Clean(missing.Message)), false);
        }
        catch (Exception exception)
        {
            // Everything else is a connection that broke, was cut by a deadline, or left the protocol: what counts is how far the mail had got.
            var (dataBegun, timedOut, stopped) = (open.DataBegun, open.TimedOut, cancellation.IsCancellationRequested);
            Close();
            var attempt = (dataBegun, stopped) switch
            {
                (true, true) => Attempts.AfterData("stopped after DATA, before the server's reply"),
                (true, false) => Attempts.AfterData(timedOut ? "no reply in time after DATA" : "connection lost after DATA"),
                (false, true) => Attempts.BeforeData(Stopped),
                (false, false) => Attempts.BeforeData(Lost, timedOut ? "no reply in time before DATA" : (exception as SmtpProtocolException)?.Message),
            };
            return (attempt, !dataBegun);
        }
    }

    private (EndPoint Server, string Name, NetworkCredential? Login) Server()
    {
        if (service.Host is { } host)
        {
            EndPoint server = IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, service.Port) : new DnsEndPoint(host, service.Port);
            return (server, host, service.Username is { } user ? new NetworkCredential(user, service.Password ?? "") : null);
        }

        // The sandbox knows its guests by login name only, so a service without one gets one.
        return sandbox() is { } loopback
            ? (loopback, "sandbox", new NetworkCredential(service.Username ?? $"service-{service.Id}", service.Password ?? "sandbox"))
            : throw new ServiceFaultException("the sandbox is not running on this node");
    }

    private static int Port(EndPoint server) => server is DnsEndPoint named ? named.Port : ((IPEndPoint)server).Port;

    private void Close()
    {
        _session?.Abort();
        _session = null;
    }
}
