using Edm.Contracts;

namespace Edm.Engine.Queues;

/// <summary>What a UserQueue says to lanes without being asked. Pure. Any of it can be lost: while it matters it is said again.</summary>
public static class UserQueueNews
{
    /// <summary>A lease younger than this is not asked about: its lane has most likely just received it.</summary>
    private const long AskAboutLeasesAfterMs = 6_000;

    /// <summary>When it has come back: it may have missed whatever was said to it.</summary>
    public static IEnumerable<IForLane> Opened(this UserQueueState state, long nowMs) => [.. state.Questions(nowMs), .. state.Announcements(nowMs)];

    /// <summary>When this event has been applied.</summary>
    public static IEnumerable<IForLane> Following(this UserQueueState state, IUserQueueEvent happened, long nowMs) => happened switch
    {
        TaskPaused e => state.Recalls(e.Task),
        TaskCancelled e => state.Recalls(e.Task),
        TaskQueued or TaskResumed or FailedRetried or LeaseReturned or RecipientsExpired or CapChanged or RetryRulesChanged or MissedReopened or UnknownResolved => state.Announcements(nowMs),
        _ => [],
    };

    /// <summary>Every few seconds, while there is an unfinished task.</summary>
    public static IEnumerable<IForLane> Repeats(this UserQueueState state, long nowMs)
    {
        var held = state.Leases.Select(l => l.Lane).ToHashSet();
        return
        [
            .. state.LanesWithDueWork(nowMs).Where(lane => !held.Contains(lane)).Select(lane => new Ready(lane, state.User)),
            .. state.Unfinished.Where(t => t.Phase != TaskPhase.Running).SelectMany(t => state.Recalls(t.Id)),
            .. state.Questions(nowMs - AskAboutLeasesAfterMs),
        ];
    }

    /// <summary>To every lane that could have something right now.</summary>
    public static IEnumerable<IForLane> Announcements(this UserQueueState state, long nowMs) =>
        [.. state.LanesWithDueWork(nowMs).Select(lane => new Ready(lane, state.User))];

    private static IEnumerable<IForLane> Recalls(this UserQueueState state, TaskId task) =>
        [.. state.Leases.Where(l => l.Task == task).GroupBy(l => l.Lane, l => l.Nr.Value).Select(lane => new RecallTask(lane.Key, state.User, task, new LeaseNr(lane.Max())))];

    private static IEnumerable<IForLane> Questions(this UserQueueState state, long bornBeforeMs) =>
        [
            .. state.Leases.Where(l => l.AtMs <= bornBeforeMs).GroupBy(l => l.Lane)
                .Select(lane => new QueryLeases(lane.Key, state.User, [.. lane.Select(l => new LeaseQuestion(l.Nr, l.Epoch, l.PullNr))])),
        ];
}
