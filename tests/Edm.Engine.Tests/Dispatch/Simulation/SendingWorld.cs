using System.Globalization;
using System.Text;
using Edm.Contracts;
using Edm.Engine.Dispatch;
using Edm.Engine.Queues;
using Edm.Engine.Tests.Contracts;
using Xunit;

namespace Edm.Engine.Tests.Dispatch.Simulation;

/// <summary>One step of a random life of the whole; the numbers choose among what there is at that moment.</summary>
internal readonly record struct SendingStep(int Kind, int N);

/// <summary>
/// Some queues and lanes, their journals, and the network between them, in virtual time. The network loses, doubles and reorders; any queue and any lane can
/// end at any moment, alone or with its process, or be cut off and go on beside its successor. Only journals survive.
/// </summary>
internal sealed class SendingWorld
{
    public const long Start = 1_767_323_045_000;

    private const int MaxInNetwork = 150;

    private static readonly PoolId Pool = new(1);
    private static readonly UserQueueLimits Limits = new(MaxPending: 4, MaxFinishedTasks: 3, MaxBatch: 3, MaxArchivedTasks: 2);

    private readonly UserId[] users;
    private readonly LaneId[] lanes;
    private readonly int room;
    private readonly MailLog log = new();
    private readonly List<(IEdmMessage? Message, string Text)> story = [];
    private readonly List<IEdmMessage> network = [];
    private readonly Dictionary<UserId, SimJournal<IUserQueueEvent, UserQueueSnapshot>> queueJournals = [];
    private readonly Dictionary<UserId, UserQueueState> queueShadows = [];
    private readonly Dictionary<UserId, SimQueue> queues = [];
    private readonly Dictionary<LaneId, SimJournal<LaneCommitted, LaneSnapshot>> laneJournals = [];
    private readonly Dictionary<LaneId, LaneState> laneShadows = [];
    private readonly Dictionary<LaneId, SimLane> sending = [];

    /// <summary>Cut off from the others: they still believe to be the ones, until the journal refuses them.</summary>
    private readonly List<(UserId User, SimQueue Queue)> oldQueues = [];
    private readonly List<(LaneId Lane, SimLane Sending)> oldLanes = [];
    private readonly List<QueueTask> offered = [];
    private long names = 1;
    private long nowMs = Start;

    public SendingWorld(int users, int lanes, int room)
    {
        this.users = [.. Enumerable.Range(1, users).Select(u => new UserId(u))];
        this.lanes = [.. Enumerable.Range(0, lanes).Select(l => new LaneId(Pool, l))];
        this.room = room;
        foreach (var user in this.users)
        {
            var shadow = queueShadows[user] = new UserQueueState(user, Limits);
            queueJournals[user] = new(happened =>
            {
                shadow.Apply(happened);
                log.Durable(user, happened);
                story.Add((happened, $"user {user} wrote"));
            });
            StartQueue(user);
        }

        foreach (var lane in this.lanes)
        {
            var shadow = laneShadows[lane] = new LaneState();
            laneJournals[lane] = new(committed =>
            {
                shadow.Apply(committed);
                log.Durable(lane, committed);
                story.Add((committed, $"lane {lane} wrote"));
            });
            StartLane(lane, new SimProcess(names++));
        }
    }

    public string Story
    {
        get
        {
            var text = new StringBuilder();
            foreach (var (message, what) in story)
            {
                text.Append(what).Append(' ').Append(message?.GetType().Name);
                text.AppendLine(message is null ? "" : " " + Encoding.UTF8.GetString(SharedSerializer.Instance.ToBinary(message)));
            }

            return text.ToString();
        }
    }

