using Akka.Actor;
using Edm.Contracts;
using Edm.Engine.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Edm.Engine.Campaigns;

/// <summary>
/// Hands launched tasks to their UserQueue until it has acknowledged them. SQL and the journal share no transaction, so the intent stands in SQL
/// (state <c>launching</c>) and is repeated; a queue that gets the same task twice acknowledges it twice. Every node does it, which is harmless.
/// </summary>
public sealed partial class Launcher(TaskStore tasks, TaskQueue queue, TimeProvider time, ILogger<Launcher> logger) : BackgroundService
{
    private static readonly TimeSpan Repeat = TimeSpan.FromSeconds(3);

    /// <summary>Tasks taken in one turn; what is beyond comes in the next one.</summary>
    private const int Batch = 100;

    // One place: a signal while one is waiting says nothing new.
    private readonly SemaphoreSlim _signal = new(0, 1);

    /// <summary>There is a task to launch; it need not wait for the next turn.</summary>
    public void Signal()
    {
        try
        {
            _signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake already.
        }
    }

    /// <summary>Launches one task now, when it is launching.</summary>
    /// <exception cref="AskTimeoutException">Its queue did not answer in time; the next turn tries again.</exception>
    public async Task LaunchAsync(TaskId task, CancellationToken cancellation)
    {
        foreach (var command in await tasks.LaunchingAsync(task, 1, cancellation))
        {
            await LaunchAsync(command, cancellation);
        }
    }

    public override void Dispose()
    {
        _signal.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var failing = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await LaunchAllAsync(stoppingToken);
                failing = false;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The next turn tries again whatever it was; one line in the log tells of a row of failures.
                if (!failing)
                {
                    LogFailed(exception);
                }

                failing = true;
            }

            await WaitAsync(stoppingToken);
        }
    }

    private async Task LaunchAllAsync(CancellationToken cancellation)
    {
        foreach (var command in await tasks.LaunchingAsync(null, Batch, cancellation))
        {
            try
            {
                await LaunchAsync(command, cancellation);
            }
            catch (AskTimeoutException)
            {
                // This queue is slow or moving; the others need not wait for it.
                LogSlow(command.Task);
            }
        }
    }

    private async Task LaunchAsync(QueueTask command, CancellationToken cancellation)
    {
        switch (await queue.AskAsync(command, cancellation))
        {
            case Accepted:
                await tasks.AcknowledgedAsync(command.Task, cancellation);
                break;
            case Refused refused:
                LogRefused(command.Task, refused.Message);
                break;
            case var other:
                throw new InvalidOperationException($"A UserQueue answered {other.GetType().Name} to QueueTask.");
        }
    }

    private async Task WaitAsync(CancellationToken stopping)
    {
        using var turn = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        try
        {
            // Both end with the turn: a wait that was left behind would eat the next signal.
            await Task.WhenAny(_signal.WaitAsync(turn.Token), Task.Delay(Repeat, time, turn.Token));
        }
        finally
        {
            await turn.CancelAsync();
        }
    }

    [LoggerMessage(LogLevel.Warning, "Launched tasks can't be handed to their queues at the moment; tried again every few seconds")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(LogLevel.Information, "The queue of task {Task} did not answer yet")]
    private partial void LogSlow(TaskId task);

    [LoggerMessage(LogLevel.Error, "Task {Task} was refused by its queue: {Reason}")]
    private partial void LogRefused(TaskId task, string reason);
}
