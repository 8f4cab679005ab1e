using System.Text;
using Edm.Contracts;
using Edm.Engine.Queues;
using Edm.Engine.Tests.Contracts;
using Xunit;

namespace Edm.Engine.Tests.Queues;

/// <summary>One step of a random life of a queue; the numbers choose among what there is at that moment.</summary>
internal readonly record struct QueueStep(int Kind, int A, int B, int C);

/// <summary>
/// Drives one <see cref="UserQueueState"/> as its actor does (decide, journal, apply, consequences) and holds it, after every step, against everything that
/// must be true. The journal is kept as bytes.
/// </summary>
internal sealed class QueueWorld
{
    public const long Start = 1_767_323_045_000;

    /// <summary>Tasks are called 1 to this.</summary>
    private const int Names = 12;

    private static readonly UserId User = new(42);

    /// <summary>A lease that this queue has never given.</summary>
    private static readonly LeaseNr Never = new(1000);
    private static readonly PoolId[] Pools = [new(1), new(2)];
    private static readonly LaneId[] AllLanes = [new(Pools[0], 0), new(Pools[0], 1), new(Pools[1], 0), new(Pools[1], 1), new(Pools[1], 2)];

    private readonly UserQueueLimits limits;
    private readonly List<IUserQueueEvent> journal = [];
    private readonly List<IForUserQueue> said = [];
    private readonly Dictionary<TaskId, QueueTask> launches = [];
    private readonly Dictionary<LaneId, (long Epoch, long Nr)> pulls = [];
    private readonly StringBuilder story = new();
    private readonly QueueModel model;
    private UserQueueState state;
    private long commit = 1;

    public QueueWorld(UserQueueLimits limits)
    {
        this.limits = limits;
        (state, model) = (new UserQueueState(User, limits), new QueueModel(limits));
    }

    public long NowMs { get; private set; } = Start;

    public string Story => story.ToString();

    public void Do(QueueStep step)
    {
        switch (step.Kind % 25)
        {
            case 0 or 1: Launch(step); break;
            case 2 or 3 or 4 or 5 or 6: Say(NextPull(Choose(AllLanes, step.A), 1 + (step.B % 8))); break;
            case 7: // The lane starts anew: what it has pulled is forgotten.
                pulls[Choose(AllLanes, step.A)] = (1_000_000 + journal.Count, 0);
                break;
            case 8 or 9 or 10 or 11: SayOutcomes(step); break;
            case 12: SayReturned(step); break;
            case 13: SayNotHeld(step); break;
            case 14: Say(Choose<IForUserQueue>([new PauseTask(User, Task(step)), new ResumeTask(User, Task(step)), new ResumeTask(User, Task(step))], step.B)); break;
            case 15 when step.C % 3 == 0: Say(new CancelTask(User, Task(step))); break;
            case 15 or 16: Say(new RetryFailed(User, Task(step))); break;
            case 17 when said.Count > 0: Say(said[step.A % said.Count]); break;
            case 18: Wait(Choose([1, 5_000, 60_000, 600_000, 86_400_000], step.A)); break;
            case 20: Say(new ChangeTask(User, Task(step), step.B % 3 == 0 ? 1 + (step.B % 100) : null, step.C % 3 == 0 ? null : new TaskCap(step.C % 5 == 0 ? null : step.C % 9), step.B % 2 == 0 ? null : (UnknownPolicy)(step.C % 2), step.A % 3 == 0 ? Rules(new Random(step.B + (31 * step.C))) : null)); break;
            case 21: Say(new SendToMissed(User, Task(step), step.B % 3 > 0, step.B % 3 < 2)); break;
            case 22 or 23: SayResolved(step); break;
            case 24 when model.Gone.Count > 0: BringBack(Choose([.. model.Gone], step.A)); break;
            case 19 when step.B % 4 == 0: Restart(step.A % 2 == 0); break;
            default: SayNonsense(step); break;
        }
    }

    public void Wait(long ms)
    {
        story.AppendLine($"wait {ms} ms");
        NowMs += ms;
        Settle();
        CheckState();
    }

    private void Settle()
    {
        for (var consequences = state.Consequences(NowMs); consequences.Count > 0; consequences = state.Consequences(NowMs))
        {
            Record(consequences);
        }
    }

