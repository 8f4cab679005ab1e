using Akka.Actor;
using Edm.Engine.Settings;

namespace Edm.Host.Hosting;

/// <summary>
/// What happens when the process is told to end: lanes begin to drain at once, beside the requests that are still being answered, and the process is
/// gone in time, whatever hangs. What it leaves in doubt then is found at the next start.
/// </summary>
internal sealed partial class Shutdown(EdmSettings settings, ThisProcess process, ActorSystem system, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<Shutdown> logger)
    : IHostedLifecycleService, IDisposable
{
    private const int Failure = 1;

    private ITimer? _limit;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStopping.Register(() => _limit = time.CreateTimer(_ => GiveUp(), null, settings.Lifecycle.Shutdown, Timeout.InfiniteTimeSpan));
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        LogStopping();
        process.Drain();

        // Not awaited here: Kestrel stops meanwhile, and the actor system's own service waits for the same shutdown.
        _ = CoordinatedShutdown.Get(system).Run(CoordinatedShutdown.ClrExitReason.Instance);
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        LogStopped();
        return Task.CompletedTask;
    }

    public void Dispose() => _limit?.Dispose();

    private void GiveUp()
    {
        LogGivenUp(settings.Lifecycle.Shutdown);
        Environment.Exit(Failure);
    }

    [LoggerMessage(LogLevel.Information, "Shutting down: no mail starts any more, those on the wire end")]
    private partial void LogStopping();

    [LoggerMessage(LogLevel.Information, "Shut down; everything is settled")]
    private partial void LogStopped();

    [LoggerMessage(LogLevel.Critical, "Not everything ended within {Limit}; the process ends now")]
    private partial void LogGivenUp(TimeSpan limit);
}
