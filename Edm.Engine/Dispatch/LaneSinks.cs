using Akka.Actor;
using Akka.Event;
using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Services;
using Edm.Engine.Settings;

namespace Edm.Engine.Dispatch;

/// <summary>The ServiceSinks of one lane, spread over a few groups and kept in step with its services in SQL. Used by the lane's actor only.</summary>
internal sealed class LaneSinks(LaneId lane, LaneRooms rooms, IActorContext context, ILoggingAdapter log, CancellationToken stopping)
{
    /// <summary>A change is announced; this repairs an announcement that was lost.</summary>
    private const long ReloadEveryMs = 30_000;
    private const long RetryLoadAfterMs = 1_000;

    /// <summary>What a sink does for a mail, building it among it, keeps a processor busy: as many groups as can work at once, and as many again for when one waits its turn.</summary>
    private static readonly int Groups = 2 * Environment.ProcessorCount;

    private readonly IActorRef?[] groups = new IActorRef?[Groups];

    /// <summary>The group that each service is in.</summary>
    private readonly Dictionary<ServiceId, IActorRef> sinks = [];
    private readonly Dictionary<ServiceId, ServiceSettings> settings = [];
    private readonly Dictionary<ServiceId, ServiceReport> reports = [];
    private IActorRef select = ActorRefs.Nobody;
    private long nextLoadMs;
    private bool loading;
    private bool again;
    private SelectionWeights? weights;

    /// <summary>How the services were read: all of them, or why not.</summary>
    internal sealed record Loaded(IReadOnlyList<ServiceSettings>? Services, Exception? Fault) : INoSerializationVerificationNeeded;

    /// <summary>Of all enabled services together; 0: nothing can be sent, whatever happens.</summary>
    public int Connections { get; private set; }

    /// <summary>Mails that the paces of all enabled services together allow; infinite where one has none.</summary>
    public double PerSecond { get; private set; }

    /// <summary>What a new sink is told of the starts that are journaled.</summary>
    public Func<ServiceId, StartLogSnapshot> Starts { get; set; } = id => new StartLogSnapshot(id, 0, [], []);

    public void Start(IActorRef selectService)
    {
        select = selectService;
        Reload();
    }

    public void Reload()
    {
        if (select.IsNobody())
        {
            return;
        }

        if (loading)
        {
            again = true;
            return;
        }

        loading = true;
        rooms.Services.LoadAsync(lane, stopping).PipeTo(context.Self, success: found => new Loaded(found, null), failure: fault => new Loaded(null, fault));
    }

    public void Apply(Loaded loaded, bool draining)
    {
        loading = false;
        var now = rooms.Time.GetUtcNow().ToUnixTimeMilliseconds();
        if (loaded.Services is { } found)
        {
            nextLoadMs = now + ReloadEveryMs;
            Match(found, draining);
        }
        else
        {
            nextLoadMs = now + RetryLoadAfterMs;
            log.Warning("The services of lane {Lane} can't be read ({Reason}); trying again", lane, loaded.Fault?.Message);
        }

        if (again)
        {
            again = false;
            Reload();
        }
    }

    public void OnTick(long nowMs)
    {
        if (nowMs >= nextLoadMs)
        {
            Reload();
        }
    }

    public void StopGranting()
    {
        foreach (var group in groups)
        {
            group?.Tell(Dispatch.StopGranting.Instance);
        }
    }

    public void Report(ServiceReport report) => reports[report.Service] = report;

    /// <param name="of">Null: of all services.</param>
    public ServiceReport[] Reports(ServiceId? of) => [.. reports.Values.Where(r => sinks.ContainsKey(r.Service) && (of ?? r.Service) == r.Service).OrderBy(r => r.Service.Value)];

    /// <summary>A sink has ended; if its service is there again meanwhile, a new one is made.</summary>
    public void Remove(ServiceId service)
    {
        sinks.Remove(service);
        reports.Remove(service);
        Reload();
    }

    private void Match(IReadOnlyList<ServiceSettings> found, bool draining)
    {
        foreach (var service in found)
        {
            if (!sinks.TryGetValue(service.Id, out var group))
            {
                if (!draining)
                {
                    sinks[service.Id] = group = Group((int)(service.Id.Value % Groups));
                    settings[service.Id] = service;
                    group.Tell(new AddService(service, Starts(service.Id)));
                }
            }
            else if (settings.TryGetValue(service.Id, out var known) && known.Version < service.Version)
            {
                settings[service.Id] = service;
                group.Tell(new Configure(service));
            }
        }

        var there = found.Select(service => service.Id).ToHashSet();
        foreach (var (id, group) in sinks.Where(s => !there.Contains(s.Key)))
        {
            settings.Remove(id);
            group.Tell(new Retire(id));
        }

        if (found.Count > 0 && found[0].Weights != weights)
        {
            weights = found[0].Weights;
            select.Tell(new Weigh(weights));
        }

        Connections = settings.Values.Where(s => s.Enabled).Sum(s => s.Connections);
        PerSecond = settings.Values.Where(s => s.Enabled).Sum(s => Math.Min(s.PerMinute / 60.0 ?? double.PositiveInfinity, 1 / s.Limits.Gap.TotalSeconds));
    }

    private IActorRef Group(int nr) => groups[nr] ??= context.ActorOf(ActorProps.Of(() => new SinkGroup(select, rooms)), $"services-{nr}");
}
