using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Erasure;
using Edm.Host.Http;

namespace Edm.Host.Api;

internal static class ErasuresApi
{
    public static void MapErasures(this IEndpointRouteBuilder v1)
    {
        v1.MapPost("/contacts/{id:long}/erasure", EraseContactAsync).WithTags("Contacts").WithSummary("Erase a person")
            .WithDescription(
                """
                For a request under GDPR, article 17. In one step the person is gone from everything of yours: the contact, its attributes, history and tags, what servers said about its mails, refused
                rows, mentions in other contacts, filters and imports. Also earlier addresses of the contact. Audiences that hold it skip it. Counts of tasks, imports and tags stay right. A keyed hash
                of each address is kept, so that nothing brings the person back. It can't be undone; asked again it answers the same.
                """)
            .Produces<ErasureView>().Fails(404);
        var erasures = v1.MapGroup("/erasures").WithTags("Contacts");
        erasures.MapPost("", EraseAddressAsync).WithSummary("Erase a person by the address")
            .WithDescription("As for a contact, and also for a person who is none, or not any more. Afterwards this address does not come in again.").Produces<ErasureView>().Fails(400);
        erasures.MapGet("", ListAsync).WithSummary("List erasures, the newest first").WithDescription("Who asked, and when; not whom it was about.").Produces<Page<ErasureView>>().Fails(400);
        erasures.MapGet("/{id:long}", GetAsync).WithSummary("Get an erasure").Produces<ErasureView>().Fails(404);
    }

    private static async Task<IResult> EraseContactAsync(long id, Caller caller, PersonErasure erasure, ErasureCleaning cleaning, CancellationToken cancellation)
    {
        if (await erasure.EraseAsync(caller.User, new ContactId(id), caller.KeyName, cancellation) is not { } erased)
        {
            return Problems.NotFound("There is no such contact.");
        }

        cleaning.Ask();
        return TypedResults.Ok(View(erased));
    }

    private static async Task<ErasureView> EraseAddressAsync(ErasureRequest body, Caller caller, PersonErasure erasure, ErasureCleaning cleaning, CancellationToken cancellation)
    {
        var erased = await erasure.EraseAsync(caller.User, body.Email, caller.KeyName, cancellation);
        cleaning.Ask();
        return View(erased);
    }

    private static async Task<Page<ErasureView>> ListAsync(Caller caller, PersonErasure erasure, CancellationToken cancellation, long? after = null, int limit = Paging.Default)
    {
        var found = await erasure.PageAsync(caller.User, after is { } id ? new ErasureId(id) : null, Paging.Limit(limit), cancellation);
        return Paging.Page(found, limit, one => one.Id.Value, View);
    }

    private static async Task<IResult> GetAsync(long id, Caller caller, PersonErasure erasure, CancellationToken cancellation) =>
        await erasure.GetAsync(caller.User, new ErasureId(id), cancellation) is { } one ? TypedResults.Ok(View(one)) : Problems.NotFound("There is no such erasure.");

    private static ErasureView View(Erasure erasure) =>
        new(erasure.Id, erasure.Contact, erasure.FinishedAt is null ? "erased" : "finished", erasure.By, erasure.At, erasure.FinishedAt);
}
