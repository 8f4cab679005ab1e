using System.Globalization;
using Edm.Contracts;
using Edm.Engine.Dispatch;
using Edm.Engine.Queues;

namespace Edm.Engine.Campaigns;

/// <summary>One reason why nothing of a task goes out now.</summary>
/// <param name="Code">For programs; never changes.</param>
/// <param name="Text">For people, in one sentence; the same as long as the state is the same.</param>
/// <param name="Until">When it ends by itself; null when only somebody, or something that can't be foreseen, ends it.</param>
public sealed record TaskReason(string Code, string Text, DateTimeOffset? Until = null);

/// <summary>
/// Why nothing of a task goes out, computed from where it stands and never from a log. In their order: what has to end first stands first. What the task itself
/// says is here, and what its pool says as a whole; each service of the pool speaks for itself.
/// </summary>
public static class TaskReasons
{
    /// <returns>Empty when it is at work, or may be so at any moment.</returns>
    public static IReadOnlyList<TaskReason> Of(TaskStanding standing, PoolCondition pool) => standing.State switch
    {
        TaskStates.Frozen => [new("not-launched", "The campaign has not been launched.")],
        TaskStates.Launching => [Launching(standing.Task)],
        TaskStates.Refused => [new("refused", $"The task's queue refused it: {standing.Task.Refusal}")],
        TaskStates.Finished => [new("finished", "The task is finished: nobody of it waits for a mail.")],
        TaskStates.Cancelled when standing.Of(RecipientState.Leased) > 0 =>
            [new("cancelled-settling", $"The task is cancelled; {standing.Of(RecipientState.Leased)} recipients that lanes hold are settled first.")],
        TaskStates.Cancelled when standing.Task.EndsAt is { } end && end <= standing.FinishedAt =>
            [new("cancelled", $"The task's time was over at {UtcClock.Text(end)}: who had not been sent a mail by then gets none.")],
        TaskStates.Cancelled => [new("cancelled", "The task is cancelled: who has not been sent a mail yet gets none.")],
        TaskStates.Paused => [new("paused", "The task is paused."), .. Expiring(standing), .. Waiting(standing, pool), .. Ending(standing)],
        _ when Waiting(standing, pool).ToArray() is { Length: > 0 } waiting => [.. waiting, .. Ending(standing)],
        _ => [],
    };

    private static TaskReason Launching(TaskRecord task) => task is { LaunchTries: > 1, NextLaunchAt: { } at }
        ? new("launching", $"The task is being handed to its queue, which did not answer so far ({task.LaunchTries} tries, the next at {UtcClock.Text(at)}).", at)
        : new("launching", "The task is being handed to its queue.");

    /// <summary>What keeps a task that could be at work.</summary>
    private static IEnumerable<TaskReason> Waiting(TaskStanding standing, PoolCondition pool)
    {
        if (standing.Open == 0)
        {
            yield break;
        }

        var (waiting, pending, leased) = (standing.Of(RecipientState.Waiting), standing.Of(RecipientState.PendingRetry), standing.Of(RecipientState.Leased));

        // With retries on their way the cap does not stop the task yet, only what comes after them.
        if (standing.IsAtCap && pending + leased == 0)
        {
            yield return Cap(standing);
        }

        foreach (var reason in OfPool(pool))
        {
            yield return reason;
        }

        if (leased > 0 || standing.Outlook is { DueNow: true })
        {
            yield break;
        }

        if (standing.IsAtCap && pending > 0)
        {
            yield return Cap(standing);
        }
        else if (standing.Outlook is { IsFull: true } && waiting > 0)
        {
            yield return new TaskReason(
                "retries-full",
                string.Create(CultureInfo.InvariantCulture, $"{UserQueueLimits.Default.MaxPending:N0} retries of your tasks wait, as many as are kept; first tries go on when some of them are done."));
        }

        if (standing.Outlook?.NextOpeningMs is { } opens && waiting > 0)
        {
            var at = DateTimeOffset.FromUnixTimeMilliseconds(opens);
            yield return new TaskReason("not-before", $"The next of those who wait may be sent to from {UtcClock.Text(at)} on.", at);
        }

        if (standing.NextRetryAt is { } next && (pending == standing.Open || standing.IsAtCap || standing.Outlook?.NextOpeningMs is not null))
        {
            var who = pending == standing.Open ? "All that is left waits for another try, the next one at" : "Others wait for another try, the next one at";
            yield return new TaskReason("waiting-for-retry", $"{who} {UtcClock.Text(next)}.", next);
        }
    }

    private static IEnumerable<TaskReason> OfPool(PoolCondition pool) => pool switch
    {
        { Services: 0 } => [new("no-services", "The pool has no services.")],
        { Enabled: 0 } => [new("no-enabled-services", "The pool has no enabled services.")],
        { Error: { } words } when pool.Broken == pool.Enabled => [new("no-working-service", $"No service of the pool works; one of them says: {words}")],
        _ when pool.Broken == pool.Enabled => [new("no-working-service", "No service of the pool works.")],
        _ => pool.Standstill.Select(reason => new TaskReason(reason.Code, reason.Text, reason.UntilMs is { } until ? DateTimeOffset.FromUnixTimeMilliseconds(until) : null)),
    };

    private static IEnumerable<TaskReason> Expiring(TaskStanding standing)
    {
        if (standing.Outlook?.NextExpiryMs is { } ms)
        {
            var at = DateTimeOffset.FromUnixTimeMilliseconds(ms);
            yield return new TaskReason("expiring", $"{standing.Of(RecipientState.PendingRetry)} recipients wait for another try; the first is too old for one at {UtcClock.Text(at)} and fails then.", null);
        }
    }

    private static IEnumerable<TaskReason> Ending(TaskStanding standing)
    {
        if (standing.Task.EndsAt is { } at && standing.Open > 0)
        {
            yield return new TaskReason("ending", $"The task's time is over at {UtcClock.Text(at)}: who has not been sent a mail by then gets none.", null);
        }
    }

    private static TaskReason Cap(TaskStanding standing) => new(
        "cap-reached",
        string.Create(CultureInfo.InvariantCulture, $"The cap of {standing.Task.Cap:N0} is reached; {standing.Of(RecipientState.Waiting):N0} recipients wait: raise the cap or cancel."));
}
