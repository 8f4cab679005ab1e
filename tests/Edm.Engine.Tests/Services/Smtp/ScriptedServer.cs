using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Edm.Testing;

namespace Edm.Engine.Tests.Services.Smtp;

/// <summary>
/// Plays one written conversation for each connection it gets, in order, and fails the test when the client says anything else. A line is
/// <c>S: words</c> (the server says), <c>both: words|words</c> (two lines at once), <c>C: words</c> (the client must say; * at the end stands for anything), <c>C: mail</c> (the client must
/// send a whole body), or one of <c>close</c>, <c>reset</c> (RST), <c>hold</c> (say nothing until the client gives up), <c>deaf</c> (not even read any
/// more), <c>drip</c> (a reply without end, an octet at a time), <c>tls</c> (handshake).
/// </summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new(Patience);
    private readonly X509Certificate2? _certificate;
    private readonly Task _running;
    private readonly List<string> _mails = [];
    private int _played;

    public ScriptedServer(params string[] conversations)
        : this(null, conversations)
    {
    }

    public ScriptedServer(X509Certificate2? certificate, params string[] conversations)
    {
        _certificate = certificate;
        _listener.Start();
        _running = Task.Run(() => PlayAllAsync(conversations));
    }

    public const string Hello = """
        S: 220 test ESMTP
        C: EHLO *
        S: 250-test
        S: 250-8BITMIME
        S: 250 ENHANCEDSTATUSCODES

        """;

    /// <summary>One mail as every server takes it, up to the final reply.</summary>
    public const string UpToBody = """
        C: MAIL FROM:<sender@example.org>*
        S: 250 2.1.0 ok
        C: RCPT TO:<someone@example.com>*
        S: 250 2.1.5 ok
        C: DATA
        S: 354 go on
        C: mail

        """;

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The bodies as they came, dots still stuffed.</summary>
    public IReadOnlyList<string> Mails => _mails;

    /// <summary>Intermediate certificates that the server shows with its own.</summary>
    public X509Certificate2Collection SentAlong { get; } = [];

    public Task PlayedAsync(int conversations) =>
        Eventually.Async(() => Volatile.Read(ref _played) >= conversations, Patience, $"{conversations} conversations are over");

    /// <summary>Ends when every conversation was held to its end.</summary>
    /// <exception cref="InvalidOperationException">The client did not keep to the script.</exception>
    public Task PlayedOut => _running;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        try
        {
            await _running;
        }
        catch (Exception)
        {
            // A test that cares has awaited PlayedOut; here it only matters that nothing is left running.
        }

        _stop.Dispose();
    }

    private async Task PlayAllAsync(string[] conversations)
    {
        foreach (var conversation in conversations)
        {
            using var socket = await _listener.AcceptSocketAsync(_stop.Token);
            socket.NoDelay = true;
            await PlayAsync(socket, conversation);
            Interlocked.Increment(ref _played);
        }
    }

    private async Task PlayAsync(Socket socket, string conversation)
    {
        Stream stream = new NetworkStream(socket);
        var input = new StreamReader(stream, Encoding.UTF8);
        foreach (var line in conversation.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            switch (line)
            {
                case "close":
                    socket.Close();
                    return;
                case "reset":
                    socket.LingerState = new LingerOption(true, 0);
                    socket.Close();
                    return;
                case "hold":
                    // Reading to the end: the client closing is what ends it.
                    await ReadToTheEndAsync(input);
                    return;
                case "deaf":
                    await Task.Delay(Timeout.Infinite, _stop.Token);
                    return;
                case "drip":
                    await DripAsync(stream);
                    return;
                case "tls":
                    var tls = new SslStream(stream);
                    await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
                    {
                        ServerCertificateContext = SslStreamCertificateContext.Create(_certificate!, SentAlong, offline: true),
                    });
                    stream = tls;
                    input = new StreamReader(tls, Encoding.UTF8);
                    break;
                case "C: mail":
                    _mails.Add(await ReadMailAsync(input));
                    break;
                case ['b', 'o', 't', 'h', ':', ..]:
                    await stream.WriteAsync(Encoding.UTF8.GetBytes(line[6..].Replace("|", "\r\n", StringComparison.Ordinal) + "\r\n"), _stop.Token);
                    break;
                case ['S', ':', ..]:
                    await stream.WriteAsync(Encoding.UTF8.GetBytes(line[3..] + "\r\n"), _stop.Token);
                    break;
                case ['C', ':', ..]:
                    Compare(line[3..], await input.ReadLineAsync(_stop.Token));
                    break;
                default:
                    throw new InvalidOperationException($"The script has a line that means nothing: {line}");
            }
        }

        // The script is over; a client that stays connected may do so until it or the test ends.
        while (await input.ReadLineAsync(_stop.Token) is { } rest)
        {
            Compare("QUIT", rest);
            await stream.WriteAsync("221 bye\r\n"u8.ToArray(), _stop.Token);
        }
    }

    private async Task ReadToTheEndAsync(StreamReader input)
    {
        try
        {
            while (await input.ReadLineAsync(_stop.Token) is not null)
            {
            }
        }
        catch (IOException)
        {
            // A client that gives up in the middle of a read resets the connection.
        }
    }

    private async Task DripAsync(Stream stream)
    {
        try
        {
            while (true)
            {
                await stream.WriteAsync("250-a\r\n"u8.ToArray(), _stop.Token);
                await Task.Delay(20, _stop.Token);
            }
        }
        catch (IOException)
        {
            // The client has given up, which is what this waits for.
        }
    }

    private async Task<string> ReadMailAsync(StreamReader input)
    {
        var mail = new StringBuilder();
        while (await input.ReadLineAsync(_stop.Token) is { } line)
        {
            if (line == ".")
            {
                return mail.ToString();
            }

            mail.Append(line).Append("\r\n");
        }

        throw new InvalidOperationException("The client closed in the middle of the mail.");
    }

    private static void Compare(string expected, string? said)
    {
        var fits = expected.EndsWith('*') ? said?.StartsWith(expected[..^1], StringComparison.Ordinal) == true : said == expected;
        if (!fits)
        {
            throw new InvalidOperationException($"The client should have said '{expected}' and said '{said ?? "nothing, it closed"}'.");
        }
    }
}
