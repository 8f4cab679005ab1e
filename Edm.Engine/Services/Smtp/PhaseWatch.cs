using MailKit;

namespace Edm.Engine.Services.Smtp;

/// <summary>
/// Knows how far the conversation got, and gives each part of it its deadline. It sits where MailKit would log the protocol, below TLS and above
/// the commands: MailKit reports each block right after it was written, and it writes DATA in a block of its own, after the replies to MAIL and
/// RCPT and before the first byte of the body. So "DATA was not reported" proves that no server can hold this mail.
/// </summary>
internal sealed class PhaseWatch(SmtpTimeouts timeouts, TimeProvider time) : IProtocolLogger
{
    /// <summary>Longest answer to one block of commands, a bound on what a hostile server can make us keep. An EHLO reply is below 2 KiB.</summary>
    private const int MaxReplyBytes = 64 * 1024;

    // Replaced only when it has fired; disarmed between mails. Only the one user of the connection touches it.
    private CancellationTokenSource _deadline = new(Timeout.InfiniteTimeSpan, time);
    private int _replyBytes;

    /// <summary>DATA went out, and since then nobody but the server can know what became of the mail.</summary>
    public bool DataBegun { get; private set; }

    public bool TimedOut => _deadline.IsCancellationRequested;

    public IAuthenticationSecretDetector? AuthenticationSecretDetector { get; set; }

    /// <summary>A new mail, or a new connection, begins.</summary>
    /// <param name="cancellation">Cuts the conversation short as a timeout does; the caller tells them apart by looking at it.</param>
    /// <param name="registration">To be disposed when the mail has ended.</param>
    /// <returns>The token for MailKit.</returns>
    public CancellationToken Begin(TimeSpan within, CancellationToken cancellation, out CancellationTokenRegistration registration)
    {
        if (_deadline.IsCancellationRequested)
        {
            _deadline.Dispose();
            _deadline = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        }

        DataBegun = false;
        _replyBytes = 0;
        _deadline.CancelAfter(within);
        registration = cancellation.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _deadline);
        return _deadline.Token;
    }

    /// <summary>TCP stands; the greeting, and with implicit TLS the handshake before it, gets the time of a command.</summary>
    public void Greet() => _deadline.CancelAfter(timeouts.Command);

    /// <summary>The mail has ended; an idle connection has no deadline.</summary>
    public void End()
    {
        if (!_deadline.IsCancellationRequested)
        {
            _deadline.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    public void LogConnect(Uri uri)
    {
    }

    public void LogClient(byte[] buffer, int offset, int count)
    {
        _replyBytes = 0;
        if (DataBegun)
        {
            // The body shares the deadline of the reply to it; and RSET after a refused mail is bounded by it as well.
            return;
        }

        DataBegun = count == 6 && buffer.AsSpan(offset, count).SequenceEqual("DATA\r\n"u8);
        _deadline.CancelAfter(DataBegun ? timeouts.Data : timeouts.Command);
    }

    /// <exception cref="ProtocolException">The server talks without end; MailKit then closes the connection.</exception>
    public void LogServer(byte[] buffer, int offset, int count)
    {
        _replyBytes += count;
        if (_replyBytes > MaxReplyBytes)
        {
            throw new MailKit.Net.Smtp.SmtpProtocolException("the server's reply has no end");
        }
    }

    // MailKit disposes its logger together with its client.
    public void Dispose() => _deadline.Dispose();
}
