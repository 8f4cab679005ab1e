using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Edm.Testing.Servers;

/// <summary>What a <see cref="SilentSmtpServer"/> does not answer any more.</summary>
public enum SilentFrom
{
    /// <summary>Not even the greeting comes.</summary>
    Connect,

    /// <summary>The first command of a mail.</summary>
    Mail,

    /// <summary>The end of a mail.</summary>
    EndOfData,
}

/// <summary>A server that takes connections and keeps them, and from some point on says nothing. Only the client can end that.</summary>
public sealed class SilentSmtpServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentBag<Task> sessions = [];
    private readonly SilentFrom from;
    private readonly Task accepting;
    private int silences;

    public SilentSmtpServer(SilentFrom from)
    {
        this.from = from;
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>How often it fell silent.</summary>
    public int Silences => Volatile.Read(ref silences);

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Dispose();
        await accepting;
        await Task.WhenAll(sessions);
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                sessions.Add(RunAsync(await listener.AcceptTcpClientAsync(stopping.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or InvalidOperationException or SocketException && stopping.IsCancellationRequested)
        {
            // Disposed, perhaps just between two clients.
        }
    }

    private async Task RunAsync(TcpClient client)
    {
        await Task.Yield();
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                var input = new StreamReader(stream, Encoding.UTF8);
                var silent = from == SilentFrom.Connect || !await TalkAsync(stream, input);
                if (silent)
                {
                    Interlocked.Increment(ref silences);
                    while (await input.ReadLineAsync(stopping.Token) is not null)
                    {
                    }
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // The client has given up, which is what this waits for, or the test is over.
            }
        }
    }

    /// <returns>False when it has come to where it falls silent.</returns>
    private async Task<bool> TalkAsync(NetworkStream stream, StreamReader input)
    {
        await SayAsync("220 silent.test ESMTP");
        var inData = false;
        while (await input.ReadLineAsync(stopping.Token) is { } line)
        {
            if (inData)
            {
                if (line == ".")
                {
                    return false;
                }
            }
            else if (line.StartsWith("MAIL", StringComparison.OrdinalIgnoreCase) && from == SilentFrom.Mail)
            {
                return false;
            }
            else
            {
                inData = line == "DATA";
                await SayAsync(inData ? "354 go on" : "250 ok");
            }
        }

        return true;

        ValueTask SayAsync(string words) => stream.WriteAsync(Encoding.ASCII.GetBytes(words + "\r\n"), stopping.Token);
    }
}
