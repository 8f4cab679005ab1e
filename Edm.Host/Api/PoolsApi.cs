using Akka.Actor;
using Akka.Hosting;
using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Dispatch;
using Edm.Engine.Services;
using Edm.Host.Http;

namespace Edm.Host.Api;

internal static class PoolsApi
{
    private const string NoSuchPool = "There is no such pool.";

    public static void MapPools(this IEndpointRouteBuilder v1)
    {
        var pools = v1.MapGroup("/pools").WithTags("Pools and services");
        pools.MapPost("", CreateAsync).WithSummary("Create a pool").Produces<PoolView>(StatusCodes.Status201Created).Fails(400, 403, 409);
        pools.MapGet("", ListAsync).WithSummary("List the pools that you may send through").WithDescription("Your own, and those that an administrator shares with everybody.")
            .Produces<Page<PoolView>>().Fails(400);
        pools.MapGet("/{id:long}", GetAsync).WithSummary("Get a pool").Produces<PoolView>().Fails(404);
        pools.MapPatch("/{id:long}", ChangeAsync).WithSummary("Rename a pool, or share it").WithDescription("Sharing is an administrator's decision, for any user's pool.")
            .Produces<PoolView>().Produces(StatusCodes.Status204NoContent).Fails(400, 403, 404, 409);
        pools.MapDelete("/{id:long}", DeleteAsync).WithSummary("Delete an empty pool that no campaign uses").Produces(StatusCodes.Status204NoContent).Fails(404, 409);
    }

    private static async Task<IResult> CreateAsync(NewPool body, Caller caller, PoolStore store, CancellationToken cancellation)
    {
        if (body.Shared && !caller.IsAdmin)
        {
            return OnlyAdministrators();
        }

        var pool = await store.CreateAsync(caller.User, new PoolDraft(body.Name, body.Lanes), cancellation);
        if (body.Shared)
        {
            await store.ShareAsync(pool.Id, true, cancellation);
        }

        return TypedResults.Created($"/v1/pools/{pool.Id}", new PoolView(pool.Id, pool.Name, pool.Lanes, Own: true, body.Shared, HasEnabledServices: false, new SelectionWeights()));
    }

    private static async Task<Page<PoolView>> ListAsync(Caller caller, PoolStore store, CancellationToken cancellation, long after = 0, int limit = Paging.Default)
    {
        var found = await store.ListUsableAsync(caller.User, new PoolId(after), Paging.Limit(limit), cancellation);
        return Paging.Page(found, limit, pool => pool.Id.Value, View);
    }

    private static async Task<IResult> GetAsync(long id, Caller caller, PoolStore store, CancellationToken cancellation) =>
        await store.GetUsableAsync(caller.User, new PoolId(id), cancellation) is { } pool ? TypedResults.Ok(View(pool)) : Problems.NotFound(NoSuchPool);

    private static async Task<IResult> ChangeAsync(
        long id, PoolChange body, Caller caller, PoolStore store, IRequiredActor<LaneRegion> lanes, CancellationToken cancellation)
    {
        var pool = new PoolId(id);
        var visible = caller.IsAdmin ? await store.FindAsync(pool, cancellation) is not null : await store.GetUsableAsync(caller.User, pool, cancellation) is not null;
        if (!visible)
        {
            return Problems.NotFound(NoSuchPool);
        }

        if (body.Shared.IsGiven && !caller.IsAdmin)
        {
            return OnlyAdministrators();
        }

        if (body.Name.IsGiven && await store.RenameAsync(caller.User, pool, body.Name.OrKeep("", "name"), cancellation) is null)
        {
            return Problems.Result(Problem.Forbidden("The pool belongs to another user, who alone can rename it."));
        }

        if (body.Weights.IsGiven)
        {
            if (await store.WeighAsync(caller.User, pool, body.Weights.OrKeep(new SelectionWeights(), "weights"), cancellation) is not { } weighed)
            {
                return Problems.Result(Problem.Forbidden("The pool belongs to another user, who alone can change its weights."));
            }

            // A word that is lost costs half a minute: lanes also look on their own.
            var region = await lanes.GetAsync(cancellation);
            for (var lane = 0; lane < weighed.Lanes; lane++)
            {
                region.Tell(new ServicesChanged(new LaneId(pool, lane)), ActorRefs.NoSender);
            }
        }

        if (body.Shared.IsGiven)
        {
            await store.ShareAsync(pool, body.Shared.OrKeep(false, "shared"), cancellation);
        }

        return await store.GetUsableAsync(caller.User, pool, cancellation) is { } usable
            ? TypedResults.Ok(View(usable))
            // An administrator has just taken it back from everybody.
            : TypedResults.NoContent();
    }

    private static async Task<IResult> DeleteAsync(long id, Caller caller, PoolStore store, CancellationToken cancellation) =>
        await store.DeleteAsync(caller.User, new PoolId(id), cancellation) ? TypedResults.NoContent() : Problems.NotFound(NoSuchPool);

    private static IResult OnlyAdministrators() => Problems.Result(Problem.Forbidden("Only an administrator can share a pool."));

    private static PoolView View(UsablePool pool) => new(pool.Id, pool.Name, pool.Lanes, pool.Own, pool.Shared, pool.HasEnabledServices, pool.Weights);
}