    /// <summary>Every message is said twice: the second time it must change nothing.</summary>
    public IEdmMessage? Say(IForUserQueue message)
    {
        story.AppendLine($"{message}{(message is Outcomes o ? string.Join<Outcome>(", ", o.Items) : "")}");
        said.Add(message);
        var before = model.Pending;
        var decision = state.Decide(message, NowMs);
        CheckLaunch(message, decision);
        Assert.All(
            decision.Events.OfType<LeaseReturned>(),
            e => Assert.Equal(state.Lease(e.Lease)!.Lane, message switch { Returned m => m.Lane, LeasesNotHeld m => m.Lane, _ => default }));
        Record(decision.Events);
        var reply = decision.Reply();
        Assert.True(reply is not Batch given || given.More == state.HasDueWork(given.Lane, NowMs), "a batch does not say rightly whether there is more");
        Settle();
        var again = state.Decide(message, NowMs);
        Assert.Empty(again.Events);
        if (message is Pull pull && reply is Batch { Lease: not null })
        {
            Assert.Equivalent(reply, again.Reply(), strict: true);
            var echo = state.Decide(pull with { Nr = pull.Nr - 1 }, NowMs);
            Assert.True(echo.Events.Count == 0 && echo.Reply() is null, "an older pull was answered after a newer one");
        }

        CheckReply(message, reply, decision.Events);
        CheckState();
        Assert.True(model.Pending <= Math.Max(before, limits.MaxPending) + Leased(), "the pending queue outgrew its bound");
        return reply;
    }

    /// <summary>What is known is not begun again, what may have been forgotten is refused, and everything else is begun.</summary>
    private void CheckLaunch(IForUserQueue message, Decision decision)
    {
        if (message is QueueTask launch)
        {
            var isForgotten = !model.Remembers(launch.Task) && launch.LaunchedAtMs <= model.ForgottenUpToMs;
            Assert.Equal(!model.Remembers(launch.Task) && !isForgotten, decision.Events.Count == 1);
            Assert.True(!isForgotten || decision.Reply() is Refused { Code: RefusalCode.Forgotten }, "a task that may be forgotten was not refused");
            Assert.True(!model.Remembers(launch.Task) || decision.Reply() is Accepted { Changed: 0 }, "a task that is known was not acknowledged");
        }
    }

    private int Leased() => model.Recipients.Count(r => r.Recipient.State == RecipientState.Leased) + limits.MaxBatch;

    private void Record(IEnumerable<IUserQueueEvent> events)
    {
        foreach (var happened in events)
        {
            story.AppendLine($"  => {happened} {Encoding.UTF8.GetString(SharedSerializer.Instance.ToBinary(happened))}");
            model.Apply(happened, NowMs);
            state.Apply(happened);
            journal.Add(SharedSerializer.Copy(happened));
        }
    }

    private static void CheckReply(IForUserQueue message, IEdmMessage? reply, IReadOnlyList<IUserQueueEvent> events)
    {
        switch (message)
        {
            case Pull pull when reply is Batch batch:
                Assert.Equal((pull.User, pull.Lane, pull.Epoch, pull.Nr), (batch.User, batch.Lane, batch.Epoch, batch.Nr));
                Assert.Equal(batch.Lease is not null, batch.Fresh.Length + batch.Retries.Length > 0);
                break;
            case Pull:
                Assert.True(reply is null && events.Count == 0, "a pull was answered with something else than a batch");
                break;
            case Outcomes outcomes when outcomes.Items.Any(i => i.Lease == Never): Assert.True(reply is null && events.Count == 0, "an outcome of another incarnation's lease was confirmed"); break;
            case Outcomes outcomes: Assert.Equal(new OutcomesAcked(outcomes.Lane, outcomes.User, outcomes.UpToCommit), reply); break;
            case Returned or LeasesNotHeld: Assert.Null(reply); break;
            default: Assert.True(reply is Accepted or Refused); break;
        }

        Assert.True(reply is not Refused || events.Count == 0, "a refusal changed something");
    }

