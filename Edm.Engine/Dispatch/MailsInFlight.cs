using System.Collections.Concurrent;
using Edm.Contracts;

namespace Edm.Engine.Dispatch;

/// <summary>
/// The mails of this process that are on the wire or whose outcome is not journaled yet. It outlives a CentralQueue that stops because its journal
/// can't be written: the next incarnation on this node learns here what became of them, so a database that is away for a while makes no unknown outcomes.
/// Bounded by the open connections.
/// </summary>
public sealed class MailsInFlight
{
    private readonly ConcurrentDictionary<(LaneId, MailKey), TaskCompletionSource<EndedMail>> mails = [];

    /// <returns>Where to put the outcome.</returns>
    public TaskCompletionSource<EndedMail> Begin(LaneId lane, MailKey key)
    {
        var outcome = new TaskCompletionSource<EndedMail>(TaskCreationOptions.RunContinuationsAsynchronously);
        return mails.TryAdd((lane, key), outcome) ? outcome : throw new InvalidOperationException($"Lane {lane} is sending {key} already.");
    }

    /// <summary>The outcome, perhaps still to come; null when this process never put the mail on the wire.</summary>
    public Task<EndedMail>? Find(LaneId lane, MailKey key) => mails.TryGetValue((lane, key), out var outcome) ? outcome.Task : null;

    /// <summary>Its outcome is durable.</summary>
    public void Forget(LaneId lane, MailKey key) => mails.TryRemove((lane, key), out _);

    /// <summary>A write whose success was not heard of: the outcomes of all but <paramref name="open"/> are durable after all.</summary>
    public void ForgetAllBut(LaneId lane, IEnumerable<MailKey> open)
    {
        var keep = open.ToHashSet();
        foreach (var (of, key) in mails.Keys.Where(m => m.Item1 == lane && !keep.Contains(m.Item2)))
        {
            Forget(of, key);
        }
    }

    public int Count => mails.Count;
}
