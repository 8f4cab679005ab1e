using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.Campaigns;

/// <summary>Tasks and their recipients as SQL knows them. Another user's task is answered like one that does not exist.</summary>
public sealed class TaskStore(EdmDatabase database, TimeProvider time)
{
    public Task<TaskRecord?> FindAsync(UserId user, TaskId id, CancellationToken cancellation) =>
        database.RunAsync(
            async connection =>
            {
                var found = await WithNames(connection).FirstOrDefaultAsync(found => found.Task.Id == id.Value && found.Task.UserId == user.Value, cancellation);
                return found?.Task.ToRecord(found.Campaign);
            },
            cancellation);

    /// <returns>At most <paramref name="limit"/> with ids above <paramref name="after"/>, ascending.</returns>
    public Task<IReadOnlyList<TaskRecord>> ListAsync(UserId user, TaskId after, int limit, CancellationToken cancellation) =>
        database.RunAsync<IReadOnlyList<TaskRecord>>(
            async connection =>
            {
                var rows = await WithNames(connection)
                    .Where(found => found.Task.UserId == user.Value && found.Task.Id > after.Value)
                    .OrderBy(found => found.Task.Id)
                    .Take(limit)
                    .ToListAsync(cancellation);
                return [.. rows.Select(found => found.Task.ToRecord(found.Campaign))];
            },
            cancellation);

    /// <summary>Marks the campaign's frozen task as launching; the <see cref="Launcher"/> does the rest, also after a crash. Asking again changes nothing.</summary>
    /// <returns>Null when the user has no such campaign.</returns>
    /// <exception cref="ConflictException">The campaign is not frozen.</exception>
    public Task<TaskId?> LaunchAsync(UserId user, CampaignId id, CancellationToken cancellation) => database.WriteAsync(
        async connection =>
        {
            await CampaignStore.LockAsync(connection, user, id, cancellation);
            if (await CampaignStore.FindAsync(connection, user, id, cancellation) is not { } campaign)
            {
                return (TaskId?)null;
            }

            if (campaign.State == CampaignState.Draft || campaign.Task is null)
            {
                throw new ConflictException("The campaign has no audience yet. Freeze it first.");
            }

            if (campaign.State == CampaignState.Frozen)
            {
                var now = time.GetUtcNow().ToUnixTimeMilliseconds();

                // A user's launches ascend, also where a clock is set back: queues tell by them what they may have forgotten.
                var last = await connection.GetTable<TaskRow>().Where(row => row.UserId == user.Value).MaxAsync(row => row.LaunchedAt, cancellation);
                var launchedAt = Math.Max(now, (last ?? 0) + 1);
                var marked = await connection.GetTable<TaskRow>()
                    .Where(row => row.CampaignId == id.Value && row.State == TaskStates.Frozen)
                    .Set(row => row.State, TaskStates.Launching)
                    .Set(row => row.LaunchedAt, launchedAt)
                    .Set(row => row.LaunchAt, now)
                    .UpdateAsync(cancellation);
                if (marked == 0)
                {
                    throw new ConflictException("The campaign is being deleted.");
                }

                await connection.GetTable<CampaignRow>().Where(row => row.Id == id.Value).Set(row => row.State, CampaignRow.NameOf(CampaignState.Launched)).UpdateAsync(cancellation);
            }

            return campaign.Task;
        },
        cancellation);

