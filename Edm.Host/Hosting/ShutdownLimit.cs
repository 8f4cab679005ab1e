using Edm.Engine.Settings;

namespace Edm.Host.Hosting;

/// <summary>Sees that a process that was told to end is gone in time, whatever hangs: what it leaves in doubt is found at the next start anyway.</summary>
internal sealed partial class ShutdownLimit(EdmSettings settings, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<ShutdownLimit> logger) : IHostedService, IDisposable
{
    private const int Failure = 1;

    private ITimer? _timer;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStopping.Register(() => _timer = time.CreateTimer(_ => Give(), null, settings.Lifecycle.Shutdown, Timeout.InfiniteTimeSpan));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _timer?.Dispose();

    private void Give()
    {
        LogGivenUp(settings.Lifecycle.Shutdown);
        Environment.Exit(Failure);
    }

    [LoggerMessage(LogLevel.Critical, "Not everything ended within {Limit}; the process ends now")]
    private partial void LogGivenUp(TimeSpan limit);
}
