using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Edm.Testing.Servers;

/// <summary>
/// The judge of the crash tests: an SMTP server in the test's own process that takes every mail and counts, for each address, how often it got one.
/// It shares no code with what it judges. A mail counts when its last line has arrived, whether or not the client lives to read the answer:
/// that is the moment from which a real server would deliver it (RFC 5321, 4.1.1.4).
/// </summary>
public sealed class CountingSmtpServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<string, int> received = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<SmtpSession, Task> sessions = new();
    private readonly TimeSpan dataDelay;
    private readonly X509Certificate2? certificate;
    private readonly Func<string, SmtpWords>? words;
    private readonly int? mailsAConnection;
    private readonly Task accepting;
    private int total;
    private int connections;

    /// <param name="dataDelay">How long each answer to the end of data takes: what makes a campaign last long enough to be killed in its middle.</param>
    /// <param name="certificate">For TLS from the first byte on; null: without.</param>
    /// <param name="words">What is said to whom; null: yes to everybody.</param>
    /// <param name="mailsAConnection">After so many mails the connection is dropped without a word; null: never.</param>
    public CountingSmtpServer(TimeSpan dataDelay = default, X509Certificate2? certificate = null, Func<string, SmtpWords>? words = null, int? mailsAConnection = null)
    {
        (this.dataDelay, this.certificate, this.words, this.mailsAConnection) = (dataDelay, certificate, words, mailsAConnection);
        listener.Start(backlog: 512);
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Mails taken so far.</summary>
    public int Total => Volatile.Read(ref total);

    /// <summary>How often each address was mailed; an address that is not here got nothing.</summary>
    public IReadOnlyDictionary<string, int> Received => received;

    public int OpenConnections => sessions.Count;

    /// <summary>Connections so far, those that are closed among them.</summary>
    public int Connections => Volatile.Read(ref connections);

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Dispose();
        await accepting;
        await Task.WhenAll(sessions.Values);
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var session = new SmtpSession(await listener.AcceptTcpClientAsync(stopping.Token), dataDelay, Count, certificate, words, mailsAConnection);
                Interlocked.Increment(ref connections);
                sessions[session] = Task.CompletedTask;
                sessions[session] = RunAsync(session);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or InvalidOperationException or SocketException && stopping.IsCancellationRequested)
        {
            // Disposed, perhaps just between two clients.
        }
    }

    private async Task RunAsync(SmtpSession session)
    {
        await Task.Yield();
        await session.RunAsync(stopping.Token);
        sessions.TryRemove(session, out _);
    }

    private void Count(IReadOnlyList<string> recipients)
    {
        foreach (var recipient in recipients)
        {
            received.AddOrUpdate(recipient, 1, (_, n) => n + 1);
        }

        Interlocked.Increment(ref total);
    }
}

/// <summary>The replies to a recipient's RCPT and to the end of its data. With anything but 2xx to RCPT the recipient gets no mail.</summary>
public sealed record SmtpWords(string Recipient, string Data);
