using Edm.Contracts;
using Edm.Engine.Dispatch;
using Edm.Engine.Queues;
using Edm.Engine.Services.Limits;

namespace Edm.Engine.Tests.Dispatch.Simulation.Day;

/// <summary>
/// A lane, its graph and the queues of its users: the same steps as actors and stages, around the same pure cores (<see cref="LaneCore"/>, <see cref="MailBinding{TMail}"/>,
/// <see cref="UserQueueState"/>). Messages arrive at once and none is lost, which <see cref="SendingWorld"/> is for; a commit takes its time.
/// </summary>
internal sealed class SimLaneOfADay
{
    private const long CommitMs = 5;

    private readonly LaneId lane = new(new PoolId(1), 0);
    private readonly SimAgenda agenda;
    private readonly LaneCore core;
    private readonly MailBinding<SimMail> binding;
    private readonly Dictionary<ServiceId, SimService> services = [];
    private readonly Dictionary<UserId, UserQueueState> queues = [];
    private readonly Dictionary<MailKey, (SimMail Mail, SimService Service)> starters = [];

    // The graph: batches in FairMerge, and mails of the batch that was loaded.
    private readonly Queue<Batch> batches = [];
    private readonly Queue<SimMail> loaded = [];
    private int connections;
    private double perSecond;
    private bool isBinding;

    public SimLaneOfADay(SimAgenda agenda)
    {
        this.agenda = agenda;
        core = new LaneCore(lane, process: 1);
        binding = new MailBinding<SimMail>((mail, service, _) => services[service].Offer(mail), GiveBack);
        core.Replay(core.Opening(agenda.NowMs));
        core.Begin(_ => false, false, agenda.NowMs);
        core.AddDemand(FairMerge.Room);
        agenda.Every(1_000, Tick);
        agenda.Every(60_000, Repeat);
    }

    public IReadOnlyCollection<SimService> Services => services.Values;

    /// <summary>Is told of each mail that goes onto the wire.</summary>
    public Action<SimMail> OnTheWire { get; init; } = _ => { };

    /// <summary>The recipient's provider, by seq.</summary>
    public Func<int, MailboxProvider> ProviderOf { get; init; } = seq => (MailboxProvider)(seq % MailboxProviders.Count);

    /// <summary>Mails that went back because no service might send to their provider.</summary>
    public int GivenBack { get; private set; }

    public RecipientLedger Of(UserId user) => queues[user].Tasks.Single().Recipients;

    public IEnumerable<int> SentByUser => queues.Values.Select(queue => queue.Tasks.Sum(task => task.Recipients.Count(RecipientState.Sent)));

    /// <summary>Of every recipient of every user.</summary>
    public int InState(RecipientState state) => queues.Values.Sum(queue => queue.Tasks.Sum(task => task.Recipients.Count(state)));

    public void Add(SimTerms terms, Random random)
    {
        var service = new SimService(agenda, terms, random, this);
        services.Add(service.Id, service);
        connections += terms.Settings.Connections;
        perSecond += terms.Settings.PerMinute / 60.0 ?? double.PositiveInfinity;
        agenda.After(0, service.GrantMore);
    }

    public void Add(UserId user, int recipients)
    {
        queues.Add(user, new UserQueueState(user, UserQueueLimits.Default));
        Deliver(new QueueTask(
            user, new TaskId(user.Value), lane.Pool, 1, 1, [new Segment(new SeqRange(1, recipients))], RetryRules.Default, UnknownPolicy.Hold, agenda.NowMs));
    }

    // What a ServiceSink says to SelectService.
    public void Granted(ServiceId service, Standing standing, int more)
    {
        binding.Credits.Grant(service, standing, more);
        Bind();
    }

    public void Revoked(ServiceId service) => binding.Credits.Revoke(service);

    public void Rebound(SimMail mail)
    {
        binding.PutAside(mail, agenda.NowMs);
        agenda.After(0, Bind);
    }

    /// <summary>What SelectService does: as long as somebody has credit, the next mail goes to the best.</summary>
    private void Bind()
    {
        if (isBinding)
        {
            return;
        }

        isBinding = true;
        binding.Go(agenda.NowMs);
        while (binding.WantsMore && Next() is { } mail)
        {
            binding.Bind(mail, agenda.NowMs);
            binding.Go(agenda.NowMs);
        }

        isBinding = false;
    }

