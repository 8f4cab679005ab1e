using Edm.Contracts;

namespace Edm.Engine.Dispatch;

/// <summary>
/// Which recipients the lane holds, and which of them a connection has asked to start. The copies in the stream are only hints: a mail starts if, and
/// only if, this book still holds it. Pure; bounded by the batches that the lane pulls.
/// </summary>
public sealed class LaneBook
{
    private readonly Dictionary<(UserId User, LeaseNr Lease), HeldLease> leases = [];

    /// <summary>Recipients held, started ones included.</summary>
    public int Held { get; private set; }

    public int StartedCount { get; private set; }

    public bool Holds(UserId user, LeaseNr lease) => leases.ContainsKey((user, lease));

    public void Add(Batch batch)
    {
        if (batch.Lease is not { } nr)
        {
            return;
        }

        var held = new HeldLease(batch.Task);
        foreach (var seq in batch.Fresh.SelectMany(r => Enumerable.Range(r.First, r.Count)).Concat(batch.Retries.Select(r => r.Seq)))
        {
            held.Started.Add(seq, false);
        }

        if (held.Started.Count > 0 && leases.TryAdd((batch.User, nr), held))
        {
            Held += held.Started.Count;
        }
    }

    /// <summary>A mail that was started before this incarnation of the lane and is still on its way.</summary>
    public void AddStarted(StartedMail mail)
    {
        if (!leases.TryGetValue((mail.User, mail.Lease), out var held))
        {
            leases.Add((mail.User, mail.Lease), held = new HeldLease(mail.Task));
        }

        if (held.Started.TryAdd(mail.Seq, true))
        {
            Held++;
            StartedCount++;
        }
    }

    /// <summary>True once, for a mail that is held and not started: from now on only its outcome can release it.</summary>
    public bool TryStart(MailKey key)
    {
        if (!leases.TryGetValue((key.User, key.Lease), out var held) || !held.Started.TryGetValue(key.Seq, out var started) || started)
        {
            return false;
        }

        held.Started[key.Seq] = true;
        StartedCount++;
        return true;
    }

    /// <summary>True for a mail that is held, started or not: what became of it is known, so it is not given back any more.</summary>
    public bool End(MailKey key)
    {
        if (!IsHeld(key))
        {
            return false;
        }

        TryStart(key);
        return true;
    }

    /// <summary>Its outcome is durable, or it was given back; false when it is not held (any more).</summary>
    public bool Release(MailKey key)
    {
        if (!leases.TryGetValue((key.User, key.Lease), out var held) || !held.Started.Remove(key.Seq, out var started))
        {
            return false;
        }

        Held--;
        StartedCount -= started ? 1 : 0;
        if (held.Started.Count == 0)
        {
            leases.Remove((key.User, key.Lease));
        }

        return true;
    }

    public bool IsHeld(MailKey key) => leases.TryGetValue((key.User, key.Lease), out var held) && held.Started.ContainsKey(key.Seq);

    /// <summary>Gives up what is not started of the task's leases up to <paramref name="upTo"/>, and says what that was.</summary>
    public IReadOnlyList<Returned> Recall(LaneId lane, UserId user, TaskId task, LeaseNr upTo) =>
        GiveUp(lane, l => l.User == user && l.Lease.Value <= upTo.Value && leases[l].Task == task);

    /// <summary>Gives up everything that is not started.</summary>
    public IReadOnlyList<Returned> GiveUpAll(LaneId lane) => GiveUp(lane, _ => true);

    private List<Returned> GiveUp(LaneId lane, Predicate<(UserId User, LeaseNr Lease)> which)
    {
        var returned = new List<Returned>();
        foreach (var id in leases.Keys.Where(id => which(id)).ToArray())
        {
            var seqs = leases[id].Started.Where(s => !s.Value).Select(s => s.Key).ToArray();
            if (seqs.Length > 0)
            {
                returned.Add(new Returned(id.User, lane, id.Lease, SeqRange.Of(seqs)));
                foreach (var seq in seqs)
                {
                    Release(new MailKey(id.User, id.Lease, seq));
                }
            }
        }

        return returned;
    }

    private sealed class HeldLease(TaskId task)
    {
        public TaskId Task { get; } = task;

        /// <summary>By seq: has a connection asked to start it?</summary>
        public Dictionary<int, bool> Started { get; } = [];
    }
}