    /// <summary>Changes a task that is not launched yet: no queue knows it.</summary>
    /// <param name="cap">Null: as it is.</param>
    /// <param name="unknown">Null: as it is.</param>
    /// <param name="retry">Null: as they are.</param>
    /// <returns>How many were changed; null when it is not frozen (any more).</returns>
    public Task<int?> ChangeFrozenAsync(
        UserId user, TaskId id, int? priority, TaskCap? cap, UnknownPolicy? unknown, RetryLimits? retry, CancellationToken cancellation) => database.WriteAsync(
        async connection =>
        {
            var frozen = connection.GetTable<TaskRow>().Where(row => row.Id == id.Value && row.UserId == user.Value && row.State == TaskStates.Frozen);
            if (await frozen.FirstOrDefaultAsync(cancellation) is not { } row)
            {
                return (int?)null;
            }

            var (newPriority, newCap, newPolicy) = (priority ?? row.Priority, cap is null ? row.Cap : cap.Most, UnknownPolicies.Name(unknown) ?? row.UnknownPolicy);
            var before = new RetryLimits(row.MaxAttempts, row.MaxAge, row.SendWithin);
            var newRetry = retry ?? before;
            if ((newPriority, newCap, newPolicy, newRetry) == (row.Priority, row.Cap, row.UnknownPolicy, before))
            {
                return 0;
            }

            var changed = await frozen.Set(task => task.Priority, newPriority).Set(task => task.Cap, newCap).Set(task => task.UnknownPolicy, newPolicy)
                .Set(task => task.MaxAttempts, newRetry.MaxAttempts).Set(task => task.MaxAge, newRetry.MaxAgeSeconds).Set(task => task.SendWithin, newRetry.SendWithinSeconds)
                .UpdateAsync(cancellation);
            return changed > 0 ? 1 : null;
        },
        cancellation);

    /// <summary>The services of a task's pool, for telling why nothing goes. What they said when they broke is for the pool's owner only.</summary>
    public async Task<PoolCondition> PoolConditionAsync(UserId user, PoolId pool, CancellationToken cancellation)
    {
        var row = await database.RunAsync(
            connection => connection.QueryToListAsync<PoolConditionRow>(
                $"""
                 SELECT count(*) AS services,
                   coalesce(sum(CASE WHEN {(connection.IsPostgres ? "enabled" : "enabled <> 0")} THEN 1 ELSE 0 END), 0) AS enabled,
                   coalesce(sum(CASE WHEN {(connection.IsPostgres ? "enabled" : "enabled <> 0")} AND last_error IS NOT NULL THEN 1 ELSE 0 END), 0) AS broken,
                   min(CASE WHEN {(connection.IsPostgres ? "enabled" : "enabled <> 0")} AND user_id = @user THEN last_error END) AS error
                 FROM services WHERE pool_id = @pool AND deleted_at IS NULL
                 """,
                cancellation, new DataParameter("pool", pool.Value), new DataParameter("user", user.Value)),
            cancellation);
        var found = row[0];
        return new PoolCondition(found.Services, found.Enabled, found.Broken, found.Error);
    }

    private static IQueryable<TaskWithName> WithNames(EdmConnection connection) =>
        from task in connection.GetTable<TaskRow>()
        join campaign in connection.GetTable<CampaignRow>() on task.CampaignId equals campaign.Id
        where task.State != TaskStates.Deleting
        select new TaskWithName { Task = task, Campaign = campaign.Name };

    private sealed class TaskWithName
    {
        public required TaskRow Task { get; init; }
        public required string Campaign { get; init; }
    }

    private sealed class PoolConditionRow
    {
        [Column] public int Services { get; init; }
        [Column] public int Enabled { get; init; }
        [Column] public int Broken { get; init; }
        [Column] public string? Error { get; init; }
    }
}

/// <summary>The services of a pool that are not deleted.</summary>
/// <param name="Broken">Enabled, but the last try to use them failed.</param>
/// <param name="Error">The words of one of the broken ones; null when there is none, or the pool is somebody else's.</param>
public sealed record PoolCondition(int Services, int Enabled, int Broken, string? Error)
{
    /// <summary>Why none of its services can send now, as their lanes say; see <see cref="PoolReasons"/>. Empty where one can, and where nobody was asked.</summary>
    public IReadOnlyList<ServiceReason> Standstill { get; init; } = [];

    /// <summary>What the lanes say of the services; empty where nobody was asked.</summary>
    public IReadOnlyCollection<ServiceReport> Reports { get; init; } = [];
}
