using Edm.Contracts;

namespace Edm.Engine.Queues;

/// <summary>What a UserQueue decides when its user changes a task that is at work, or was. Pure, as all of <see cref="UserQueueDecisions"/>.</summary>
internal static class TaskControls
{
    /// <returns>Null when both can be used.</returns>
    public static Decision? Unfit(int? priority, int? cap) =>
        priority is < 1 or > 100 ? Decision.Refuse(RefusalCode.Invalid, "A priority is a number from 1 to 100.")
        : cap < 0 ? Decision.Refuse(RefusalCode.Invalid, "A cap is a number of recipients, 0 or more.")
        : null;

    /// <returns>Null when they can be used.</returns>
    public static Decision? Unfit(RetryRules rules) =>
        rules.MaxAttempts < 1 ? Decision.Refuse(RefusalCode.Invalid, "The tries of a recipient (retry.maxAttempts) are at least 1.")
        : Math.Min(Math.Min(rules.FirstDelaySeconds, rules.MaxDelaySeconds), rules.MaxAgeSeconds) < 0 ? Decision.Refuse(RefusalCode.Invalid, "The times of the retry rules can't be negative.")
        : rules.SendWithinSeconds < 1 ? Decision.Refuse(RefusalCode.Invalid, "The time in which a task is sent (retry.sendWithinSeconds) is at least a second.")
        : null;

    /// <summary>Who puts recipients of a task back to work after its time wants them to be sent all the same: it has no end any more.</summary>
    public static Decision InTime(QueuedTask task, IUserQueueEvent reopened, int changed, long nowMs) => new(
        task.IsOver(nowMs) ? [new RetryRulesChanged(task.Id, task.Retry with { SendWithinSeconds = null }, nowMs), reopened] : [reopened], () => new Accepted(changed));

    public static Decision Change(this UserQueueState state, ChangeTask m, long nowMs)
    {
        if (state.Task(m.Task) is not { } task)
        {
            return UserQueueDecisions.NoSuchTask(m.Task);
        }

        if ((Unfit(m.Priority, m.Cap?.Most) ?? (m.Retry is { } given ? Unfit(given) : null)) is { } unfit)
        {
            return unfit;
        }

        var events = new List<IUserQueueEvent>();
        if (m.Priority is { } priority && priority != task.Priority)
        {
            events.Add(new PriorityChanged(task.Id, priority, nowMs));
        }

        if (m.Cap is { } cap && cap.Most != task.Cap)
        {
            events.Add(new CapChanged(task.Id, nowMs, cap.Most));
        }

        if (m.Unknown is { } policy && policy != task.Unknown)
        {
            events.Add(new UnknownPolicyChanged(task.Id, policy, nowMs));
        }

        if (m.Retry is { } rules && rules != task.Retry)
        {
            events.Add(new RetryRulesChanged(task.Id, rules, nowMs));
        }

        return new Decision(events, () => new Accepted(Math.Min(events.Count, 1)));
    }

    public static Decision Reopen(this UserQueueState state, SendToMissed m, long nowMs)
    {
        if (state.Task(m.Task) is not { } task)
        {
            return UserQueueDecisions.NoSuchTask(m.Task);
        }

        var missed = Missed(task, m.Cancelled, RecipientState.Cancelled) + Missed(task, m.Skipped, RecipientState.Skipped);
        if (missed == 0)
        {
            return Decision.Answer(new Accepted(0));
        }

        return task.Phase is TaskPhase.Running or TaskPhase.Paused
            ? UserQueueDecisions.WrongState(task, "send to those missed before it is finished or cancelled")
            : InTime(task, new MissedReopened(m.Task, Seqs(task, m.Cancelled, RecipientState.Cancelled), Seqs(task, m.Skipped, RecipientState.Skipped), nowMs), missed, nowMs);
    }

    public static Decision Resolve(this UserQueueState state, ResolveUnknown m, long nowMs)
    {
        if (state.Task(m.Task) is not { } task)
        {
            return UserQueueDecisions.NoSuchTask(m.Task);
        }

        var seqs = SeqRange.Of(m.Seqs is { } asked ? asked.SelectMany(range => Unknown(task, range)) : task.Recipients.All(RecipientState.Unknown));
        return seqs.Length == 0 ? Decision.Answer(new Accepted(0))
            : m.As == UnknownVerdict.Resend && task.Phase == TaskPhase.Cancelled ? UserQueueDecisions.WrongState(task, "send a mail again")
            : m.As == UnknownVerdict.Resend ? InTime(task, new UnknownResolved(m.Task, m.As, seqs, m.By, nowMs, m.Why), seqs.Sum(range => range.Count), nowMs)
            : Decision.Of(new UnknownResolved(m.Task, m.As, seqs, m.By, nowMs, m.Why), new Accepted(seqs.Sum(range => range.Count)));
    }

    private static IEnumerable<int> Unknown(QueuedTask task, SeqRange range)
    {
        for (var seq = task.Recipients.First(RecipientState.Unknown, range.First, range.Last); seq is { } found; seq = task.Recipients.First(RecipientState.Unknown, found + 1, range.Last))
        {
            yield return found;
        }
    }

    private static int Missed(QueuedTask task, bool wanted, RecipientState state) => wanted ? task.Recipients.Count(state) : 0;

    private static SeqRange[] Seqs(QueuedTask task, bool wanted, RecipientState state) => wanted ? SeqRange.Of(task.Recipients.All(state)) : [];
}