    public void Do(SendingStep step)
    {
        nowMs++;
        var (kind, n) = step;
        var (user, lane) = (users[n % users.Length], lanes[n / 2 % lanes.Length]);
        switch (kind)
        {
            case < 60: Deliver(n % 11 == 0, n / 11); break;
            case < 63 when network.Count > 0: network.RemoveAt(n % network.Count); break;
            case < 120: sending[lane].Work(n / 8, false); break;
            case < 170: WriteOn(n); break;
            case < 180: Wait(new[] { 50, 400, 600, 1000, 2100, 3000, 7000, 20_000 }[n % 8]); break;
            case < 183: NewTask(user, n / 4, false); break;
            case 183 when offered.Count > 0: Tell(offered[n % offered.Count]); break;
            case < 188 when offered.Count > 0: Tell(Command(offered[n % offered.Count], n / 16)); break;
            case 188: Kill(lane); break;
            case 189: LoseJournal(lane); break;
            case 190: CutOff(lane); break;
            case 191: sending[lane].Drain(); break;
            case 192: StartQueue(user); break;
            case 193: CutOff(user); break;
            case 194: queues[user].Save(); break;
            case 195: sending[lane].Save(); break;
            case < 198 when oldLanes.Count > 0: oldLanes[n % oldLanes.Count].Sending.Work(n / 8, false); break;
            default: Deliver(false, 0); break;
        }
    }

    private void StartQueue(UserId user)
    {
        story.Add((null, $"{nowMs - Start} queue {user} begins"));
        queues[user] = new SimQueue(user, Limits, queueJournals[user], () => nowMs, Tell);
        Assert.Equal(Bytes(queueShadows[user].ToSnapshot()), Bytes(queues[user].State.ToSnapshot()));
    }

    private void StartLane(LaneId lane, SimProcess process)
    {
        story.Add((null, $"{nowMs - Start} lane {lane} begins in process {process.Id}"));
        sending[lane] = new SimLane(lane, room, process, laneJournals[lane], log, () => nowMs, Tell);
        Assert.Equal(Bytes(laneShadows[lane].ToSnapshot()), Bytes(sending[lane].Core.State.ToSnapshot()));
    }

    private void Kill(LaneId lane)
    {
        log.Died(sending[lane].Process.Id);
        StartLane(lane, new SimProcess(names++));
    }

    /// <summary>The actor stops because a write failed or was not heard of, and its process goes on.</summary>
    private void LoseJournal(LaneId lane) => StartLane(lane, sending[lane].Process);

    private void CutOff(LaneId lane)
    {
        oldLanes.Add((lane, sending[lane]));
        StartLane(lane, new SimProcess(names++));
    }

    private void CutOff(UserId user)
    {
        oldQueues.Add((user, queues[user]));
        StartQueue(user);
    }

    private void Tell(IEdmMessage message)
    {
        network.Add(SharedSerializer.Copy(message));
        if (network.Count > MaxInNetwork)
        {
            network.RemoveAt(0);
        }
    }

    private void Deliver(bool twice, int n)
    {
        if (network.Count == 0)
        {
            return;
        }

        var message = network[n % network.Count];
        if (!twice)
        {
            network.RemoveAt(n % network.Count);
        }

        // Some still reach the one that was cut off.
        story.Add((message, $"{nowMs - Start} arrives"));
        switch (message)
        {
            case IForUserQueue m:
                ((n % 5 == 0 ? oldQueues.Find(o => o.User == m.User).Queue : null) ?? queues[m.User]).Receive(m);
                break;
            case IForLane m:
                LaneThatHears(m.Lane, n).Receive(m);
                break;
            case Batch m:
                LaneThatHears(m.Lane, n).Receive(m);
                break;
        }
    }

    private SimLane LaneThatHears(LaneId lane, int n) => (n % 5 == 0 ? oldLanes.Find(o => o.Lane == lane).Sending : null) ?? sending[lane];

