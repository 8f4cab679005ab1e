using CsCheck;
using Edm.Contracts;
using Edm.Engine.Dispatch;
using Edm.Engine.Services;
using Edm.Engine.Services.Limits;
using Edm.Engine.Services.Replies;
using Edm.Engine.Tests.Contracts;
using Xunit;

namespace Edm.Engine.Tests.Dispatch.Gate;

/// <summary>What may happen to a service, one after the other.</summary>
internal enum Event
{
    Offer,
    Ready,
    Go,
    End,
    Drop,
    Refuse,
    Throttle,
    Block,
    Lose,
    Fault,
    Change,
    Restart,
}

/// <summary>The numbers that a history varies.</summary>
internal sealed record Numbers(int? PerMinute, int? PerHour, int? PerDay, int GapMs, bool Windows)
{
    public static Gen<Numbers> Gen { get; } = CsCheck.Gen.Select(
        CsCheck.Gen.Int[1, 40].Nullable(), CsCheck.Gen.Int[1, 80].Nullable(), CsCheck.Gen.Int[1, 200].Nullable(), CsCheck.Gen.OneOf(CsCheck.Gen.Const(0), CsCheck.Gen.Int[1, 20_000]), CsCheck.Gen.Bool)
        .Select((minute, hour, day, gap, windows) => new Numbers(minute, hour, day, gap, windows));
}

/// <summary>One service between a lane that offers mails and connections that take as long as they like, in virtual time. It writes down every start.</summary>
internal sealed class GateLife
{
    /// <summary>Connections of the service.</summary>
    public const int Connections = 12;

    private static readonly SendingWindow Mornings = new(
        [DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday, DayOfWeek.Saturday, DayOfWeek.Sunday], new TimeOnly(1, 0), new TimeOnly(13, 30));

    private readonly TimeZoneInfo zone;

    /// <summary>A mail starts at the moment in which it is bound.</summary>
    private readonly bool quick;
    private readonly Random random;
    private readonly List<MailboxProvider> preparing = [];
    private readonly List<MailboxProvider> starting = [];
    private readonly List<MailboxProvider> sending = [];
    private ServiceSettings service;
    private LaneState journal = new();
    private int mails;

    public GateLife(Numbers numbers, string zoneId, DateTimeOffset now, bool quick, int seed)
    {
        (zone, this.quick, random, Now) = (TimeZoneInfo.FindSystemTimeZoneById(zoneId), quick, new Random(seed), now);
        service = Settings(numbers);
        InForce.Add((now, numbers));
        Gate = new ServiceGate(service, new StartLogSnapshot(service.Id, 0, [], []), random, now);
        Ask();
    }

    public static Gen<(Event What, long Ticks, int N, Numbers Numbers)[]> Histories { get; } = Gen.Select(
        Gen.OneOf(Gen.Enum<Event>(), Gen.Const(Event.Offer), Gen.Const(Event.Ready), Gen.Const(Event.Go), Gen.Const(Event.End)),
        Gen.OneOf(Gen.Const(0L), Gen.Long[0, TimeSpan.TicksPerSecond], Gen.Long[0, TimeSpan.TicksPerMinute], Gen.Long[0, 2 * TimeSpan.TicksPerHour]),
        Gen.Int[1, 40],
        Numbers.Gen).Array[1, 150];

    public static Gen<string> Zones { get; } = One("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe");

    /// <summary>Around the changes of the clocks of 2026, north and south.</summary>
    public static Gen<DateTimeOffset> Beginnings { get; } = Gen.Select(
        One(new DateTime(2026, 3, 7), new DateTime(2026, 3, 28), new DateTime(2026, 4, 4), new DateTime(2026, 10, 3), new DateTime(2026, 10, 24), new DateTime(2026, 10, 31)),
        Gen.Long[0, TimeSpan.TicksPerDay]).Select((day, ticks) => new DateTimeOffset(day, TimeSpan.Zero).AddTicks(ticks));

    private static Gen<T> One<T>(params T[] of) => Gen.Int[0, of.Length - 1].Select(i => of[i]);

    public ServiceGate Gate { get; private set; }

    public DateTimeOffset Now { get; private set; }

    public int Credits { get; private set; }

    public List<DateTimeOffset> Starts { get; } = [];

    /// <summary>From when on which numbers held.</summary>
    public List<(DateTimeOffset From, Numbers Numbers)> InForce { get; } = [];

    private int Busy => preparing.Count + starting.Count + sending.Count;

    public void Live((Event What, long Ticks, int N, Numbers Numbers)[] history)
    {
        foreach (var (what, ticks, n, numbers) in history)
        {
            Now = Now.AddTicks(ticks);
            Ask();
            Happen(what, n, numbers);
            Ask();
        }
    }

    /// <summary>Everything on its way comes to its end.</summary>
    public void Settle()
    {
        Each(preparing, int.MaxValue, Gate.Dropped);
        Each(starting, int.MaxValue, Gate.Refused);
        Each(sending, int.MaxValue, provider => Revoked(Gate.Ended(provider, ServiceAnswer.Taken, Now)));
    }

    /// <returns>What the gate says, and its credits are there.</returns>
    public Granting Ask()
    {
        var granting = Gate.Grant(Now, Connections - Busy);
        Assert.True(granting.Credits >= 0);
        Assert.True(granting.Credits == 0 || granting.Standing is not null);
        Credits += granting.Credits;
        Assert.True(Credits <= Connections - Busy);
        return granting;
    }

