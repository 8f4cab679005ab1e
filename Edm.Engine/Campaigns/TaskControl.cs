using Edm.Contracts;
using Edm.Engine.Settings;

namespace Edm.Engine.Campaigns;

/// <summary>Changes, pauses, resumes, cancels and retries tasks at their UserQueue. What is answered is durable there.</summary>
public sealed class TaskControl(TaskStore tasks, TaskQueue queue, Launcher launcher, SendingSettings sending)
{
    /// <param name="command">Made from user and task: <see cref="PauseTask"/> and the like.</param>
    /// <returns>How many recipients or tasks were changed; null when the user has no such task.</returns>
    /// <exception cref="ConflictException">The task's state does not allow it.</exception>
    public async Task<int?> CommandAsync(UserId user, TaskId id, Func<UserId, TaskId, IForUserQueue> command, CancellationToken cancellation)
    {
        if (await tasks.FindAsync(user, id, cancellation) is not { } task)
        {
            return null;
        }

        switch (task.State)
        {
            case TaskStates.Frozen:
                throw new ConflictException("The task has not been launched.");
            case TaskStates.Refused:
                throw Refusal(task.Refusal);
            case TaskStates.Launching when await launcher.LaunchAsync(id, cancellation) is { } refused:
                // Its queue may not know it yet.
                throw Refusal(refused.Message);
        }

        return await queue.AskAsync(command(user, id), cancellation) switch
        {
            Accepted accepted => accepted.Changed,
            Refused { Code: RefusalCode.WrongState } refused => throw new ConflictException(refused.Message),
            Refused { Code: RefusalCode.NoSuchTask } => throw new ConflictException("The task ended long ago and its queue has archived it: only retry, missed and the decision of unknown mails bring it back."),
            var other => throw new InvalidOperationException($"A UserQueue answered {other} to a command for task {id}."),
        };
    }

    /// <param name="priority">Null: as it is.</param>
    /// <param name="cap">Null: as it is.</param>
    /// <param name="unknown">Null: as it is.</param>
    /// <param name="retry">Null: as they are; what is null in them: as the settings say.</param>
    /// <returns>1 when something was changed, or 0; null when the user has no such task.</returns>
    /// <exception cref="FieldException">A value can't be used.</exception>
    /// <exception cref="ConflictException">The task's state does not allow it.</exception>
    public async Task<int?> ChangeAsync(UserId user, TaskId id, int? priority, TaskCap? cap, UnknownPolicy? unknown, RetryLimits? retry, CancellationToken cancellation)
    {
        CampaignStore.RefuseUnfit(priority ?? 1, cap?.Most);
        retry?.RefuseUnfit();
        return await tasks.ChangeFrozenAsync(user, id, priority, cap, unknown, retry, cancellation)
            ?? await CommandAsync(user, id, (owner, task) => new ChangeTask(owner, task, priority, cap, unknown, retry?.Over(sending.Retry)), cancellation);
    }

    private static ConflictException Refusal(string? reason) => new($"The task's queue refused it: {reason}");
}