    /// <summary>One of the writes that are under way becomes durable, or its writer hears of it.</summary>
    private void WriteOn(int n)
    {
        List<(SimWrite Write, Action Hear, Action Stop)> writes =
        [
            .. queues.Where(q => q.Value.Write is not null).Select(q => (q.Value.Write!, (Action)(() => Hear(q.Key)), (Action)(() => StartQueue(q.Key)))),
            .. sending.Where(l => l.Value.Write is not null).Select(l => (l.Value.Write!, (Action)(() => Hear(l.Key)), (Action)(() => LoseJournal(l.Key)))),
            .. oldQueues.Where(o => o.Queue.Write is not null).Select(o => (o.Queue.Write!, (Action)o.Queue.Hear, (Action)(() => oldQueues.Remove(o)))),
            .. oldLanes.Where(o => o.Sending.Write is not null).Select(o => (o.Sending.Write!, (Action)o.Sending.Write!.Hear, (Action)(() => Forget(o)))),
        ];
        if (writes.Count == 0)
        {
            return;
        }

        var (write, hear, stop) = writes[n % writes.Count];
        if (write.IsDurable)
        {
            hear();
        }
        else if (!write.TryAppend())
        {
            stop();
        }
    }

    private void Forget((LaneId Lane, SimLane Sending) old)
    {
        oldLanes.Remove(old);
        log.Died(old.Sending.Process.Id);
    }

    private void Wait(long ms)
    {
        nowMs += ms;
        foreach (var queue in queues.Values)
        {
            queue.Tick();
        }

        foreach (var lane in lanes)
        {
            sending[lane].Tick();
            if (sending[lane].Core.IsDrained)
            {
                Assert.Equal(0, log.OpenIn(lane));
                StartLane(lane, new SimProcess(names++));
            }
        }
    }

    private void NewTask(UserId user, int n, bool calm)
    {
        var (count, split) = (1 + (n % 7), 1 + (n / 7 % 4));
        Segment[] segments = split >= count
            ? [new Segment(new SeqRange(1, count))]
            : [new Segment(new SeqRange(1, split), n % 3 == 0 ? n / 3 % lanes.Length : null), new Segment(new SeqRange(split + 1, count), null, n % 4 == 0 ? nowMs + 5000 : null)];
        var task = new QueueTask(
            user, new TaskId(names++), Pool, lanes.Length, 1 + (n % 5), segments, new RetryRules(3, 5, 20, !calm && n % 6 == 0 ? 8 : 100_000), !calm && n % 5 == 0 ? UnknownPolicy.Resend : UnknownPolicy.Hold,
            nowMs);
        offered.Add(task);
        Tell(task);
    }

    private static IForUserQueue Command(QueueTask to, int n) => (n % 14) switch
    {
        0 => new PauseTask(to.User, to.Task),
        1 or 2 => new ResumeTask(to.User, to.Task),
        3 => new CancelTask(to.User, to.Task),
        4 => new ChangeTask(to.User, to.Task, 1 + (n % 9), new TaskCap(n % 5 == 0 ? null : n % 6)),
        5 => new SendToMissed(to.User, to.Task, n % 3 > 0, n % 3 < 2),
        6 or 7 => new ResolveUnknown(to.User, to.Task, (UnknownVerdict)(n % 3), "key 1", n % 2 == 0 ? null : [new SeqRange(1 + (n % 4), 3 + (n % 4))]),
        _ => new RetryFailed(to.User, to.Task),
    };

    /// <summary>It changes by nothing but this; what it is then is what its journal says.</summary>
    private void Hear(UserId user)
    {
        var queue = queues[user];
        queue.Hear();
        if (queue.IsCurrent)
        {
            Assert.Equal(Bytes(queueShadows[user].ToSnapshot()), Bytes(queue.State.ToSnapshot()));
        }

        CheckSums(queue.State);
    }

    private void Hear(LaneId lane)
    {
        var it = sending[lane];
        it.Write!.Hear();
        if (it.IsCurrent)
        {
            Assert.Equal(Bytes(laneShadows[lane].ToSnapshot()), Bytes(it.Core.State.ToSnapshot()));
        }
    }

