using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Edm.Engine.Services.Sandbox;

/// <summary>
/// A real SMTP server on loopback that delivers nothing: it keeps what it gets, and misbehaves when it is told to. It is our own because misbehaving in
/// the middle of the protocol is its purpose, and libraries are made to prevent that.
/// </summary>
/// <param name="port">0: any free one, see <see cref="EndPoint"/>.</param>
/// <param name="seed">Makes the dice of its misbehaviour fall the same way again, connection by connection.</param>
public sealed class SandboxServer(ISandboxStore store, SandboxBehaviours behaviours, TimeProvider time, ILogger<SandboxServer> logger, int port = 0, int? seed = null)
    : IHostedService, IAsyncDisposable
{
    /// <summary>Octets of a mail that are kept, and that are taken at all.</summary>
    public const int MaxRaw = 64 * 1024;
    public const int MaxMail = 10 * 1024 * 1024;

    /// <summary>Beyond it a connection is answered 421: about 100 KB of memory each.</summary>
    public const int MaxConnections = 2_000;

    private readonly ConcurrentDictionary<long, Task> _sessions = [];
    private readonly CancellationTokenSource _stop = new();
    private Socket? _listener;
    private Task _accepting = Task.CompletedTask;
    private bool _disposed;

    /// <summary>Null before the start.</summary>
    public IPEndPoint? EndPoint { get; private set; }

    public SandboxBehaviours Behaviours => behaviours;

    public ISandboxStore Store => store;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _listener.Listen(512);
        EndPoint = (IPEndPoint)_listener.LocalEndPoint!;
        SandboxLog.Listening(logger, EndPoint);
        _accepting = Task.Run(() => AcceptAsync(_listener), CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>Closes the listener and every connection, in the middle of a mail too, as a server that is switched off does.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        _listener?.Dispose();
        await _accepting;
        await Task.WhenAll(_sessions.Values);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_disposed)
        {
            _disposed = true;
            await StopAsync(CancellationToken.None);
            _stop.Dispose();
        }
    }

    private async Task AcceptAsync(Socket listener)
    {
        for (long nr = 0; !_stop.IsCancellationRequested; nr++)
        {
            try
            {
                var socket = await listener.AcceptAsync(_stop.Token);
                var mine = nr;
                var session = new TaskCompletionSource();
                _sessions[mine] = session.Task;
                _ = Task.Run(() => ServeAsync(socket, mine, session), CancellationToken.None);
            }
            catch (Exception) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException exception)
            {
                // Out of file handles, or a client that was gone again: the next one may do better, in a moment.
                SandboxLog.AcceptFailed(logger, exception);
                await Task.Delay(TimeSpan.FromMilliseconds(100), time, CancellationToken.None);
            }
        }
    }

    private async Task ServeAsync(Socket socket, long nr, TaskCompletionSource ended)
    {
        try
        {
            using (socket)
            {
                socket.NoDelay = true;
                var dice = seed is { } fixedSeed ? new Random(unchecked(fixedSeed * 31 + (int)nr)) : Random.Shared;
                await new SandboxSession(socket, store, behaviours, dice, time, logger).RunAsync(isFull: _sessions.Count > MaxConnections, _stop.Token);
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            SandboxLog.Broken(logger, exception);
        }
        catch (Exception exception)
        {
            // A bug of ours ends this connection and no other.
            SandboxLog.AcceptFailed(logger, exception);
        }
        finally
        {
            _sessions.TryRemove(nr, out _);
            ended.SetResult();
        }
    }
}
