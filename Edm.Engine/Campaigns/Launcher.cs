using Akka.Actor;
using Edm.Contracts;
using Edm.Engine.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Edm.Engine.Campaigns;

/// <summary>
/// Hands launched tasks to their UserQueue until it has acknowledged or refused them. SQL and the journal share no transaction, so the intent stands in SQL
/// (state <c>launching</c>) and is repeated; a queue that gets the same task twice acknowledges it twice. Every node does it, which is harmless.
/// </summary>
public sealed partial class Launcher(LaunchStore launches, TaskQueue queue, TimeProvider time, ILogger<Launcher> logger) : BackgroundService
{
    private static readonly TimeSpan Repeat = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Tasks offered at once, so that a turn takes no longer than one answer that does not come (edm.http.ask-timeout). Each is acknowledged on a connection to
    /// the database, of which there are a hundred. What is beyond comes in the next turn, which follows at once.
    /// </summary>
    internal const int Batch = 32;

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
    /// <returns>Why its queue will never have it; null when it has it, or when the task was not launching.</returns>
    /// <exception cref="AskTimeoutException">Its queue did not answer in time; it is tried again.</exception>
    public async Task<Refused?> LaunchAsync(TaskId task, CancellationToken cancellation) =>
        await launches.FindAsync(task, cancellation) is { } command ? await OfferAsync(command, cancellation) : null;

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
            var more = false;
            try
            {
                more = await TurnAsync(stoppingToken);
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

            if (!more)
            {
                await WaitAsync(stoppingToken);
            }
        }
    }

    /// <returns>Whether more may be due.</returns>
    internal async Task<bool> TurnAsync(CancellationToken cancellation)
    {
        var taken = await launches.TakeAsync(Batch, cancellation);
        await Task.WhenAll(taken.Select(command => TryAsync(command, cancellation)));
        return taken.Count == Batch;
    }

    /// <summary>One that can't be handed over holds up nobody else.</summary>
    private async Task TryAsync(QueueTask command, CancellationToken cancellation)
    {
        try
        {
            await OfferAsync(command, cancellation);
        }
        catch (AskTimeoutException)
        {
            LogSlow(command.Task);
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested && !StorageFaults.IsTransient(exception))
        {
            LogBroken(exception, command.Task);
        }
    }

    private async Task<Refused?> OfferAsync(QueueTask command, CancellationToken cancellation)
    {
        switch (await queue.AskAsync(command, cancellation))
        {
            case Accepted:
                await launches.AcknowledgedAsync(command.Task, cancellation);
                return null;
            case Refused refused:
                LogRefused(command.Task, refused.Message);
                await launches.RefusedAsync(command.Task, refused.Message, cancellation);
                return refused;
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

    [LoggerMessage(LogLevel.Error, "Task {Task} can't be handed to its queue; tried again, more and more seldom")]
    private partial void LogBroken(Exception exception, TaskId task);

    [LoggerMessage(LogLevel.Error, "Task {Task} was refused by its queue and is not tried again: {Reason}")]
    private partial void LogRefused(TaskId task, string reason);
}
