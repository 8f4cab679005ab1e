using Edm.Contracts;
using Edm.Engine.Settings;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.Campaigns;

/// <summary>
/// Tasks that were launched and are not at their UserQueue yet. Whoever takes one moves its next try: 3 s away, doubling to 2 minutes. So those that can't be
/// handed over come round again, but never stand before the others.
/// </summary>
public sealed class LaunchStore(EdmDatabase database, SendingSettings sending, TimeProvider time)
{
    /// <summary>3 s, as long as a region takes to move a queue in most cases, times 1, 2, 4 … 32; and then 2 minutes, the longest that an outage may be noticed late.</summary>
    private const string Delay = "CASE WHEN launch_tries < 6 THEN 3000 << launch_tries ELSE 120000 END";

    /// <returns>At most <paramref name="limit"/> of those that are due, the longest overdue first, as the commands that put them to work.</returns>
    internal async Task<IReadOnlyList<QueueTask>> TakeAsync(int limit, CancellationToken cancellation)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var due = await ReadAsync(
            "t.launch_at <= @now ORDER BY t.launch_at, t.id LIMIT @limit", cancellation, new DataParameter("now", now), new DataParameter("limit", limit));
        if (due.Count > 0)
        {
            // Another node may have read the same. Then both offer it, and the queue begins it once.
            await database.RunAsync(
                connection => connection.ExecuteAsync(
                    $"""
                     UPDATE tasks SET launch_tries = launch_tries + 1, launch_at = @now + {Delay}
                     WHERE state = 'launching' AND id IN ({string.Join(',', due.Select(command => command.Task))})
                     """,
                    cancellation, new DataParameter("now", now)),
                cancellation);
        }

        return due;
    }

    /// <returns>Null when the task is not launching.</returns>
    internal async Task<QueueTask?> FindAsync(TaskId task, CancellationToken cancellation) =>
        (await ReadAsync("t.id = @task", cancellation, new DataParameter("task", task.Value))).SingleOrDefault();

    /// <summary>The task's UserQueue has it. The projection says the same a moment later, and goes on from there.</summary>
    internal Task AcknowledgedAsync(TaskId task, CancellationToken cancellation) => database.RunAsync(
        connection => Launching(connection, task).Set(row => row.State, TaskStates.Running).UpdateAsync(cancellation), cancellation);

    /// <summary>The task's UserQueue will never have it.</summary>
    internal Task RefusedAsync(TaskId task, string reason, CancellationToken cancellation) => database.RunAsync(
        connection => Launching(connection, task).Set(row => row.State, TaskStates.Refused).Set(row => row.Refusal, reason).UpdateAsync(cancellation), cancellation);

    private static IQueryable<TaskRow> Launching(EdmConnection connection, TaskId task) =>
        connection.GetTable<TaskRow>().Where(row => row.Id == task.Value && row.State == TaskStates.Launching);

    private Task<IReadOnlyList<QueueTask>> ReadAsync(string which, CancellationToken cancellation, params DataParameter[] parameters) =>
        database.RunAsync<IReadOnlyList<QueueTask>>(
            async connection =>
            {
                var rows = await connection.QueryToListAsync<LaunchingRow>(
                    $"""
                     SELECT t.id, t.user_id, t.pool_id, p.lanes, t.priority, t.planned, t.launched_at, t.cap, t.unknown_policy, t.max_attempts, t.max_age, t.send_within
                     FROM tasks t JOIN pools p ON p.id = t.pool_id
                     WHERE t.state = 'launching' AND {which}
                     """,
                    cancellation, parameters);
                return
                [
                    .. rows.Select(row => new QueueTask(
                        new UserId(row.UserId), new TaskId(row.Id), new PoolId(row.PoolId), row.Lanes, row.Priority,
                        [new Segment(new SeqRange(1, row.Planned))],
                        new RetryLimits(row.MaxAttempts, row.MaxAge, row.SendWithin).Over(sending.Retry), UnknownPolicies.Read(row.UnknownPolicy) ?? sending.Unknown, row.LaunchedAt ?? 0, row.Cap)),
                ];
            },
            cancellation);

    private sealed class LaunchingRow
    {
        [Column] public long Id { get; init; }
        [Column] public long UserId { get; init; }
        [Column] public long PoolId { get; init; }
        [Column] public int Lanes { get; init; }
        [Column] public int Priority { get; init; }
        [Column] public int Planned { get; init; }
        [Column] public long? LaunchedAt { get; init; }
        [Column] public int? Cap { get; init; }
        [Column] public string? UnknownPolicy { get; init; }
        [Column] public int? MaxAttempts { get; init; }
        [Column] public int? MaxAge { get; init; }
        [Column] public int? SendWithin { get; init; }
    }
}
