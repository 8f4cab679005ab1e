using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Services.Sandbox;
using Edm.Host.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Edm.Host.Api;

/// <summary>The sandbox of the node that answers. It holds the mails of all users, so it is the administrator's.</summary>
internal static class SandboxApi
{
    private static readonly int MaxDelay = (int)TimeSpan.FromMinutes(10).TotalMilliseconds;

    public static void MapSandbox(this IEndpointRouteBuilder v1)
    {
        var sandbox = v1.MapGroup("/sandbox").WithTags("Sandbox").RequireAuthorization(Policies.Admin).Fails(StatusCodes.Status403Forbidden);
        sandbox.MapGet("", GetAsync).WithSummary("Look at the sandbox").WithDescription("What services of the kind sandbox send through this node ends here.").Produces<SandboxView>();
        sandbox.MapPut("/behaviour", Behave).WithSummary("Tell the sandbox how to misbehave")
            .WithDescription("At once, and until this node is started anew: a fresh sandbox is a good one. With `login` only for mails of services with that user name.")
            .Produces<SandboxManners>().Fails(400);
        sandbox.MapDelete("/behaviour", Forgive).WithSummary("Let the sandbox behave again").WithDescription("With `login` that name follows the others again.")
            .Produces(StatusCodes.Status204NoContent);
        sandbox.MapGet("/messages", MessagesAsync).WithSummary("List what the sandbox got, the newest first")
            .WithDescription($"The newest {SandboxStore.MaxMessages} are kept.").Produces<Page<SandboxMessageView>>().Fails(400);
        sandbox.MapGet("/messages/{id:long}", MessageAsync).WithSummary("Get a mail as it came in")
            .WithDescription($"At most its first {SandboxServer.MaxRaw / 1024} KiB; the newest {SandboxStore.MaxRaws} are kept.")
            .Produces<string>(contentType: "message/rfc822").Fails(404);
        sandbox.MapGet("/duplicates", DuplicatesAsync).WithSummary("List the addresses that got more than one mail").Produces<Page<SandboxDuplicateView>>().Fails(400);
        sandbox.MapDelete("/messages", ForgetAsync).WithSummary("Forget all that the sandbox got").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<SandboxView> GetAsync(SandboxServer server, CancellationToken cancellation)
    {
        var count = await server.Store.CountAsync(cancellation);
        return new SandboxView(
            server.EndPoint?.Port, count.Received, count.Recipients, count.Duplicated, View(server.Behaviours.All),
            server.Behaviours.ByLogin.ToDictionary(entry => entry.Key, entry => View(entry.Value)));
    }

    private static SandboxManners Behave(SandboxManners body, SandboxServer server, string? login = null)
    {
        if (body.DelayMilliseconds < 0 || body.DelayMilliseconds > MaxDelay)
        {
            throw new FieldException("delayMilliseconds", $"{body.DelayMilliseconds} is not from 0 to {MaxDelay}.");
        }

        server.Behaviours.Set(login, new SandboxBehaviour
        {
            DeferShare = body.DeferShare,
            RejectShare = body.RejectShare,
            DropShare = body.DropShare,
            KeepDropped = body.KeepDropped,
            Delay = TimeSpan.FromMilliseconds(body.DelayMilliseconds),
            DisconnectEvery = body.DisconnectEvery,
        });
        return body;
    }

    private static NoContent Forgive(SandboxServer server, string? login = null)
    {
        server.Behaviours.Set(login, null);
        return TypedResults.NoContent();
    }

    private static async Task<Page<SandboxMessageView>> MessagesAsync(
        SandboxServer server, CancellationToken cancellation, long? after = null, int limit = Paging.Default, string? login = null)
    {
        var found = await server.Store.PageAsync(after ?? long.MaxValue, Paging.Limit(limit), login, cancellation);
        return Paging.Page(found, limit, message => message.Id, message => new SandboxMessageView(
            message.Id, message.ReceivedAt, message.Login, message.Sender, message.Recipient, message.Subject, message.MessageId, message.Size));
    }

    private static async Task<IResult> MessageAsync(long id, SandboxServer server, CancellationToken cancellation) =>
        await server.Store.GetRawAsync(id, cancellation) is { } raw
            ? TypedResults.Bytes(raw, "message/rfc822", $"sandbox-{id}.eml")
            : Problems.NotFound("The sandbox keeps no such mail.");

    private static async Task<Page<SandboxDuplicateView>> DuplicatesAsync(SandboxServer server, CancellationToken cancellation, int limit = Paging.Default) =>
        new([.. (await server.Store.DuplicatesAsync(Paging.Limit(limit), cancellation)).Select(one => new SandboxDuplicateView(one.Recipient, one.Times))], null);

    private static async Task<IResult> ForgetAsync(SandboxServer server, CancellationToken cancellation)
    {
        await server.Store.ClearAsync(cancellation);
        return TypedResults.NoContent();
    }

    private static SandboxManners View(SandboxBehaviour behaviour) => new(
        behaviour.DeferShare, behaviour.RejectShare, behaviour.DropShare, behaviour.KeepDropped, (int)behaviour.Delay.TotalMilliseconds, behaviour.DisconnectEvery);
}
