using Edm.Contracts;

namespace Edm.Engine.Campaigns;

/// <summary>Where a task stands at one moment. The sum of <paramref name="Counts"/> is always what was planned.</summary>
/// <param name="State">frozen | launching | refused | running | paused | cancelled | finished.</param>
/// <param name="Counts">By <see cref="RecipientState"/>, in the order of its numbers.</param>
/// <param name="SentPerSecond">Mean over the last minute.</param>
/// <param name="NextRetryAt">When the next deferred recipient is due, null when none is.</param>
public sealed record TaskStanding(TaskRecord Task, string State, IReadOnlyList<int> Counts, double SentPerSecond, DateTimeOffset? NextRetryAt, DateTimeOffset? FinishedAt)
{
    /// <summary>What its queue knows of the next mails; null where there is no queue to ask.</summary>
    public TaskOutlook? Outlook { get; init; }

    /// <summary>It is at work, recipients wait, and nobody of them may be handed out.</summary>
    public bool IsAtCap => Task.Cap <= Counts.Sum() - Of(RecipientState.Waiting) - Of(RecipientState.Cancelled) && Of(RecipientState.Waiting) > 0;

    /// <summary>Recipients that can still get a mail.</summary>
    public int Open => Of(RecipientState.Waiting) + Of(RecipientState.Leased) + Of(RecipientState.PendingRetry);

    public int Of(RecipientState state) => Counts[(int)state];

    /// <summary>When it will be finished if it goes on as in the last minute; null when nobody can tell.</summary>
    public DateTimeOffset? Eta(DateTimeOffset now)
    {
        // Whom the cap keeps out waits until somebody raises it.
        if (State != TaskStates.Running || Open == 0 || SentPerSecond <= 0 || Task.Cap < Counts.Sum())
        {
            return null;
        }

        // Past this a forecast from one minute is a guess.
        var seconds = Open / SentPerSecond;
        if (seconds > TimeSpan.FromDays(365).TotalSeconds)
        {
            return null;
        }

        var byRate = now + TimeSpan.FromSeconds(Math.Ceiling(seconds));
        var eta = NextRetryAt > byRate ? NextRetryAt : byRate;
        return Task.EndsAt < eta ? Task.EndsAt : eta;
    }

    /// <summary>The next moment at which something can go, as far as that is known; null when something can go now, or nothing will by time alone.</summary>
    public DateTimeOffset? NextAt(PoolCondition pool)
    {
        // Its end is none of what it waits for.
        var reasons = TaskReasons.Of(this, pool).Where(reason => reason.Code != "ending").ToArray();
        // At its cap a task still retries.
        return reasons.Any(reason => reason.Until is null && (reason.Code != "cap-reached" || Of(RecipientState.PendingRetry) == 0)) ? null : reasons.Min(reason => reason.Until);
    }

    /// <summary>Why nothing goes out, or goes out later, in one sentence; null when it is simply at work or done.</summary>
    public string? Why(PoolCondition pool) =>
        TaskReasons.Of(this, pool).FirstOrDefault(reason => reason.Code is not ("finished" or "cancelled"))?.Text;
}
