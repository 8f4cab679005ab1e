using Akka.Actor;
using Akka.Hosting;
using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Dispatch;
using Edm.Engine.Services;
using Edm.Engine.Services.Smtp;
using Edm.Host.Http;

namespace Edm.Host.Api;

internal static class ServicesApi
{
    private const string NoSuchService = "There is no such service.";

    public static void MapServices(this IEndpointRouteBuilder v1)
    {
        var services = v1.MapGroup("/services").WithTags("Pools and services");
        services.MapPost("", CreateAsync).WithSummary("Create a service").WithDescription("The password is stored encrypted and never told again.")
            .Produces<ServiceView>(StatusCodes.Status201Created).Fails(400, 409);
        services.MapGet("", ListAsync).WithSummary("List services").Produces<Page<ServiceView>>().Fails(400);
        services.MapGet("/{id:long}", GetAsync).WithSummary("Get a service").Produces<ServiceView>().Fails(404);
        services.MapPatch("/{id:long}", ChangeAsync).WithSummary("Change a service").WithDescription("It takes effect at once, also while it is sending.")
            .Produces<ServiceView>().Fails(400, 404, 409);
        services.MapDelete("/{id:long}", DeleteAsync).WithSummary("Delete a service").WithDescription("No further mail starts there; what is on the wire ends.")
            .Produces(StatusCodes.Status204NoContent).Fails(404);
        services.MapPost("/{id:long}/disable", (long id, Caller caller, Changes changes, CancellationToken cancellation) => changes.EnableAsync(id, false, caller, cancellation))
            .WithSummary("Stop sending through a service").Produces<ServiceView>().Fails(404);
        services.MapPost("/{id:long}/enable", (long id, Caller caller, Changes changes, CancellationToken cancellation) => changes.EnableAsync(id, true, caller, cancellation))
            .WithSummary("Send through a service again").Produces<ServiceView>().Fails(404);
        services.MapGet("/{id:long}/why", WhyAsync).WithSummary("Why does a service send nothing, or less than it could")
            .WithDescription("The reasons in their order, when the next mail can start, and how much it can send.").Produces<ServiceWhyView>().Fails(404);
        services.MapPost("/{id:long}/test", TestAsync).WithSummary("Try to reach a service and to log in").WithDescription("Nothing is sent.")
            .Produces<ServiceTestView>().Fails(404);
        DkimApi.MapDkim(services);
    }

    public static IServiceCollection AddServicesApi(this IServiceCollection services) => services.AddSingleton<Changes>().AddSingleton<LaneReports>();

    private static async Task<IResult> CreateAsync(NewService body, Caller caller, ServiceStore store, Changes changes, CancellationToken cancellation)
    {
        var draft = new ServiceDraft(
            body.Name, Kind(body.Kind), body.Host, body.Port, Tls(body.Tls ?? "auto"), body.Username, body.Password, body.SenderAddress, body.SenderName,
            body.PerMinute, body.PerHour, body.PerDay, body.Connections, body.Enabled, Login(body.Login ?? "password"), body.Limits);
        var service = await store.CreateAsync(caller.User, body.PoolId, draft, cancellation)
            ?? throw new FieldException("poolId", $"You have no pool {body.PoolId}.");
        await changes.TellAsync(service, cancellation);
        return TypedResults.Created($"/v1/services/{service.Id}", View(service));
    }

    private static async Task<Page<ServiceView>> ListAsync(
        Caller caller, ServiceStore store, CancellationToken cancellation, long? poolId = null, long after = 0, int limit = Paging.Default)
    {
        var found = await store.ListAsync(caller.User, poolId is { } pool ? new PoolId(pool) : null, new ServiceId(after), Paging.Limit(limit), cancellation);
        return Paging.Page(found, limit, service => service.Id.Value, View);
    }

    private static async Task<IResult> GetAsync(long id, Caller caller, ServiceStore store, CancellationToken cancellation) =>
        await store.GetAsync(caller.User, new ServiceId(id), cancellation) is { } service ? TypedResults.Ok(View(service)) : Problems.NotFound(NoSuchService);

    private static async Task<IResult> ChangeAsync(long id, ServiceChange body, Caller caller, ServiceStore store, Changes changes, CancellationToken cancellation)
    {
        if (await store.GetAsync(caller.User, new ServiceId(id), cancellation) is not { } before)
        {
            return Problems.NotFound(NoSuchService);
        }

        var draft = new ServiceDraft(
            body.Name.OrKeep(before.Name, "name"), before.Kind, body.Host.Or(before.Host), body.Port.Or(before.Kind == ServiceKind.Sandbox ? null : before.Port),
            Tls(body.Tls.OrKeep(NameOf(before.Tls), "tls")), body.Username.Or(before.Username), body.Password.Or(null),
            body.SenderAddress.OrKeep(before.SenderAddress, "senderAddress"), body.SenderName.Or(before.SenderName),
            body.PerMinute.Or(before.PerMinute), body.PerHour.Or(before.PerHour), body.PerDay.Or(before.PerDay),
            body.Connections.OrKeep(before.Connections, "connections"), body.Enabled.OrKeep(before.Enabled, "enabled"),
            Login(body.Login.OrKeep(NameOf(before.Login), "login")), body.Limits.Or(before.Limits));
        return await changes.AnswerAsync(await store.ChangeAsync(caller.User, before.Id, draft, cancellation), cancellation);
    }