    public void WaitUntil(DateTimeOffset at) => Now = at;

    /// <summary>The highest of a limit that was in force between the two moments; null: for a while there was none.</summary>
    public int? Highest(Func<Numbers, int?> limit, DateTimeOffset from, DateTimeOffset to)
    {
        var held = InForce.Where((entry, i) => entry.From <= to && (i + 1 == InForce.Count || InForce[i + 1].From >= from)).Select(entry => limit(entry.Numbers)).ToArray();
        return held.Contains(null) ? null : held.Max();
    }

    public DateOnly DayOf(DateTimeOffset at) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(at, zone).DateTime);

    private void Happen(Event what, int n, Numbers numbers)
    {
        switch (what)
        {
            case Event.Offer:
                for (; n > 0 && Credits > 0; n--)
                {
                    Credits--;
                    var provider = (MailboxProvider)random.Next(MailboxProviders.Count);
                    if (Gate.Offered(provider, Now))
                    {
                        preparing.Add(provider);
                    }
                }

                break;
            case Event.Ready:
                Each(preparing, n, provider =>
                {
                    if (Gate.TryStart(provider, Now))
                    {
                        starting.Add(provider);
                    }
                });
                break;
            case Event.Go:
                Go(n);
                break;
            case Event.End: Each(sending, n, provider => Revoked(Gate.Ended(provider, ServiceAnswer.Taken, Now))); break;
            case Event.Drop: Each(preparing, n, Gate.Dropped); break;
            case Event.Refuse: Each(starting, n, Gate.Refused); break;
            case Event.Throttle: Each(sending, 1, provider => Revoked(Gate.Ended(provider, TooFast(n), Now))); break;
            case Event.Block: Each(sending, 1, provider => Revoked(Gate.Ended(provider, Unwanted, Now))); break;
            case Event.Lose: Each(sending, n, provider => Revoked(Gate.Ended(provider, new ServiceAnswer(OutcomeKind.Unknown), Now))); break;
            case Event.Fault:
                Each(preparing, 1, provider =>
                {
                    Gate.Dropped(provider);
                    Revoked(Gate.Faulted(Now));
                });
                break;
            case Event.Change:
                // The connections of before serve no further mail; what waits for the journal only starts.
                Each(preparing, int.MaxValue, Gate.Dropped);
                Go(int.MaxValue);
                service = Settings(numbers);
                InForce.Add((Now, numbers));
                Gate.Configure(service, Now);
                Credits = 0;
                break;
            case Event.Restart: Restart(); break;
        }

        if (quick && what != Event.Ready && what != Event.Go)
        {
            Happen(Event.Ready, int.MaxValue, numbers);
            Happen(Event.Go, int.MaxValue, numbers);
        }
    }

    private void Go(int n)
    {
        Commit([.. starting.Take(n)]);
        Each(starting, n, provider =>
        {
            Gate.Started(provider, Now);
            Starts.Add(Now);
            sending.Add(provider);
        });
    }

    private void Commit(MailboxProvider[] started) => journal.Apply(new LaneCommitted(
        journal.CommitNr + 1, Now.ToUnixTimeMilliseconds(), 1,
        [.. started.Select(provider => new StartedMail(new UserId(1), new TaskId(1), new LeaseNr(1), ++mails, 1, service.Id, (int)provider))], [], [], []));

    /// <summary>A process that ends takes with it what had not started; the next one knows what the journal knows.</summary>
    private void Restart()
    {
        preparing.Clear();
        starting.Clear();
        sending.Clear();
        Credits = 0;
        journal = LaneState.From(SharedSerializer.Copy(journal.ToSnapshot()));
        Commit([]);
        Gate = new ServiceGate(service, journal.Starts(service.Id), random, Now);
    }

    private void Revoked(bool withdrawn) => Credits = withdrawn ? 0 : Credits;

    private static void Each(List<MailboxProvider> mails, int n, Action<MailboxProvider> what)
    {
        var some = mails.Take(n).ToArray();
        mails.RemoveRange(0, some.Length);
        Array.ForEach(some, what);
    }

    private static ServiceAnswer Unwanted => new(
        OutcomeKind.Deferred, ReplyClass.PolicyOrReputationBlock, ReplyAction.Alert, 550, "5.7.1", Stage: ReplyStage.Rcpt, Reply: "5.7.1 blocked");

    private static ServiceAnswer TooFast(int seconds) => new(
        OutcomeKind.Deferred, ReplyClass.Throttled, ReplyAction.Retry, 451, "4.7.0", seconds % 2 == 0 ? TimeSpan.FromSeconds(seconds) : null,
        seconds % 3 == 0 ? ReplyStage.Mail : ReplyStage.Rcpt);

    private ServiceSettings Settings(Numbers numbers) => MadeUpWorld.Service(1, Connections, numbers.PerMinute) with
    {
        Limits = ServiceLimits.None with
        {
            PerHour = numbers.PerHour,
            PerDay = numbers.PerDay,
            Zone = zone,
            Gap = TimeSpan.FromMilliseconds(numbers.GapMs),
            GapJitter = 0.5,
            Windows = numbers.Windows ? [Mornings] : [],
        },
    };
}
