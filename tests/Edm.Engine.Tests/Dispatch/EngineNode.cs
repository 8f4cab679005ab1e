using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Hosting;
using Edm.Contracts;
using Edm.Engine.Campaigns;
using Edm.Engine.Content;
using Edm.Engine.Content.Mime;
using Edm.Engine.Dispatch;
using Edm.Engine.Queues;
using Edm.Engine.Services;
using Edm.Engine.Services.Limits;
using Edm.Engine.Settings;
using Edm.Engine.Storage;
using Edm.Engine.Tags;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Edm.Engine.Tests.Dispatch;

/// <summary>
/// A node of the engine with the real actors, journal and projection; people, templates and mail servers are made up. The made-up world outlives the node,
/// so that a test can stop one and start another on the same data folder.
/// </summary>
public sealed class EngineNode(IHost host) : IAsyncDisposable
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    public IServiceProvider Services => host.Services;

    public EdmDatabase Database => host.Services.GetRequiredService<EdmDatabase>();

    public ActorSystem System => host.Services.GetRequiredService<ActorSystem>();

    private IActorRef Queues => ActorRegistry.For(System).Get<UserQueueRegion>();

    public IActorRef Lanes => ActorRegistry.For(System).Get<LaneRegion>();

    /// <param name="overlay">Settings in HOCON that differ from those of tests.</param>
    /// <param name="transport">In place of the servers of the world, such as real ones.</param>
    /// <param name="limits">Null: those of every queue.</param>
    public static async Task<EngineNode> StartAsync(string folder, MadeUpWorld world, string? postgres = null, string overlay = "", IMailTransport? transport = null, UserQueueLimits? limits = null)
    {
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, "overlay.conf");
        await File.WriteAllTextAsync(file, overlay);
        var variables = new Dictionary<string, string?> { ["EDM_DATA"] = folder, ["EDM_DATABASE"] = postgres, ["EDM_ENVIRONMENT"] = "test" };
        var config = new HoconFiles(Path.Combine(AppContext.BaseDirectory, "hocon"), variables.GetValueOrDefault).Load(file);
        var settings = EdmSettings.Read(config);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddSimpleConsole().SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddEdmStorage(settings.Storage);
        builder.Services.AddTags();
        builder.Services.AddSingleton<IRecipientSource>(world);
        builder.Services.AddSingleton<ITemplateCache>(world);
        builder.Services.AddSingleton<IMimeComposer>(world);
        builder.Services.AddSingleton(transport ?? world);
        builder.Services.AddSingleton<ILaneServices>(world);
        if (limits is not null)
        {
            builder.Services.AddSingleton(limits);
        }

        builder.Services.AddEdmAkka(settings, config);
        var host = builder.Build();
        await host.Services.GetRequiredService<Migrator>().MigrateAsync();
        await host.StartAsync();
        return new EngineNode(host);
    }

    public async Task<T> AskAsync<T>(IForUserQueue message) => await Queues.Ask<T>(message, Timeout);

    public Task<TaskLedger> LedgerAsync(UserId user, TaskId task) => AskAsync<TaskLedger>(new GetTask(user, task));

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
    }
}

/// <summary>People called <c>r{seq}</c> at one domain, and mail servers that do as they are told.</summary>
public sealed class MadeUpWorld : IRecipientSource, ITemplateCache, IMimeComposer, IMailTransport, ILaneServices, IParsedTemplate
{
    private int opened;

    /// <summary>How often each address was sent to.</summary>
    public ConcurrentDictionary<string, int> Received { get; } = [];

    /// <summary>Every mail that was put on a wire, in this order.</summary>
    public ConcurrentQueue<(DateTimeOffset At, ServiceId Service, string To)> OnTheWire { get; } = [];

    public List<ServiceSettings> Services { get; } = [];

    /// <summary>What was to be read on the services' pages, in this order; null: nothing any more.</summary>
    public ConcurrentQueue<(ServiceId Service, string? Words)> Errors { get; } = [];

    /// <summary>Nobody answers where it should be.</summary>
    public Func<ServiceId, bool> IsDown { get; set; } = _ => false;