    private static async Task<IResult> DeleteAsync(long id, Caller caller, ServiceStore store, Changes changes, CancellationToken cancellation)
    {
        if (await store.DeleteAsync(caller.User, new ServiceId(id), cancellation) is not { } deleted)
        {
            return Problems.NotFound(NoSuchService);
        }

        await changes.TellAsync(deleted, cancellation);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> TestAsync(long id, Caller caller, ServiceStore store, ServiceTester tester, CancellationToken cancellation)
    {
        if (await store.GetSettingsAsync(caller.User, new ServiceId(id), cancellation) is not { } settings)
        {
            return Problems.NotFound(NoSuchService);
        }

        var test = await tester.TestAsync(settings, cancellation);
        return TypedResults.Ok(new ServiceTestView(test.Works, test.Words, (int)test.Took.TotalMilliseconds));
    }

    private static async Task<IResult> WhyAsync(long id, Caller caller, ServiceStore store, LaneReports lanes, CancellationToken cancellation)
    {
        if (await store.GetAsync(caller.User, new ServiceId(id), cancellation) is not { } service)
        {
            return Problems.NotFound(NoSuchService);
        }

        var why = ServiceWhy.Of(service, await lanes.FindAsync(service.Lane, service.Id, cancellation));
        return TypedResults.Ok(new ServiceWhyView(
            service.Id, why.CanSend, [.. why.Reasons.Select(View)], why.NextAt, why.Capacity, why.Health));
    }

    private static ServiceReasonView View(ServiceReason reason) =>
        new(reason.Code, reason.Text, reason.UntilMs is { } until ? DateTimeOffset.FromUnixTimeMilliseconds(until) : null, reason.Blocks);

    private static ServiceKind Kind(string name) => name switch
    {
        "smtp" => ServiceKind.Smtp,
        "sandbox" => ServiceKind.Sandbox,
        _ => throw new FieldException("kind", $"'{name}' is none of smtp, sandbox."),
    };

    private static TlsMode Tls(string name) => name switch
    {
        "none" => TlsMode.None,
        "starttls" => TlsMode.StartTls,
        "implicit" => TlsMode.Implicit,
        "auto" => TlsMode.Auto,
        _ => throw new FieldException("tls", $"'{name}' is none of none, starttls, implicit, auto."),
    };

    private static LoginKind Login(string name) => name switch
    {
        "password" => LoginKind.Password,
        "xoauth2" => LoginKind.XOAuth2,
        _ => throw new FieldException("login", $"'{name}' is none of password, xoauth2."),
    };

    private static string NameOf(LoginKind login) => login == LoginKind.XOAuth2 ? "xoauth2" : "password";

    private static string NameOf(TlsMode tls) => tls switch
    {
        TlsMode.None => "none",
        TlsMode.StartTls => "starttls",
        TlsMode.Implicit => "implicit",
        TlsMode.Auto => "auto",
        _ => throw new ArgumentOutOfRangeException(nameof(tls), tls, "Unknown mode."),
    };

    private static ServiceView View(Service service) => new(
        service.Id, service.Lane.Pool, service.Lane.Lane, service.Name, service.Kind == ServiceKind.Sandbox ? "sandbox" : "smtp", service.Host, service.Port,
        NameOf(service.Tls), service.Username, service.HasPassword, service.SenderAddress, service.SenderName, service.PerMinute, service.PerHour, service.PerDay,
        service.Connections, service.Enabled, service.Version, service.LastError, service.CreatedAt, service.UpdatedAt,
        NameOf(service.Login), service.DkimDomain, service.Limits);

    /// <summary>Tells the lane of a changed service to read it again now. A word that is lost costs a few seconds: lanes also look on their own.</summary>
    internal sealed class Changes(ServiceStore store, IRequiredActor<LaneRegion> lanes)
    {
        public async Task TellAsync(Service service, CancellationToken cancellation) =>
            (await lanes.GetAsync(cancellation)).Tell(new ServicesChanged(service.Lane), ActorRefs.NoSender);

        public async Task<IResult> AnswerAsync(Service? changed, CancellationToken cancellation)
        {
            if (changed is null)
            {
                return Problems.NotFound(NoSuchService);
            }

            await TellAsync(changed, cancellation);
            return TypedResults.Ok(View(changed));
        }

        public async Task<IResult> EnableAsync(long id, bool enabled, Caller caller, CancellationToken cancellation) =>
            await AnswerAsync(await store.EnableAsync(caller.User, new ServiceId(id), enabled, cancellation), cancellation);
    }
}
