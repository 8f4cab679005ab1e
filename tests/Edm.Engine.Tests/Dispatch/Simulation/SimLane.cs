using Edm.Contracts;
using Edm.Engine.Dispatch;
using Edm.Engine.Tests.Contracts;
using Xunit;

namespace Edm.Engine.Tests.Dispatch.Simulation;

/// <summary>A mail on the wire, and where its outcome goes.</summary>
internal sealed record SimWire(StartedMail Mail, TaskCompletionSource<EndedMail> Outcome);

/// <summary>A process: what is in its memory outlives a lane that lost its journal, and ends with it.</summary>
internal sealed record SimProcess(long Id)
{
    public MailsInFlight InFlight { get; } = new();

    public List<SimWire> Wires { get; } = [];
}

/// <summary>
/// One incarnation of a CentralQueue with its graph and sinks: the same steps as the actor, around the same pure core. What goes on by itself in actors and
/// streams goes on here when <see cref="Work"/> says so.
/// </summary>
internal sealed class SimLane
{
    private const int Connections = 3;
    private static readonly ServiceId Service = new(1);

    private readonly LaneId lane;
    private readonly SimProcess process;
    private readonly SimJournal<LaneCommitted, LaneSnapshot> journal;
    private readonly MailLog log;
    private readonly Func<long> now;
    private readonly Action<IEdmMessage> tell;
    private readonly Queue<IEdmMessage> stash = new();

    // The graph and the sinks.
    private readonly Queue<Batch> buffer = new();
    private readonly List<StartedMail> loaded = [];
    private readonly Dictionary<MailKey, StartedMail> starters = [];
    private readonly Queue<StartedMail> gos = new();
    private readonly List<Task<EndedMail>> awaited = [];

    /// <summary>Commits of the journal that this incarnation knows.</summary>
    private int known;
    private bool begun;
    private long nextTickMs;

    public SimLane(LaneId lane, int room, SimProcess process, SimJournal<LaneCommitted, LaneSnapshot> journal, MailLog log, Func<long> now, Action<IEdmMessage> tell)
    {
        (this.lane, this.process, this.journal, this.log, this.now, this.tell) = (lane, process, journal, log, now, tell);
        Core = new LaneCore(lane, process.Id, user => 1 + (int)(user.Value * 33 % 100));
        if (journal.Snapshot is { } snapshot)
        {
            Core.Restore(snapshot);
        }

        foreach (var committed in journal.AfterSnapshot)
        {
            Core.Replay(SharedSerializer.Copy(committed));
        }

        known = journal.Length;
        var opening = Core.Opening(now());
        Persist(opening, () =>
        {
            Core.Replay(opening);
            Begin(room);
        });
    }

    public LaneCore Core { get; }

    public SimProcess Process => process;

    public SimWrite? Write { get; private set; }

    public bool IsCurrent => begun && Write is null && known == journal.Length;

    /// <summary>Nothing is under way in it that a step of <see cref="Work"/> would carry on.</summary>
    public bool IsQuiet => Write is null && buffer.Count + loaded.Count + gos.Count == 0 && !awaited.Exists(a => a.IsCompleted) && process.Wires.Count == 0;

    private void Begin(int room)
    {
        begun = true;
        process.InFlight.ForgetAllBut(lane, Core.State.Open.Keys);
        awaited.AddRange(Core.State.Open.Keys.Select(key => process.InFlight.Find(lane, key)).OfType<Task<EndedMail>>());
        Tell(Core.Begin(key => process.InFlight.Find(lane, key) is not null, false, now()));
        Core.AddDemand(room);
        while (stash.TryDequeue(out var message))
        {
            Receive(message);
        }

        Flush();
    }

    /// <summary>Each message comes twice: the second time it must change nothing.</summary>
    public void Receive(IEdmMessage message)
    {
        if (!begun)
        {
            stash.Enqueue(message);
            return;
        }

        switch (message)
        {
            case Ready ready:
                Core.Ready(ready.User);
                break;
            case Batch batch:
                if (Core.Take(batch))
                {
                    buffer.Enqueue(batch);
                }

                Assert.False(Core.Take(batch), "a batch was taken twice");
                break;
            case OutcomesAcked ack:
                Tell(Core.Ack(ack, now()));
                Assert.Null(Core.Ack(ack, now()));
                break;
            case QueryLeases query:
                Tell(Core.Answer(query));
                break;
            case RecallTask recall:
                Tell(Core.Recall(recall));
                Assert.Empty(Core.Recall(recall));
                break;
            default: throw new ArgumentException($"A lane doesn't know {message}.", nameof(message));
        }

        PullMore();
    }

    /// <summary>One of the things that go on in the lane; <paramref name="n"/> chooses.</summary>
    /// <param name="calm">No mail is bad, and the servers take everything.</param>
    public void Work(int n, bool calm)
    {
        for (var i = 0; begun && i < 5 && !TryWork((n + i) % 5, n / 5, calm); i++)
        {
        }

        if (begun)
        {
            Flush();
        }
    }