    private void CheckState()
    {
        var snapshot = Bytes(state.ToSnapshot());
        var replayed = new UserQueueState(User, limits);
        journal.ForEach(replayed.Apply);
        Assert.Equal(snapshot, Bytes(replayed.ToSnapshot()));
        Assert.Equal(snapshot, Bytes(Restored().ToSnapshot()));

        Assert.Equal(model.Tasks.Select(t => t.Id), state.Tasks.Select(t => t.Id));
        Assert.Equal(model.Tasks.Where(t => !t.IsFinished).Select(t => t.Id), state.Unfinished.Select(t => t.Id));
        Assert.True(model.Tasks.Count(t => t.IsFinished) <= limits.MaxFinishedTasks);
        Assert.Equal(model.Archive.Select(t => t.Value).Order(), state.ToSnapshot().Archive!.Tasks.Select(t => t.Task.Value).Order());
        Assert.True(state.Archive.Count <= limits.MaxArchivedTasks);
        Assert.Equal(model.Pending, state.PendingCount);
        foreach (var expected in model.Tasks)
        {
            var task = state.Task(expected.Id)!;
            Assert.Equal((expected.Phase, expected.Priority, expected.Cap, expected.Unknown, expected.Retry), (task.Phase, task.Priority, task.Cap, task.Unknown, task.Retry));
            Assert.True(expected.IsFinished || expected.Phase == TaskPhase.Cancelled || !expected.IsOver(NowMs), $"task {expected.Id} goes on after its time");
            Assert.Equal(expected.HandedOut, task.HandedOut);
            Assert.Equal(expected.Recipients.Select(r => r.State), Enumerable.Range(1, expected.Recipients.Length).Select(seq => task.Recipients[seq]));
            Assert.Equal(expected.Counts(), task.Recipients.Counts());
            Assert.Equal(task.Recipients.Planned, task.Recipients.Counts().Sum());
            Assert.DoesNotContain(expected.Recipients, r => r.State == RecipientState.PendingRetry && expected.IsTooLate(r, NowMs));
            Assert.Equal(expected.IsSettled, expected.IsFinished);
            Assert.Equal(expected.IsFinished, task.FinishedAtMs is not null);
            Assert.Equal(
                expected.Recipients.Select((r, i) => (Seq: i + 1, r)).Where(r => r.r.State == RecipientState.PendingRetry).Select(r => (r.Seq, r.r.Attempt, r.r.DueMs, r.r.FirstMs)),
                task.Pending.ToSnapshot().Select(p => (p.Seq, p.Attempt, p.DueMs, p.FirstMs)).OrderBy(p => p.Seq));
        }

        // Each leased recipient is in exactly one open lease, and nobody else is in any.
        Assert.Equal(
            model.Recipients.Where(r => r.Recipient.State == RecipientState.Leased).Select(r => (r.Recipient.Lease.Value, r.Task.Id.Value, r.Seq, r.Recipient.Attempt, r.Recipient.FirstMs, r.Recipient.Lane.ToString())).Order(),
            Restored().Leases.SelectMany(l => l.Seqs.Select(seq => (l.Nr.Value, l.Task.Value, seq, l.TryGet(seq, out var leased) ? leased.Attempt : 0, leased.FirstMs, l.Lane.ToString()))).Order());
        CheckDemand();
    }

    /// <summary>What the queue announces is what a pull would get, and when nothing is due it knows when something will be.</summary>
    private void CheckDemand()
    {
        foreach (var lane in AllLanes)
        {
            var wouldGet = state.Decide(new Pull(User, lane, -1, 1, 1), NowMs).Events.Count > 0;
            Assert.Equal(wouldGet, state.HasDueWork(lane, NowMs));
            Assert.Equal(wouldGet, state.LanesWithDueWork(NowMs).Contains(lane));
        }

        var waits = model.Tasks.Any(t => t.Phase == TaskPhase.Running && t.Recipients.Any(r => r.State == RecipientState.PendingRetry || (r.State == RecipientState.Waiting && !(t.HandedOut >= t.Cap))));
        if (waits && !state.LanesWithDueWork(NowMs).Any())
        {
            var next = state.NextDueMs(NowMs);

            // A full pending queue of paused tasks holds the others up until somebody resumes or cancels.
            Assert.True(next > NowMs || state.PendingCount >= limits.MaxPending, "something waits and nobody will ever look again");
        }
    }

