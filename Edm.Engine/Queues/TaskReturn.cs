using Edm.Contracts;

namespace Edm.Engine.Queues;

/// <summary>How a task comes back from the archive when a command needs it. Pure.</summary>
internal static class TaskReturn
{
    /// <returns>The archived task that has to come back before this command can be decided; null when none has to.</returns>
    public static TaskId? Wanted(this UserQueueState state, IForUserQueue command)
    {
        TaskId? task = command switch
        {
            RetryFailed m => m.Task,
            SendToMissed m => m.Task,
            ResolveUnknown m => m.Task,
            _ => null,
        };
        return task is { } wanted && state.Task(wanted) is null && (state.Archive.Contains(wanted) || state.Archive.ForgottenUpToMs is not null) ? wanted : null;
    }

    /// <param name="stored">As SQL knows it, complete.</param>
    /// <returns>Null when it is no task that this queue has archived.</returns>
    public static TaskRestored? Restore(this UserQueueState state, TaskSnapshot stored, long nowMs) =>
        state.Task(stored.Task) is null && stored.FinishedAtMs is not null && state.Archive.MayHave(stored.Task, stored.LaunchedAtMs ?? stored.QueuedAtMs)
            ? new TaskRestored(stored, nowMs)
            : null;
}
