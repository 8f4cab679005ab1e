using System.Globalization;
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
        if (State != TaskStates.Running || Open == 0 || SentPerSecond <= 0 || IsAtCap)
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
        return NextRetryAt > byRate ? NextRetryAt : byRate;
    }

    /// <summary>Why nothing goes out, or goes out later, in one sentence; null when it is simply at work or done.</summary>
    public string? Why(PoolCondition pool) => State switch
    {
        TaskStates.Frozen => "The campaign has not been launched.",
        TaskStates.Launching when Task.LaunchTries > 1 && Task.NextLaunchAt is { } at =>
            $"The task is being handed to its queue, which did not answer so far ({Task.LaunchTries} tries, the next at {Clock(at)}).",
        TaskStates.Launching => "The task is being handed to its queue.",
        TaskStates.Refused => $"The task's queue refused it: {Task.Refusal}",
        TaskStates.Paused => "The task is paused.",
        TaskStates.Cancelled when Of(RecipientState.Leased) > 0 => $"The task is cancelled; {Of(RecipientState.Leased)} recipients that lanes hold are settled first.",
        TaskStates.Running when Open > 0 => WhyWaiting(pool),
        _ => null,
    };

    private string? WhyWaiting(PoolCondition pool)
    {
        if (IsAtCap && Of(RecipientState.Leased) + Of(RecipientState.PendingRetry) == 0)
        {
            return AtCap;
        }

        if (pool.Services == 0)
        {
            return "The pool has no services.";
        }

        if (pool.Enabled == 0)
        {
            return "The pool has no enabled services.";
        }

        if (pool.Broken == pool.Enabled)
        {
            return pool.Error is { } words ? $"No service of the pool works; one of them says: {words}" : "No service of the pool works.";
        }

        return IsAtCap ? AtCap
            : Of(RecipientState.PendingRetry) == Open && NextRetryAt is { } at
            ? $"All that is left waits for another try, the next one at {Clock(at)}."
            : null;
    }

    private string AtCap => string.Create(
        CultureInfo.InvariantCulture, $"The cap of {Task.Cap:N0} is reached; {Of(RecipientState.Waiting):N0} recipients wait: raise the cap or cancel.");

    private static string Clock(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