    private void GiveBack(SimMail mail, long notBeforeMs)
    {
        GivenBack++;
        core.End(new EndedMail(mail.User, mail.Ended(OutcomeKind.Postponed, agenda.NowMs) with { NotBeforeMs = notBeforeMs, Provider = (int)mail.Provider }));
        agenda.After(0, Flush);
    }

    private SimMail? Next()
    {
        while (loaded.Count == 0 && batches.TryDequeue(out var batch))
        {
            foreach (var (seq, attempt, refusedBy) in batch.Fresh.SelectMany(range => Enumerable.Range(range.First, range.Count)).Select(seq => (seq, 1, Array.Empty<ServiceId>()))
                .Concat(batch.Retries.Select(retry => (retry.Seq, retry.Attempt, retry.RefusedBy ?? []))))
            {
                loaded.Enqueue(new SimMail(batch.User, batch.Task, batch.Lease!.Value, seq, attempt, ProviderOf(seq), refusedBy));
            }

            core.AddDemand(1);
            PullMore();
        }

        return loaded.TryDequeue(out var next) ? next : null;
    }

    public void Start(SimMail mail, SimService service)
    {
        var started = mail.StartedBy(service.Id);
        if (!core.TryStart(started))
        {
            throw new InvalidOperationException($"{started} is not held.");
        }

        starters.Add(MailKey.Of(started), (mail, service));
        agenda.After(0, Flush);
    }

    public void Ended(SimMail mail, ServiceAnswer answer, SimService service)
    {
        var outcome = mail.Ended(answer.Kind, agenda.NowMs) with { Service = service.Id, Class = answer.Class };
        outcome = answer.IsUnwanted ? outcome with { Unwanted = true, ElsewhereMs = binding.ElsewhereMs(mail, service.Id, agenda.NowMs) } : outcome;
        core.End(new EndedMail(mail.User, outcome));
        agenda.After(0, Flush);
    }

    private void Flush() => Write(core.NextCommit(agenda.NowMs));

    private void Write(LaneCommitted? commit)
    {
        if (commit is not null)
        {
            agenda.After(CommitMs, () => Committed(commit));
        }
    }

    private void Committed(LaneCommitted commit)
    {
        var news = core.Committed(commit, agenda.NowMs);
        foreach (var started in commit.Started)
        {
            if (starters.Remove(MailKey.Of(started), out var waiting))
            {
                waiting.Service.Go(waiting.Mail);
                OnTheWire(waiting.Mail);
            }
        }

        Deliver(news);
        Flush();
    }

    private void PullMore() => Deliver(core.PullMore(connections, perSecond, agenda.NowMs));

    private void Tick()
    {
        Deliver(core.Repeat(agenda.NowMs));
        Write(core.NextAcks(agenda.NowMs));
        binding.GiveBack(agenda.NowMs);
        Bind();
        PullMore();
    }

    private void Repeat()
    {
        foreach (var service in services.Values)
        {
            service.GrantMore();
        }

        foreach (var queue in queues.Values)
        {
            Deliver(queue.Repeats(agenda.NowMs));
        }
    }

    private void Deliver(IEnumerable<IForUserQueue> messages)
    {
        foreach (var message in messages)
        {
            Deliver(message);
        }
    }

    /// <summary>What a UserQueue does: decide, write, answer.</summary>
    private void Deliver(IForUserQueue message)
    {
        var queue = queues[message.User];
        var decision = queue.Decide(message, agenda.NowMs);
        foreach (var happened in decision.Events)
        {
            queue.Apply(happened);
        }

        foreach (var happened in decision.Events)
        {
            Deliver(queue.Following(happened, agenda.NowMs));
        }

        switch (decision.Reply())
        {
            case Batch batch when core.Take(batch):
                batches.Enqueue(batch);
                agenda.After(0, Bind);
                break;
            case OutcomesAcked ack when core.Ack(ack, agenda.NowMs) is { } more:
                Deliver(more);
                break;
        }
    }

    private void Deliver(IEnumerable<IForLane> messages)
    {
        foreach (var message in messages)
        {
            switch (message)
            {
                case Ready ready:
                    core.Ready(ready.User);
                    PullMore();
                    break;
                case QueryLeases query when core.Answer(query) is { } answer:
                    Deliver(answer);
                    break;
            }
        }
    }
}
