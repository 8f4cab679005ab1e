using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Users;
using Edm.Host.Http;

namespace Edm.Host.Api;

internal static class UsersApi
{
    private const string NoSuchUser = "There is no such user.";

    public static void MapUsers(this IEndpointRouteBuilder v1)
    {
        v1.MapGet("/me", (Caller caller) => new Me(caller.User, caller.Name, RoleName(caller.Role), caller.KeyId))
            .WithSummary("Whose key this is").WithTags("Users").Produces<Me>();

        var users = v1.MapGroup("/users").WithTags("Users").RequireAuthorization(Policies.Admin).Fails(StatusCodes.Status403Forbidden);
        users.MapPost("", CreateAsync).WithSummary("Create a user").Produces<UserView>(StatusCodes.Status201Created).Fails(400, 409);
        users.MapGet("", ListAsync).WithSummary("List users").Produces<Page<UserView>>().Fails(400);
        users.MapGet("/{id:long}", GetAsync).WithSummary("Get a user").Produces<UserView>().Fails(404);
        users.MapPatch("/{id:long}", ChangeAsync).WithSummary("Change a user's weight")
            .WithDescription("A user of weight 2 gets twice the share of one of weight 1 while both have mail for the same services. In force within seconds, also for tasks that are at work.")
            .Produces<UserView>().Fails(400, 404);
        users.MapDelete("/{id:long}", DeleteAsync).WithSummary("Delete a user and all that is its own")
            .WithDescription("Contacts, services, templates, campaigns and ledgers of the user are deleted. Refused while one of its tasks is not finished.")
            .Produces(StatusCodes.Status204NoContent).Fails(404, 409);

        var keys = users.MapGroup("/{id:long}/keys");
        keys.MapPost("", CreateKeyAsync).WithSummary("Make a key for a user").WithDescription("The answer is the only place where the key is ever shown.")
            .Produces<MadeKey>(StatusCodes.Status201Created).Fails(400, 404, 409);
        keys.MapGet("", ListKeysAsync).WithSummary("List a user's keys").Produces<Page<KeyView>>().Fails(404);
        keys.MapDelete("/{key:long}", RevokeAsync).WithSummary("Revoke a key")
            .WithDescription("It is dead at once on this node and within seconds on all others. The key that makes the request can't revoke itself.")
            .Produces(StatusCodes.Status204NoContent).Fails(404, 409);
    }

    private static async Task<IResult> CreateAsync(NewUser body, UserStore users, CancellationToken cancellation)
    {
        var role = body.Role switch
        {
            null or "user" => UserRole.User,
            "admin" => UserRole.Admin,
            var other => throw new FieldException("role", $"'{other}' is none of admin, user."),
        };
        var user = await users.CreateAsync(body.Name, role, cancellation);
        return TypedResults.Created($"/v1/users/{user.Id}", View(user));
    }

    private static async Task<Page<UserView>> ListAsync(UserStore users, CancellationToken cancellation, long after = 0, int limit = Paging.Default)
    {
        var found = await users.ListAsync(new UserId(after), Paging.Limit(limit), cancellation);
        return Paging.Page(found, limit, user => user.Id.Value, View);
    }

    private static async Task<IResult> GetAsync(long id, UserStore users, CancellationToken cancellation) =>
        await users.FindAsync(new UserId(id), cancellation) is { } user ? TypedResults.Ok(View(user)) : Problems.NotFound(NoSuchUser);

    private static async Task<IResult> ChangeAsync(long id, UserChange body, UserStore users, UserWeights weights, CancellationToken cancellation)
    {
        if (await users.FindAsync(new UserId(id), cancellation) is not { } user
            || await users.SetWeightAsync(user.Id, body.Weight.OrKeep(user.Weight, "weight"), cancellation) is not { } changed)
        {
            return Problems.NotFound(NoSuchUser);
        }

        weights.Forget();
        return TypedResults.Ok(View(changed));
    }

    private static async Task<IResult> DeleteAsync(long id, Caller caller, UserStore users, KeyStore keys, CancellationToken cancellation)
    {
        if (caller.User.Value == id)
        {
            throw new ConflictException("A user can't delete itself. Use another administrator's key.");
        }

        var found = await users.DeleteAsync(new UserId(id), cancellation);
        keys.Forget();
        return found ? TypedResults.NoContent() : Problems.NotFound(NoSuchUser);
    }

    private static async Task<IResult> CreateKeyAsync(long id, NewKey body, KeyStore keys, CancellationToken cancellation)
    {
        if (await keys.CreateAsync(new UserId(id), body.Name, cancellation) is not var (key, text))
        {
            return Problems.NotFound(NoSuchUser);
        }

        return TypedResults.Created($"/v1/users/{id}/keys/{key.Id}", new MadeKey(key.Id, key.Name, text, key.CreatedAt));
    }

    private static async Task<IResult> ListKeysAsync(long id, UserStore users, KeyStore keys, CancellationToken cancellation)
    {
        if (await users.FindAsync(new UserId(id), cancellation) is null)
        {
            return Problems.NotFound(NoSuchUser);
        }

        // All of them: their number is bounded where they are made.
        var found = await keys.ListAsync(new UserId(id), cancellation);
        return TypedResults.Ok(new Page<KeyView>([.. found.Select(key => new KeyView(key.Id, key.Name, key.CreatedAt))], null));
    }

    private static async Task<IResult> RevokeAsync(long id, long key, Caller caller, KeyStore keys, CancellationToken cancellation)
    {
        if (caller.KeyId == key)
        {
            throw new ConflictException("This is the key that makes the request. Make another one and revoke this one with it.");
        }

        return await keys.RevokeAsync(new UserId(id), key, cancellation) ? TypedResults.NoContent() : Problems.NotFound("The user has no such key.");
    }

    private static UserView View(User user) => new(user.Id, user.Name, RoleName(user.Role), user.CreatedAt, user.Weight);

    private static string RoleName(UserRole role) => role == UserRole.Admin ? "admin" : "user";
}
