using Edm.Contracts;
using Edm.Engine.Campaigns;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.Storage.Projections;

/// <summary>Reads tasks that their queue has archived back from what was projected of them.</summary>
/// <param name="retry">Where a task was launched by a version that did not store its own; and the delays between tries.</param>
public sealed class ArchivedTasks(EdmDatabase database, RetryRules retry)
{
    /// <summary>The projection is usually a second behind; whoever asked has given up after some ten.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    /// <param name="nr">Of the <see cref="TaskWanted"/>; waits until the projection has come that far, so that nothing of the task is missing.</param>
    /// <returns>The task as its queue had it when it was archived; null when the user has no such task that is over.</returns>
    /// <exception cref="TimeoutException">The projection does not come that far in time.</exception>
    public async Task<TaskSnapshot?> ReadAsync(UserId user, TaskId task, long nr, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            while (true)
            {
                var row = await FindAsync(user, task, patience.Token);
                if (row is null || row.WantedNr >= nr)
                {
                    return row is { FinishedAt: not null, State: TaskStates.Finished or TaskStates.Cancelled } ? await ReadAsync(row, task, patience.Token) : null;
                }

                await Task.Delay(LookAgain, patience.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException("The projection is too far behind.");
        }
    }

    private async Task<TaskSnapshot> ReadAsync(TaskAndLanes row, TaskId task, CancellationToken cancellation)
    {
        // One row for each run of recipients in the same state, which are few: a million rows are not worth the way.
        var runs = await database.RunAsync(
            connection => connection.QueryToListAsync<StateRun>(
                """
                SELECT state, min(seq) AS first_seq, max(seq) AS last_seq
                FROM (
                  SELECT state, seq, seq - row_number() OVER (PARTITION BY state ORDER BY seq) AS run
                  FROM deliveries WHERE task_id = @task AND state IN ('sent', 'failed', 'skipped', 'unknown')) ended
                GROUP BY state, run ORDER BY first_seq
                """,
                cancellation, new DataParameter("task", task.Value)),
            cancellation);
        return new TaskSnapshot(
            task, new PoolId(row.PoolId), row.Lanes, row.Priority, [new Segment(new SeqRange(1, row.Planned))],
            new RetryLimits(row.MaxAttempts, row.MaxAge, row.SendWithin).Over(retry),
            UnknownPolicies.Read(row.UnknownPolicy) ?? UnknownPolicy.Hold, row.State == TaskStates.Cancelled ? TaskPhase.Cancelled : TaskPhase.Finished,
            States(runs, row.Planned), [], 0, row.LaunchedAt ?? row.CreatedAt, row.FinishedAt, row.LaunchedAt, row.Cap);
    }

    /// <summary>Whoever has no outcome when a task is over was cancelled.</summary>
    private static int[] States(IEnumerable<StateRun> runs, int planned)
    {
        var (states, next) = (new List<int>(), 1);
        foreach (var run in runs)
        {
            Add(RecipientState.Cancelled, run.FirstSeq - next);
            Add(RecipientStates.TryParse(run.State, out var state) ? state : throw new InvalidOperationException($"No recipient is '{run.State}'."), run.LastSeq - run.FirstSeq + 1);
            next = run.LastSeq + 1;
        }

        Add(RecipientState.Cancelled, planned + 1 - next);
        return [.. states];

        void Add(RecipientState state, int count)
        {
            if (count > 0)
            {
                states.AddRange([(int)state, count]);
            }
        }
    }

    private async Task<TaskAndLanes?> FindAsync(UserId user, TaskId task, CancellationToken cancellation) => (await database.RunAsync(
        connection => connection.QueryToListAsync<TaskAndLanes>(
            """
            SELECT t.pool_id, p.lanes, t.priority, t.planned, t.state, t.cap, t.unknown_policy, t.max_attempts, t.max_age, t.send_within, t.created_at, t.launched_at, t.finished_at, t.wanted_nr
            FROM tasks t JOIN pools p ON p.id = t.pool_id WHERE t.id = @task AND t.user_id = @user
            """,
            cancellation, new DataParameter("task", task.Value), new DataParameter("user", user.Value)),
        cancellation)).FirstOrDefault();

    private sealed class TaskAndLanes
    {
        [Column] public long PoolId { get; init; }
        [Column] public int Lanes { get; init; }
        [Column] public int Priority { get; init; }
        [Column] public int Planned { get; init; }
        [Column] public string State { get; init; } = "";
        [Column] public int? Cap { get; init; }
        [Column] public string? UnknownPolicy { get; init; }
        [Column] public int? MaxAttempts { get; init; }
        [Column] public int? MaxAge { get; init; }
        [Column] public int? SendWithin { get; init; }
        [Column] public long CreatedAt { get; init; }
        [Column] public long? LaunchedAt { get; init; }
        [Column] public long? FinishedAt { get; init; }
        [Column] public long WantedNr { get; init; }
    }

    private sealed class StateRun
    {
        [Column] public string State { get; init; } = "";
        [Column] public int FirstSeq { get; init; }
        [Column] public int LastSeq { get; init; }
    }
}
