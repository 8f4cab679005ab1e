using System.Net;

namespace Edm.Engine.Services.Smtp;

/// <summary>One kept connection. Whatever goes wrong becomes an <see cref="Attempt"/> that says exactly what is known of the mail.</summary>
internal sealed class SmtpConnection(
    ServiceSettings service, SmtpTimeouts timeouts, Func<IPEndPoint?> sandbox, TimeProvider time, TrustedAuthorities? authorities = null) : IMailConnection
{
    private const string Stopped = "stopped before the end of the mail";
    private const string Lost = "connection lost before the end of the mail";

    private SmtpSession? _session;
    private (string Given, EnvelopeAddress Address)? _sender;
    private bool _disposed;

    public bool IsReady => _session is { IsConnected: true };

    public bool TakesEightBit => _session?.Offers.EightBitMime == true;

    public async Task EnsureReadyAsync(CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (IsReady)
        {
            return;
        }

        Close();
        var (host, port, name, login) = Server();
        var fresh = new SmtpSession(timeouts, authorities, time);
        try
        {
            await fresh.ConnectAsync(host, port, name, service, login, cancellation);
            ObjectDisposedException.ThrowIf(_disposed, this);
            _session = fresh;
        }
        catch (Exception) when (cancellation.IsCancellationRequested || _disposed)
        {
            fresh.Abort();
            throw new OperationCanceledException(cancellation);
        }
        catch (Exception exception)
        {
            var fault = ServiceFaults.Of(exception, $"{name}:{port}", fresh.CertificateFault, fresh.TimedOut);
            fresh.Abort();
            throw fault;
        }
    }

    public async Task<Attempt> SendAsync(OutgoingMail mail, string sender, string recipient, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!Envelope.TryParse(recipient, out var to))
        {
            return Attempts.Unsendable("the recipient is not an address that SMTP can carry");
        }

        if (!TryReadSender(sender, out var from))
        {
            return Attempts.Unsendable("the sender is not an address that SMTP can carry");
        }

        if (IsReady && _session!.HungUp)
        {
            Close();
        }

        if (IsReady)
        {
            // A kept connection may be dead without our knowing; before the mail's end that says nothing about the mail, so it is tried on a fresh one, once.
            var (attempt, isLost) = await TryAsync(mail, from, to, cancellation);
            if (!isLost || cancellation.IsCancellationRequested)
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

        return (await TryAsync(mail, from, to, cancellation)).Attempt;
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

    private async Task<(Attempt Attempt, bool IsLost)> TryAsync(OutgoingMail mail, EnvelopeAddress from, EnvelopeAddress to, CancellationToken cancellation)
    {
        var open = _session!;
        try
        {
            var attempt = await open.SendAsync(mail, from, to, cancellation);
            if (!open.IsConnected)
            {
                Close();
            }

            return (attempt, false);
        }
        catch (Exception exception)
        {
            // A connection that broke, was cut by a deadline, or left the protocol: what counts is how far the mail had got.
            var (endHasGone, timedOut, stopped) = (open.EndHasGone, open.TimedOut, cancellation.IsCancellationRequested);
            Close();
            var attempt = (endHasGone, stopped) switch
            {
                (true, true) => Attempts.AfterData("stopped after the end of the mail, before the server's reply"),
                (true, false) => Attempts.AfterData(timedOut ? "no reply in time to the mail" : "connection lost after the end of the mail"),
                (false, true) => Attempts.BeforeData(Stopped),
                (false, false) => Attempts.BeforeData(Lost, timedOut ? "no reply in time" : (exception as SmtpProtocolException)?.Message),
            };
            return (attempt, !endHasGone);
        }
    }

    private bool TryReadSender(string sender, out EnvelopeAddress address)
    {
        if (_sender is not { } known || !string.Equals(known.Given, sender, StringComparison.Ordinal))
        {
            if (!Envelope.TryParse(sender, out address))
            {
                return false;
            }

            _sender = known = (sender, address);
        }

        address = known.Address;
        return true;
    }

    private (string Host, int Port, string Name, NetworkCredential? Login) Server()
    {
        if (service.Host is { } host)
        {
            return (host, service.Port, host, service.Username is { } user ? new NetworkCredential(user, service.Password ?? "") : null);
        }

        // The sandbox knows its guests by login name only, so a service without one gets one.
        return sandbox() is { } loopback
            ? (loopback.Address.ToString(), loopback.Port, "sandbox", new NetworkCredential(service.Username ?? $"service-{service.Id}", service.Password ?? "sandbox"))
            : throw new ServiceFaultException("the sandbox is not running on this node");
    }

    private void Close()
    {
        _session?.Abort();
        _session = null;
    }
}
