using Edm.Contracts;

namespace Edm.Engine.Campaigns;

/// <summary>One recipient of a task with what is known of it.</summary>
/// <param name="DueAt">When a deferred one is tried again.</param>
/// <param name="Details">What the projection knows; null when it has not heard of the recipient's present state yet.</param>
public sealed record RecipientStanding(int Seq, RecipientState State, string? Email, int Attempts, DateTimeOffset? DueAt, RecipientRecord? Details);

/// <summary>
/// Reads tasks: the counts and states from their UserQueue, which is exact, the rest from SQL. Before the launch there is no queue yet, long after the end it has
/// forgotten the task, and a task that it refused it never knew; then SQL alone is exact.
/// </summary>
public sealed class TaskReader(TaskStore tasks, RecipientStore recipients, TaskQueue queue)
{
    /// <returns>Null when the user has no such task.</returns>
    public async Task<TaskStanding?> FindAsync(UserId user, TaskId id, CancellationToken cancellation)
    {
        if (await tasks.FindAsync(user, id, cancellation) is not { } task)
        {
            return null;
        }

        if (IsBeforeLaunch(task.State))
        {
            return Unlaunched(task);
        }

        if (task.State == TaskStates.Refused)
        {
            return Archived(task);
        }

        return await queue.AskAsync(new GetTask(user, id), cancellation) switch
        {
            TaskLedger ledger => new TaskStanding(task, StateOf(ledger.Phase), ledger.Counts, ledger.SentPerSecond, At(ledger.NextRetryMs), At(ledger.FinishedAtMs))
            {
                Task = ledger.Priority == 0 ? task : task with
                {
                    Priority = ledger.Priority,
                    Cap = ledger.Cap,
                    Policy = ledger.Unknown ?? task.Policy,
                    Retry = ledger.Retry is { } rules ? RetryLimits.Of(rules) : task.Retry,
                },
                Outlook = ledger.Outlook,
            },
            Refused { Code: RefusalCode.NoSuchTask } => Archived(task),
            var other => throw new InvalidOperationException($"A UserQueue answered {other} to GetTask."),
        };
    }

    /// <param name="state">Null for all.</param>
    /// <returns>At most <paramref name="limit"/> with seqs above <paramref name="after"/>, ascending, and the seq to go on after; null when the user has no such task.</returns>
    public async Task<(IReadOnlyList<RecipientStanding> Items, int? Next)?> RecipientsAsync(
        UserId user, TaskId id, RecipientState? state, int after, int limit, CancellationToken cancellation)
    {
        if (await tasks.FindAsync(user, id, cancellation) is not { } task)
        {
            return null;
        }

        if (IsBeforeLaunch(task.State))
        {
            return await FromSqlAsync(task, state, RecipientState.Waiting, after, limit, cancellation);
        }

        if (task.State == TaskStates.Refused)
        {
            return await FromSqlAsync(task, state, RecipientState.Cancelled, after, limit, cancellation);
        }

        switch (await queue.AskAsync(new ListRecipients(user, id, state, after, limit), cancellation))
        {
            case RecipientList list:
                var known = await recipients.FindAsync(id, [.. list.Recipients.Select(entry => entry.Seq)], cancellation);
                return ([.. list.Recipients.Select(entry => Join(entry, known.GetValueOrDefault(entry.Seq)))], list.Next);
            case Refused { Code: RefusalCode.NoSuchTask }:
                // Whoever has no outcome when a task is over was cancelled.
                return await FromSqlAsync(task, state, RecipientState.Cancelled, after, limit, cancellation);
            case var other:
                throw new InvalidOperationException($"A UserQueue answered {other} to ListRecipients.");
        }
    }

    private static bool IsBeforeLaunch(string state) => state is TaskStates.Frozen or TaskStates.Launching;

    private static TaskStanding Unlaunched(TaskRecord task)
    {
        var counts = new int[RecipientStates.Count];
        counts[(int)RecipientState.Waiting] = task.Planned;
        return new TaskStanding(task, task.State, counts, 0, null, null);
    }

    /// <summary>It is over: whoever has no outcome got no mail, and gets none.</summary>
    private static TaskStanding Archived(TaskRecord task)
    {
        var counts = new int[RecipientStates.Count];
        counts[(int)RecipientState.Sent] = task.Sent;
        counts[(int)RecipientState.Failed] = task.Failed;
        counts[(int)RecipientState.Skipped] = task.Skipped;
        counts[(int)RecipientState.Unknown] = task.Unknown;
        counts[(int)RecipientState.Cancelled] = task.Planned - task.Sent - task.Failed - task.Skipped - task.Unknown;
        return new TaskStanding(task, task.State, counts, 0, null, task.FinishedAt);
    }

    private async Task<(IReadOnlyList<RecipientStanding>, int?)> FromSqlAsync(
        TaskRecord task, RecipientState? state, RecipientState without, int after, int limit, CancellationToken cancellation)
    {
        var page = await recipients.PageAsync(task.Id, state, without, after, limit, cancellation);
        return ([.. page.Select(one => new RecipientStanding(one.Seq, one.State ?? without, one.Email, one.Attempts, one.DueAt, one))],
            page.Count < limit ? null : page[^1].Seq);
    }

    /// <summary>The projection may be a moment behind; an outcome of an earlier try must not be shown beside the state of a later one.</summary>
    private static RecipientStanding Join(RecipientEntry entry, RecipientRecord? record)
    {
        var isEnd = entry.State is RecipientState.Sent or RecipientState.Failed or RecipientState.Skipped or RecipientState.Unknown;
        var isBehind = isEnd && record?.State != entry.State;
        return new RecipientStanding(
            entry.Seq, entry.State, record?.Email, Math.Max(entry.Attempts, record?.Attempts ?? 0), At(entry.DueMs), isBehind ? null : record);
    }

    private static string StateOf(TaskPhase phase) => phase switch
    {
        TaskPhase.Running => TaskStates.Running,
        TaskPhase.Paused => TaskStates.Paused,
        TaskPhase.Cancelled => TaskStates.Cancelled,
        TaskPhase.Finished => TaskStates.Finished,
        _ => throw new ArgumentOutOfRangeException(nameof(phase), phase, "Unknown phase."),
    };

    private static DateTimeOffset? At(long? milliseconds) => milliseconds is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;
}
