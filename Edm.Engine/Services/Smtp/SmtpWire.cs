using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Text.Unicode;

namespace Edm.Engine.Services.Smtp;

/// <summary>Octets to a server and replies from it, over TCP or TLS, each step under its deadline. Used by one caller at a time.</summary>
internal sealed class SmtpWire : IDisposable
{
    /// <summary>Longest answer to one command, a bound on what a hostile server can make us keep. An EHLO reply is below 2 KiB.</summary>
    private const int MaxReply = 64 * 1024;

    private const int FirstBuffer = 4096;

    private readonly Socket _socket;
    private Stream _stream;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
    private int _begin;
    private int _end;

    /// <param name="socket">Connected, without Nagle; it belongs to the wire from now on.</param>
    public SmtpWire(Socket socket, TimeProvider time)
    {
        _socket = socket;
        _stream = new NetworkStream(socket, ownsSocket: true);
        Deadline = new Deadline(time, Cut);
    }

    public Deadline Deadline { get; }

    public SslStream? Tls => _stream as SslStream;

    public EndPoint? Local => _socket.LocalEndPoint;

    /// <summary>
    /// The server closed, or said good-bye with 421, while nothing was asked of it: between mails a server has nothing to say (RFC 5321, 3.8), so
    /// whatever there is to read means that this connection is over.
    /// </summary>
    public bool HungUp
    {
        get
        {
            try
            {
                return _begin < _end || _socket.Poll(0, SelectMode.SelectRead);
            }
            catch (Exception exception) when (exception is ObjectDisposedException or SocketException)
            {
                return true;
            }
        }
    }

    public async Task SecureAsync(string name, RemoteCertificateValidationCallback check)
    {
        if (_begin < _end)
        {
            // What was sent before the handshake could be anybody's, and would be read as if it were the server's (RFC 3207, 6).
            throw new SmtpProtocolException("the server said something before the TLS handshake");
        }

        var tls = new SslStream(_stream, leaveInnerStreamOpen: false);
        _stream = tls;
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = name,
            RemoteCertificateValidationCallback = check,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,

            // Asking a certificate authority's server at each connect fails wherever outgoing traffic is filtered, and mail clients do not do it.
            CertificateRevocationCheckMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck,
        });
    }

    public ValueTask WriteAsync(ReadOnlyMemory<byte> octets) => _stream.WriteAsync(octets);

    public ValueTask WriteLineAsync(string line) => _stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\r\n"));

    /// <param name="keepWords">Also of a positive reply; what only says "go on" is not worth a string.</param>
    /// <exception cref="SmtpProtocolException">The server closed, or this is not SMTP, or the reply has no end.</exception>
    /// <exception cref="IOException">The connection broke, or was cut by the deadline.</exception>
    public async ValueTask<SmtpReply> ReadReplyAsync(bool keepWords)
    {
        var lines = default(StringBuilder);
        var size = 0;
        while (true)
        {
            int length;
            while ((length = _buffer.AsSpan(_begin, _end - _begin).IndexOf((byte)'\n')) < 0)
            {
                await FillAsync(size);
            }

            size += length + 1;
            if (size > MaxReply)
            {
                throw new SmtpProtocolException("the server's reply has no end");
            }

            var line = _buffer.AsSpan(_begin, length).TrimEnd((byte)'\r');
            var (code, isLast) = ReadCode(line);
            var words = keepWords || code >= 400 || lines is not null ? Text(line.Length > 4 ? line[4..] : []) : "";
            _begin += length + 1;
            if (isLast)
            {
                return new SmtpReply(code, lines is null ? words : lines.Append(words).ToString());
            }

            (lines ??= new StringBuilder()).Append(words).Append('\n');
        }
    }

    public void Dispose()
    {
        Deadline.Dispose();
        Cut();
        _stream.Dispose();
        var buffer = _buffer;
        _buffer = [];
        (_begin, _end) = (0, 0);
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Ends whatever waits for this connection; may come from another thread, so it touches nothing but the socket.</summary>
    public void Cut() => _socket.Dispose();

    private async ValueTask FillAsync(int before)
    {
        if (_begin > 0)
        {
            _buffer.AsSpan(_begin, _end - _begin).CopyTo(_buffer);
            (_begin, _end) = (0, _end - _begin);
        }

        if (before + _end > MaxReply)
        {
            throw new SmtpProtocolException("the server's reply has no end");
        }

        if (_end == _buffer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
            _buffer.AsSpan(0, _end).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        var count = await _stream.ReadAsync(_buffer.AsMemory(_end));
        if (count == 0)
        {
            throw new SmtpProtocolException("the server closed the connection");
        }

        _end += count;
    }

    private static (int Code, bool IsLast) ReadCode(ReadOnlySpan<byte> line)
    {
        if (line.Length < 3 || line[..3].ContainsAnyExceptInRange((byte)'0', (byte)'9') || (line.Length > 3 && line[3] is not ((byte)' ' or (byte)'-')))
        {
            throw new SmtpProtocolException("its reply has no reply code");
        }

        var code = ((line[0] - '0') * 100) + ((line[1] - '0') * 10) + line[2] - '0';
        return code is >= 200 and <= 599
            ? (code, line.Length == 3 || line[3] == ' ')
            : throw new SmtpProtocolException("its reply has a code that there is not");
    }

    // Replies are ASCII or, with SMTPUTF8, UTF-8; old servers say what they say in Latin-1.
    private static string Text(ReadOnlySpan<byte> octets) => Utf8.IsValid(octets) ? Encoding.UTF8.GetString(octets) : Encoding.Latin1.GetString(octets);
}