    private bool TryWork(int kind, int n, bool calm)
    {
        switch (kind)
        {
            case 0 when buffer.TryDequeue(out var batch):
                Load(batch, calm ? null : n);
                return true;
            case 1 when loaded.Count > 0 && starters.Count + gos.Count + process.Wires.Count < Connections:
                Start(loaded[n % loaded.Count], bad: !calm && n % 13 == 0);
                return true;
            case 2 when gos.TryDequeue(out var mail):
                Go(mail);
                return true;
            case 3 when process.Wires.Count > 0:
                Answer(process.Wires[n % process.Wires.Count], calm ? 0 : n / 3);
                return true;
            case 4 when awaited.Find(a => a.IsCompleted) is { } heard:
                awaited.Remove(heard);
                Core.End(heard.Result);
                return true;
            default:
                return false;
        }
    }

    private void Load(Batch batch, int? n)
    {
        Core.AddDemand(1);
        PullMore();
        foreach (var (seq, attempt) in batch.Fresh.SelectMany(r => Enumerable.Range(r.First, r.Count)).Select(seq => (seq, 1)).Concat(batch.Retries.Select(r => (r.Seq, r.Attempt))))
        {
            var mail = new StartedMail(batch.User, batch.Task, batch.Lease!.Value, seq, attempt, Service);
            if ((n + seq) % 13 == 0)
            {
                End(mail, OutcomeKind.Skipped);
            }
            else
            {
                loaded.Add(mail);
            }
        }
    }

    private void Start(StartedMail mail, bool bad)
    {
        loaded.Remove(mail);
        if (bad)
        {
            End(mail, OutcomeKind.Failed);
        }
        else if (Core.TryStart(mail))
        {
            starters.Add(MailKey.Of(mail), mail);
        }
    }

    private void End(StartedMail mail, OutcomeKind kind)
    {
        log.NotTried(mail, kind);
        Core.End(Ended(mail, kind));
    }

    private EndedMail Ended(StartedMail mail, OutcomeKind kind) => new(mail.User, new Outcome(mail.Task, mail.Lease, mail.Seq, mail.Attempt, kind, now(), Service));

    private void Go(StartedMail mail)
    {
        var outcome = process.InFlight.Begin(lane, MailKey.Of(mail));
        process.Wires.Add(new SimWire(mail, outcome));
        awaited.Add(outcome.Task);
        log.OnTheWire(mail, process.Id);
    }

    private void Answer(SimWire wire, int n)
    {
        OutcomeKind[] answers = [OutcomeKind.Sent, OutcomeKind.Deferred, OutcomeKind.Sent, OutcomeKind.Failed, OutcomeKind.Deferred, OutcomeKind.Sent, OutcomeKind.Unknown];
        var answer = answers[n % answers.Length];
        process.Wires.Remove(wire);
        log.Answered(wire.Mail, answer);
        wire.Outcome.SetResult(Ended(wire.Mail, answer));
    }

    public void Tick()
    {
        if (!begun || now() < nextTickMs)
        {
            return;
        }

        nextTickMs = now() + 1000;
        Tell(Core.Repeat(now()));
        Commit(Core.NextAcks(now()));
        PullMore();
        if (Core.IsDraining)
        {
            Drain();
        }
    }

    public void Drain()
    {
        if (begun)
        {
            Tell(Core.Drain());
        }
    }

    public void Save()
    {
        if (IsCurrent)
        {
            journal.Save(Core.State.ToSnapshot(), known);
        }
    }

    private void PullMore() => Tell(Core.PullMore(Connections, double.PositiveInfinity, now()));

    private void Flush() => Commit(Core.NextCommit(now()));

    private void Commit(LaneCommitted? commit)
    {
        if (commit is null)
        {
            return;
        }

        Persist(commit, () =>
        {
            var news = Core.Committed(commit, now());
            foreach (var mail in commit.Started)
            {
                if (starters.Remove(MailKey.Of(mail), out var starter))
                {
                    gos.Enqueue(starter);
                }
            }

            foreach (var mail in commit.Ended)
            {
                process.InFlight.Forget(lane, MailKey.Of(mail));
            }

            Tell(news);
            Flush();
        });
    }

    private void Persist(LaneCommitted commit, Action then)
    {
        Assert.Null(Write);
        Write = new SimWrite(() => journal.TryAppend(known, [commit]), () =>
        {
            known++;
            Write = null;
            then();
        });
    }

    private void Tell(IEdmMessage? message)
    {
        if (message is not null)
        {
            tell(message);
        }
    }

    private void Tell(IEnumerable<IEdmMessage> messages)
    {
        foreach (var message in messages)
        {
            tell(message);
        }
    }
}