    private static void CheckSums(UserQueueState state)
    {
        var leased = state.Leases.SelectMany(l => l.Seqs.Select(seq => (Task: l.Task.Value, Seq: seq))).ToArray();
        Assert.Equal(leased.Distinct().Count(), leased.Length);
        foreach (var task in state.Tasks)
        {
            var states = Enumerable.Range(1, task.Recipients.Planned).Select(seq => task.Recipients[seq]).ToArray();
            Assert.Equal(states.Length, task.Recipients.Counts().Sum());
            Assert.Equal(Enum.GetValues<RecipientState>().Select(s => states.Count(x => x == s)), task.Recipients.Counts());
            Assert.Equal(
                Enumerable.Range(1, states.Length).Where(seq => states[seq - 1] == RecipientState.Leased), leased.Where(l => l.Task == task.Id.Value).Select(l => l.Seq).Order());
        }
    }

    /// <summary>
    /// From here on nothing is lost, nobody ends any more, and servers take everything: now every task must end, in states that fit what really happened, and the
    /// lanes must be as good as new.
    /// </summary>
    public void Finish()
    {
        oldQueues.Clear();
        foreach (var old in oldLanes.ToArray())
        {
            Forget(old);
        }

        Settle(300);
        foreach (var (user, queue) in queues)
        {
            foreach (var task in queue.State.Tasks)
            {
                foreach (var seq in Enumerable.Range(1, task.Recipients.Planned))
                {
                    log.CheckEnd(user, task.Id, seq, task.Recipients[seq]);
                }
            }
        }

        foreach (var user in users)
        {
            NewTask(user, 6, true);
        }

        Settle(20);
        Assert.All(offered.TakeLast(users.Length), task => Assert.Equal(7, queues[task.User].State.Task(task.Task)!.Recipients.Count(RecipientState.Sent)));
    }

    private void Settle(int seconds)
    {
        for (var second = 0; second < seconds && !IsOver; second++)
        {
            Offer();
            for (var step = 0; step < 700 * Math.Max(3, lanes.Length) && !IsQuiet; step++)
            {
                Deliver(false, 0);
                WriteOn(step);
                sending[lanes[step % lanes.Length]].Work(step, true);
            }

            Assert.True(IsQuiet, "messages and writes go on for ever");
            Wait(1000);
        }

        Assert.True(IsOver, string.Create(CultureInfo.InvariantCulture, $"after {seconds} s something still waits"));
    }

    /// <summary>As the Launcher does until its offer is acknowledged; and nothing stays paused.</summary>
    private void Offer()
    {
        foreach (var task in offered.Where(t => !IsGone(t)))
        {
            switch (queueShadows[task.User].Task(task.Task)?.Phase)
            {
                case TaskPhase.Running when queueShadows[task.User].Task(task.Task)!.IsAtCap: Tell(new ChangeTask(task.User, task.Task, null, new TaskCap())); break;
                case null: Tell(task); break;
                case TaskPhase.Paused: Tell(new ResumeTask(task.User, task.Task)); break;
            }
        }
    }

    /// <summary>Archived; or it may have been and is forgotten, so that its queue begins it no more.</summary>
    private bool IsGone(QueueTask task)
    {
        var queue = queueShadows[task.User];
        return queue.Task(task.Task) is null && (queue.Archive.Contains(task.Task) || queue.Archive.MayHaveForgotten(task.LaunchedAtMs));
    }

    private bool IsQuiet => network.Count == 0 && queues.Values.All(q => q.Write is null) && sending.Values.All(l => l.IsQuiet);

    private bool IsOver => IsQuiet
        && offered.All(t => queueShadows[t.User].Task(t.Task) is { FinishedAtMs: not null } || IsGone(t))
        && laneShadows.Values.All(l => l.Open.Count == 0) && sending.Values.All(l => l.Core.State.UnackedCount == 0);

    private static byte[] Bytes(IEdmMessage snapshot) => SharedSerializer.Instance.ToBinary(snapshot);
}
