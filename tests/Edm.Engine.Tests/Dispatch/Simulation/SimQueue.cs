using Edm.Contracts;
using Edm.Engine.Queues;
using Edm.Engine.Tests.Contracts;
using Xunit;

namespace Edm.Engine.Tests.Dispatch.Simulation;

/// <summary>One incarnation of a UserQueue: the same steps as the actor, around the same pure core.</summary>
internal sealed class SimQueue
{
    private readonly SimJournal<IUserQueueEvent, UserQueueSnapshot> journal;
    private readonly Func<long> now;
    private readonly Action<IEdmMessage> tell;
    private readonly Queue<IForUserQueue> stash = new();

    /// <summary>Events of the journal that this incarnation knows.</summary>
    private int known;
    private long nextRepeatMs;
    private long? retryDueMs;

    public SimQueue(UserId user, UserQueueLimits limits, SimJournal<IUserQueueEvent, UserQueueSnapshot> journal, Func<long> now, Action<IEdmMessage> tell)
    {
        (this.journal, this.now, this.tell) = (journal, now, tell);
        State = journal.Snapshot is { } snapshot ? UserQueueState.From(user, limits, snapshot) : new UserQueueState(user, limits);
        foreach (var happened in journal.AfterSnapshot)
        {
            State.Apply(SharedSerializer.Copy(happened));
        }

        known = journal.Length;
        Persist([new QueueOpened(1, now())], () =>
        {
            Settle([]);
            Tell(State.Opened(now()));
        });
    }

    public UserQueueState State { get; }

    public SimWrite? Write { get; private set; }

    public bool IsCurrent => Write is null && known == journal.Length;

    public void Receive(IForUserQueue message)
    {
        if (Write is not null)
        {
            stash.Enqueue(message);
            return;
        }

        var decision = State.Decide(message, now());
        Record(decision.Events, () =>
        {
            Assert.Empty(State.Decide(message, now()).Events);
            if (decision.Reply() is { } reply)
            {
                tell(reply);
            }

            Settle(decision.Events);
        });
    }

    public void Tick()
    {
        if (Write is not null)
        {
            return;
        }

        if (retryDueMs <= now())
        {
            Settle([]);
            Tell(State.Announcements(now()));
        }

        if (State.HasUnfinished && now() >= nextRepeatMs)
        {
            nextRepeatMs = now() + 3000;
            Tell(State.Repeats(now()));
        }
    }

    public void Hear()
    {
        Write!.Hear();
        while (Write is null && stash.TryDequeue(out var message))
        {
            Receive(message);
        }
    }

    public void Save()
    {
        if (IsCurrent)
        {
            journal.Save(State.ToSnapshot(), known);
        }
    }

    private void Record(IReadOnlyList<IUserQueueEvent> events, Action then)
    {
        if (events.Count == 0)
        {
            then();
        }
        else
        {
            Persist(events, then);
        }
    }

    private void Persist(IReadOnlyList<IUserQueueEvent> events, Action then) => Write = new SimWrite(() => journal.TryAppend(known, events), () =>
    {
        known += events.Count;
        Write = null;
        foreach (var happened in events)
        {
            State.Apply(happened);
        }

        then();
    });

    private void Settle(IReadOnlyList<IUserQueueEvent> applied)
    {
        var consequences = State.Consequences(now());
        Record(consequences, () =>
        {
            if (consequences.Count > 0)
            {
                Settle(consequences);
            }
        });
        Tell(applied.SelectMany(happened => State.Following(happened, now())));
        retryDueMs = State.NextDueMs(now());
    }

    private void Tell(IEnumerable<IForLane> messages)
    {
        foreach (var message in messages)
        {
            tell(message);
        }
    }
}
