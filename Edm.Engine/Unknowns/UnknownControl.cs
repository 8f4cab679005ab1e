using Edm.Contracts;
using Edm.Engine.Campaigns;
using Edm.Engine.Dispatch;
using Edm.Engine.Services;
using Edm.Engine.Services.Smtp;

namespace Edm.Engine.Unknowns;

/// <summary>What became of Message-IDs that are evidence.</summary>
/// <param name="Resolved">Recipients that were unknown and count as sent now.</param>
/// <param name="Settled">Ids of recipients that were not unknown (any more).</param>
/// <param name="NotMine">Ids that are of no mail of this user.</param>
public sealed record Evidence(int Resolved, int Settled, IReadOnlyList<string> NotMine);

/// <summary>Decides unknown outcomes at the queue of their user, where they are exact. What is answered is durable there; asking again changes nothing.</summary>
public sealed class UnknownControl(TaskControl control, TaskReader reader, UnknownStore unknowns, SecretBox secrets)
{
    /// <summary>Recipients, or Message-IDs, in one request.</summary>
    public const int MaxAtOnce = 10_000;

    private const int MaxWhy = 200;

    /// <param name="seqs">Null: all, or all that may have gone through <paramref name="service"/>.</param>
    /// <param name="by">Who decides, for the recipient's page.</param>
    /// <param name="why">Addresses are cut out of it: the journal holds none.</param>
    /// <returns>How many were unknown and are decided now; null when the user has no such task.</returns>
    /// <exception cref="FieldException">A value can't be used.</exception>
    /// <exception cref="ConflictException">The task's state does not allow it.</exception>
    public async Task<int?> ResolveAsync(
        UserId user, TaskId task, UnknownVerdict verdict, IReadOnlyList<int>? seqs, ServiceId? service, string by, string? why, CancellationToken cancellation)
    {
        if (why is { Length: > MaxWhy })
        {
            throw new FieldException("why", $"A reason is at most {MaxWhy} characters.");
        }

        // A log of a day's mails names many tasks that are long over: those of which nothing is unknown stay in the archive.
        if (await reader.FindAsync(user, task, cancellation) is { State: TaskStates.Finished or TaskStates.Cancelled } over && over.Of(RecipientState.Unknown) == 0)
        {
            return 0;
        }

        if (service is { } through)
        {
            seqs = await unknowns.ThroughAsync(user, task, through, cancellation);
        }

        SeqRange[]? ranges = seqs is null ? null : SeqRange.Of(seqs);
        var words = string.IsNullOrWhiteSpace(why) ? null : ReplyText.Clean(why);
        return await control.CommandAsync(user, task, (owner, id) => new ResolveUnknown(owner, id, verdict, by, ranges, words), cancellation);
    }

    /// <summary>Mails that a relay's log proves delivered.</summary>
    public async Task<Evidence> ProveAsync(UserId user, IReadOnlyList<string> messageIds, string? source, CancellationToken cancellation)
    {
        var notMine = new List<string>();
        var bySeq = new Dictionary<TaskId, Dictionary<int, string>>();
        foreach (var text in messageIds)
        {
            if (!MessageIds.TryRead(text, secrets.Mark, out var task, out var seq))
            {
                notMine.Add(text);
                continue;
            }

            if (!bySeq.TryGetValue(task, out var seqs))
            {
                bySeq.Add(task, seqs = []);
            }

            seqs[seq] = text;
        }

        var (resolved, settled) = (0, 0);
        foreach (var (task, seqs) in bySeq)
        {
            if (await ResolveAsync(user, task, UnknownVerdict.Sent, [.. seqs.Keys], null, "evidence", source, cancellation) is { } changed)
            {
                (resolved, settled) = (resolved + changed, settled + seqs.Count - changed);
            }
            else
            {
                notMine.AddRange(seqs.Values);
            }
        }

        return new Evidence(resolved, settled, notMine);
    }
}