    /// <summary>Resumes everything, loses nothing any more, sends everything: now all must end.</summary>
    public void Finish()
    {
        foreach (var task in model.Tasks.Where(t => t.Phase == TaskPhase.Paused).ToArray())
        {
            Say(new ResumeTask(User, task.Id));
        }

        foreach (var task in model.Tasks.Where(t => t.Cap is not null).ToArray())
        {
            Say(new ChangeTask(User, task.Id, null, new TaskCap()));
        }

        for (var round = 0; round < 500 && model.Tasks.Any(t => !t.IsFinished); round++)
        {
            foreach (var lane in AllLanes)
            {
                Say(NextPull(lane, 500));
            }

            foreach (var lease in state.Leases.ToArray())
            {
                Say(new Outcomes(User, lease.Lane, commit++, [.. lease.Seqs.Select(seq => Of(lease, seq, OutcomeKind.Sent))]));
            }

            Wait((state.NextDueMs(NowMs) ?? NowMs) - NowMs);
        }

        Assert.All(model.Tasks, t => Assert.True(t.IsFinished, $"task {t.Id} never ends"));
        Assert.False(state.HasUnfinished);
        Assert.Empty(state.Leases);
        Assert.All(launches.Values.Where(launch => model.Ever.Contains(launch.Task)), launch => Assert.Empty(state.Decide(launch, NowMs).Events));
    }

    private UserQueueState Restored() => UserQueueState.From(User, limits, SharedSerializer.Copy(state.ToSnapshot()));

    private void Restart(bool fromSnapshot)
    {
        story.AppendLine($"restart {(fromSnapshot ? "from the snapshot" : "from the journal")}");
        if (fromSnapshot)
        {
            state = Restored();
        }
        else
        {
            state = new UserQueueState(User, limits);
            journal.ForEach(state.Apply);
        }
    }

    /// <summary>As its actor does before a command for an archived task.</summary>
    private void BringBack(ModelTask task)
    {
        Assert.Equal(task.Id, state.Wanted(new RetryFailed(User, task.Id)));
        var stored = task.Stored(NowMs);
        Record([state.Restore(stored, NowMs)!]);
        Assert.Null(state.Restore(stored, NowMs));
        Settle();
        CheckState();
    }

    /// <summary>A task is launched, and in one case of four the message is lost: it comes later, or never. Or one that was launched before comes once more.</summary>
    private void Launch(QueueStep step)
    {
        // A user's launches have ascending times.
        var task = NewTask(step, launches.TryGetValue(Task(step), out var first) ? first.LaunchedAtMs : Math.Max(NowMs, launches.Values.Select(l => l.LaunchedAtMs + 1).DefaultIfEmpty().Max()));
        if (launches.TryAdd(task.Task, task) && step.C % 4 == 0)
        {
            story.AppendLine($"launched, not heard: {task}");
            said.Add(task);
            return;
        }

        Say(task);
    }

    private static QueueTask NewTask(QueueStep step, long launchedAtMs)
    {
        var segments = new List<Segment>();
        var random = new Random((step.A * 31) + (step.B * 7) + step.C);
        for (var (i, next) = (0, 1); i < random.Next(4); i++)
        {
            var range = new SeqRange(next, next + random.Next(6));
            segments.Add(new Segment(range, random.Next(3) == 0 ? random.Next(2) : null, random.Next(3) == 0 ? Start + random.Next(100_000) : null));
            next = range.Last + 1;
        }

        return new QueueTask(
            User, Task(step), Pools[step.B % 2], 2 + (step.B % 2), 1 + (step.C % 100), [.. segments],
            Rules(random), (UnknownPolicy)random.Next(2), launchedAtMs,
            random.Next(3) == 0 ? random.Next(8) : null);
    }

    private static RetryRules Rules(Random random) =>
        new(1 + random.Next(4), 10, 100, Choose([30, 100_000], random.Next(2)), random.Next(4) == 0 ? Choose([60, 700, 90_000], random.Next(3)) : null);

    private Pull NextPull(LaneId lane, int max)
    {
        var (epoch, nr) = pulls.GetValueOrDefault(lane, (1, 0));
        pulls[lane] = (epoch, nr + 1);
        return new Pull(User, lane, epoch, nr + 1, max);
    }

    private static TaskId Task(QueueStep step) => new(1 + (step.A % Names));

    private OpenLease? Lease(int n) => state.Leases.Any() ? state.Leases.ElementAt(n % state.Leases.Count()) : null;

