using Edm.Contracts;
using Edm.Engine.Dispatch;
using Edm.Engine.Services;
using Edm.Engine.Services.Limits;

namespace Edm.Engine.Tests.Dispatch.Simulation.Day;

/// <summary>A recipient on the way through the lane.</summary>
internal readonly record struct SimMail(UserId User, TaskId Task, LeaseNr Lease, int Seq, int Attempt, MailboxProvider Provider, ServiceId[] RefusedBy) : IMailToBind
{
    public Outcome Ended(OutcomeKind kind, long atMs) => new(Task, Lease, Seq, Attempt, kind, atMs);

    public StartedMail StartedBy(ServiceId service) => new(User, Task, Lease, Seq, Attempt, service, (int)Provider);
}

/// <summary>What a service may do, and when it is out of order, as its owner and its provider know it.</summary>
/// <param name="Outages">From and to; within them nobody can connect.</param>
internal sealed record SimTerms(ServiceSettings Settings, IReadOnlyList<(DateTimeOffset From, DateTimeOffset To)> Outages)
{
    /// <summary>What the server says to a mail.</summary>
    public Func<SimMail, ServiceAnswer> Answer { get; init; } = _ => ServiceAnswer.Taken;

    public bool IsOut(DateTimeOffset now) => Outages.Any(outage => now >= outage.From && now < outage.To);
}

/// <summary>One service with its connections: the same steps as the ServiceSink, around the same pure gate.</summary>
internal sealed class SimService
{
    /// <summary>A connection is kept, so making a mail ready costs no more than rendering it.</summary>
    private const long PrepareMs = 20;

    /// <summary>Nobody answers: what TCP takes to say so on a network that says so.</summary>
    private const long RefusedMs = 1_000;

    /// <summary>From the envelope to the answer to DATA, at some distance.</summary>
    private const long SendMs = 800;

    private readonly SimAgenda agenda;
    private readonly SimTerms terms;
    private readonly ServiceGate gate;
    private readonly SimLaneOfADay lane;
    private int busy;
    private long wakeMs = long.MaxValue;

    public SimService(SimAgenda agenda, SimTerms terms, Random random, SimLaneOfADay lane)
    {
        (this.agenda, this.terms, this.lane) = (agenda, terms, lane);
        gate = new ServiceGate(terms.Settings, new StartLogSnapshot(Id, 0, [], []), random, agenda.Now);
    }

    public ServiceId Id => terms.Settings.Id;

    public SimTerms Terms => terms;

    /// <summary>The moments at which its mails went out, ascending.</summary>
    public List<DateTimeOffset> Starts { get; } = [];

    public void GrantMore()
    {
        var granting = gate.Grant(agenda.Now, terms.Settings.Connections - busy);
        if (granting.Standing is { } standing)
        {
            lane.Granted(Id, standing, granting.Credits);
        }

        Wake(granting.NextAt);
    }

    public void Offer(SimMail mail)
    {
        if (busy >= terms.Settings.Connections || !gate.Offered(mail.Provider, agenda.Now))
        {
            GrantMore();
            lane.Rebound(mail);
            return;
        }

        busy++;
        if (terms.IsOut(agenda.Now))
        {
            agenda.After(RefusedMs, () => OnFault(mail));
        }
        else
        {
            agenda.After(PrepareMs, () => OnReady(mail));
        }

        Wake(gate.NextAt(agenda.Now));
    }

    private void OnFault(SimMail mail)
    {
        gate.Dropped(mail.Provider);
        busy--;
        if (gate.Faulted(agenda.Now))
        {
            lane.Revoked(Id);
        }

        lane.Rebound(mail);
        GrantMore();
    }

    private void OnReady(SimMail mail)
    {
        if (gate.TryStart(mail.Provider, agenda.Now))
        {
            lane.Start(mail, this);
            return;
        }

        busy--;
        GrantMore();
        lane.Rebound(mail);
    }

    /// <summary>The start is in the journal.</summary>
    public void Go(SimMail mail)
    {
        gate.Started(mail.Provider, agenda.Now);
        Starts.Add(agenda.Now);
        agenda.After(SendMs, () => OnSent(mail));
        Wake(gate.NextAt(agenda.Now));
    }

    private void OnSent(SimMail mail)
    {
        var answer = terms.Answer(mail);
        lane.Ended(mail, answer, this);
        busy--;
        if (gate.Ended(mail.Provider, answer, agenda.Now))
        {
            lane.Revoked(Id);
        }

        GrantMore();
    }

    private void Wake(DateTimeOffset? next)
    {
        // Rounded up: at the millisecond before it there would be nothing yet.
        if (next is not { } at || at <= agenda.Now || at - agenda.Now > TimeSpan.FromDays(1) || at.ToUnixTimeMilliseconds() + 1 is var atMs && atMs >= wakeMs)
        {
            return;
        }

        wakeMs = atMs;
        agenda.After(atMs - agenda.NowMs, () =>
        {
            if (agenda.NowMs == wakeMs)
            {
                wakeMs = long.MaxValue;
                GrantMore();
            }
        });
    }
}
