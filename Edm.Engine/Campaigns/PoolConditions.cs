using Edm.Contracts;
using Edm.Engine.Dispatch;
using Edm.Engine.Services;

namespace Edm.Engine.Campaigns;

/// <summary>How the services of a task's pool do: what is stored of them, and above that what their lanes say at this moment. Whoever says why a task waits asks here.</summary>
public sealed class PoolConditions(TaskStore tasks, PoolStore pools, LaneReports lanes)
{
    /// <summary>For a page that is looked at again and again: a lane that has to be started first is not waited for, and what is stored stands for it.</summary>
    public static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(500);

    /// <param name="patience">How long silent lanes are waited for.</param>
    public async Task<PoolCondition> OfAsync(UserId user, TaskStanding standing, TimeSpan patience, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(standing);
        var stored = await tasks.PoolConditionAsync(user, standing.Task.Pool, cancellation);
        return standing is { State: TaskStates.Running or TaskStates.Paused, Open: > 0 } && stored.Enabled > 0 && await pools.FindAsync(standing.Task.Pool, cancellation) is { } pool
            ? PoolReasons.Seen(stored, await lanes.OfPoolAsync(pool.Id, pool.Lanes, stored.Enabled, patience, cancellation))
            : stored;
    }
}