    /// <summary>What becomes of a mail: by recipient.</summary>
    public Func<string, Task<Attempt>> Server { get; set; } = _ => Task.FromResult(Accepted);

    /// <summary>The same by service too; null: <see cref="Server"/> answers for all.</summary>
    public Func<ServiceId, string, Task<Attempt>>? ServerOf { get; set; }

    /// <summary>Of everybody's address.</summary>
    public string Domain { get; set; } = "example.com";

    /// <summary>The same by seq; null: <see cref="Domain"/> is everybody's.</summary>
    public Func<int, string>? DomainOf { get; set; }

    /// <summary>Connections.</summary>
    public int Opened => opened;

    public Func<int, bool> IsGone { get; set; } = _ => false;

    public static Attempt Accepted { get; } = new(AttemptResult.Accepted, 250, "2.0.0", "2.0.0 Ok", null);

    public static ServiceSettings Service(long id, int connections = 4, int? perMinute = null, LaneId? lane = null) => new(
        new ServiceId(id), lane ?? new LaneId(new PoolId(1), 0), $"s{id}", "127.0.0.1", 25, TlsMode.None, null, null, $"s{id}@example.org", null,
        perMinute, ServiceLimits.None, connections, true, 1);

    public void Change(Func<ServiceSettings, ServiceSettings> change)
    {
        lock (Services)
        {
            for (var i = 0; i < Services.Count; i++)
            {
                Services[i] = change(Services[i]);
            }
        }
    }

    Task<LoadedRecipients?> IRecipientSource.LoadAsync(TaskId task, IReadOnlyList<int> seqs, CancellationToken cancellation) =>
        Task.FromResult<LoadedRecipients?>(new LoadedRecipients(
            new TaskContext(task, new UserId(1), new CampaignId(1), 0, new TemplateId(1), 1, new PoolId(1)),
            [.. seqs.Select(seq => IsGone(seq)
                ? new LoadedRecipient(seq, null, "gone")
                : new LoadedRecipient(
                    seq, new ContactCard(new ContactId(seq), $"r{seq}@{DomainOf?.Invoke(seq) ?? Domain}", null, null, null, null, null, null, null, new Dictionary<string, string>()), null))]));

    Task<IParsedTemplate> ITemplateCache.GetAsync(TemplateId template, int version, CancellationToken cancellation) => Task.FromResult<IParsedTemplate>(this);

    RenderedMail IParsedTemplate.Render(ContactCard contact, ServiceSender? sender) => new("Hello", null, "Hello");

    OutgoingMail IMimeComposer.Compose(MailToCompose mail) => new MailBuffer().ToMail(isEightBit: false, hasUtf8Header: false);

    IMailConnection IMailTransport.Open(ServiceSettings service)
    {
        Interlocked.Increment(ref opened);
        return new Connection(this, service.Id);
    }

    Task<IReadOnlyList<ServiceSettings>> ILaneServices.LoadAsync(LaneId lane, CancellationToken cancellation)
    {
        lock (Services)
        {
            return Task.FromResult<IReadOnlyList<ServiceSettings>>([.. Services.Where(s => s.Lane == lane)]);
        }
    }

    Task ILaneServices.SetLastErrorAsync(ServiceId service, string? error, CancellationToken cancellation)
    {
        Errors.Enqueue((service, error));
        return Task.CompletedTask;
    }

    private sealed class Connection(MadeUpWorld world, ServiceId service) : IMailConnection
    {
        public bool IsReady => true;

        public bool TakesEightBit => true;

        public Task EnsureReadyAsync(CancellationToken cancellation) =>
            world.IsDown(service) ? Task.FromException(new ServiceFaultException("nobody listens there")) : Task.CompletedTask;

        public async Task<Attempt> SendAsync(OutgoingMail mail, string sender, string recipient, CancellationToken cancellation)
        {
            world.OnTheWire.Enqueue((DateTimeOffset.UtcNow, service, recipient));
            await Task.Yield();
            var attempt = world.ServerOf is { } server ? await server(service, recipient) : await world.Server(recipient);
            if (attempt.Result is AttemptResult.Accepted or AttemptResult.Unknown)
            {
                world.Received.AddOrUpdate(recipient, 1, (_, n) => n + 1);
            }

            return attempt;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