    private void SayOutcomes(QueueStep step)
    {
        if (Lease(step.A) is { } lease)
        {
            var random = new Random((step.B * 31) + step.C);
            Say(new Outcomes(User, lease.Lane, commit++, [.. lease.Seqs.Where(_ => random.Next(3) > 0).Select(seq =>
                Of(lease, seq, Choose([OutcomeKind.Sent, OutcomeKind.Failed, OutcomeKind.Deferred, OutcomeKind.Postponed, OutcomeKind.Unknown, OutcomeKind.Skipped], random.Next(6)),
                random.Next(3) == 0 ? null : NowMs + random.Next(40_000)))]));
        }
    }

    /// <param name="atMs">For one that is postponed: until when. For one that is deferred: when another service may have it.</param>
    private static Outcome Of(OpenLease lease, int seq, OutcomeKind kind, long? atMs = null)
    {
        var attempt = lease.TryGet(seq, out var leased) ? leased.Attempt : 0;
        var outcome = new Outcome(lease.Task, lease.Nr, seq, attempt, kind, Start, new ServiceId(1 + attempt), Reason: "because");
        return kind switch
        {
            OutcomeKind.Postponed => outcome with { NotBeforeMs = atMs, Provider = seq % 4 == 0 ? null : seq % 4 },
            OutcomeKind.Deferred => outcome with { ElsewhereMs = atMs, Unwanted = atMs is null ? null : true },
            _ => outcome,
        };
    }

    private void SayResolved(QueueStep step)
    {
        SeqRange[]? seqs = (step.B % 4) switch
        {
            0 => null,
            1 => [],
            2 => [new SeqRange(1 + (step.C % 5), 3 + (step.C % 7))],
            _ => [new SeqRange(1, 2), new SeqRange(2, 4), new SeqRange(40, 90)],
        };
        Say(new ResolveUnknown(User, Task(step), (UnknownVerdict)(step.C % 3), "key 1", seqs));
    }

    private void SayReturned(QueueStep step)
    {
        if (Lease(step.A) is { } lease)
        {
            Say(new Returned(User, lease.Lane, lease.Nr, [new SeqRange(1 + (step.B % 4), 1 + (step.B % 4) + (step.C % 6))]));
        }
    }

    private void SayNotHeld(QueueStep step)
    {
        if (Lease(step.A) is { } lease)
        {
            Say(new LeasesNotHeld(User, lease.Lane, [lease.Nr, .. state.Leases.Where(l => l.Lane == lease.Lane && step.B % 2 == 0).Select(l => l.Nr)]));
        }
    }

    /// <summary>Messages of a lane that mixes up who it is and what it holds.</summary>
    private void SayNonsense(QueueStep step)
    {
        var lane = Choose(AllLanes, step.A);
        var lease = new LeaseNr(Math.Min(step.B % 12, state.NextLease.Value - 1));
        var outcome = new Outcome(new TaskId(step.C % 9), lease, step.A % 9, 1, OutcomeKind.Sent, NowMs);
        Say(Choose<IForUserQueue>(
            [
                new Outcomes(User, lane, commit++, [outcome with { Lease = Never }, outcome]),
                new Returned(User, lane, lease, [new SeqRange(1, 9)]),
                new LeasesNotHeld(User, lane, [lease, lease]),
                new PauseTask(User, new TaskId(99)),
            ],
            step.C));
        if (Lease(step.B) is { } open)
        {
            var real = Of(open, open.Seqs.First(), OutcomeKind.Deferred);
            var others = AllLanes.First(l => l != open.Lane);
            Say(new Outcomes(User, others, commit++, [real]));
            Say(new Outcomes(User, open.Lane, commit++, [real with { Task = new TaskId(99) }, real with { Task = new TaskId(1 + (open.Task.Value % Names)) }, real with { Seq = 999 }]));
            Say(new Returned(User, others, open.Nr, [new SeqRange(1, 9)]));
            Say(new LeasesNotHeld(User, others, [open.Nr]));
            Say(new Outcomes(User, open.Lane, commit++, [real with { Attempt = 77 }, real, real with { Kind = OutcomeKind.Sent }]));
        }
    }

    private static byte[] Bytes(UserQueueSnapshot snapshot) => SharedSerializer.Instance.ToBinary(snapshot);

    private static T Choose<T>(T[] from, int n) => from[n % from.Length];
}
