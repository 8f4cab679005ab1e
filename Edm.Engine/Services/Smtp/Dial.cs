using System.Net;
using System.Net.Sockets;

namespace Edm.Engine.Services.Smtp;

/// <summary>
/// A TCP connection to a host that may have several addresses, IPv6 and IPv4: one after the other, the next as soon as the one before has failed or has let
/// a moment pass (RFC 8305, 5), so that an address that swallows everything costs a moment and not the whole deadline.
/// </summary>
internal static class Dial
{
    /// <summary>RFC 8305, 8: Connection Attempt Delay.</summary>
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(250);

    /// <summary>More addresses than this are a mistake or an attack.</summary>
    private const int MaxAddresses = 8;

    /// <exception cref="SocketException">No address answers; the last one's fault.</exception>
    /// <exception cref="OperationCanceledException">Not in time.</exception>
    public static async Task<Socket> ConnectAsync(string host, int port, TimeProvider time, CancellationToken cancellation)
    {
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, cancellation);
        if (addresses.Length == 0)
        {
            throw new SocketException((int)SocketError.HostNotFound);
        }

        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var running = new List<Task<Socket>>();
        try
        {
            var fault = default(Exception);
            var next = 0;
            while (true)
            {
                if (next < Math.Min(addresses.Length, MaxAddresses))
                {
                    running.Add(OneAsync(new IPEndPoint(addresses[next++], port), enough.Token));
                }
                else if (running.Count == 0)
                {
                    throw fault!;
                }

                var ended = Task.WhenAny(running);
                if (next < Math.Min(addresses.Length, MaxAddresses) && !await EndsInAMomentAsync(ended, time, cancellation))
                {
                    continue;
                }

                var first = await ended;
                running.Remove(first);
                if (first.IsCompletedSuccessfully)
                {
                    return await first;
                }

                cancellation.ThrowIfCancellationRequested();
                fault = first.Exception?.InnerException ?? new SocketException((int)SocketError.TimedOut);
            }
        }
        finally
        {
            await enough.CancelAsync();
            foreach (var late in running)
            {
                _ = late.ContinueWith(static task => Forget(task), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
    }

    private static async Task<bool> EndsInAMomentAsync(Task ended, TimeProvider time, CancellationToken cancellation)
    {
        try
        {
            await ended.WaitAsync(Moment, time, cancellation);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static async Task<Socket> OneAsync(IPEndPoint server, CancellationToken cancellation)
    {
        // Nagle with delayed acknowledgements costs 40 ms a mail.
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server, cancellation);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void Forget(Task<Socket> task)
    {
        if (task.IsCompletedSuccessfully)
        {
            task.Result.Dispose();
        }
        else
        {
            // Seen, so that nobody reports it as unobserved.
            _ = task.Exception;
        }
    }
}
