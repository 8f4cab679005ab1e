using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Search;
using Edm.Host.Http;

namespace Edm.Host.Api;

internal static class ContactsApi
{
    private const string NoSuchContact = "There is no such contact.";

    public static void MapContacts(this IEndpointRouteBuilder v1)
    {
        var contacts = v1.MapGroup("/contacts").WithTags("Contacts");
        contacts.MapGet("", ListAsync).WithSummary("List contacts").WithDescription("All, or those that pass the filter, in the order of their ids.")
            .Produces<Page<ContactView>>().Fails(400);
        contacts.MapGet("/count", CountAsync).WithSummary("Count contacts")
            .WithDescription("All, or those that pass the filter, such as `followers >= 10k and country in (US, GB)`.").Produces<CountView>().Fails(400);
        contacts.MapGet("/{id:long}", GetAsync).WithSummary("Get a contact").Produces<ContactView>().Fails(404);
        contacts.MapDelete("/{id:long}", DeleteAsync).WithSummary("Delete a contact").WithDescription("Audiences that hold it skip it.")
            .Produces(StatusCodes.Status204NoContent).Fails(404);
    }

    private static async Task<Page<ContactView>> ListAsync(
        Caller caller, ContactSearch search, CancellationToken cancellation, string? filter = null, long after = 0, int limit = Paging.Default)
    {
        var found = await search.PageAsync(caller.User, ContactFilter.Parse(filter), ContactOrder.Oldest, $"{after}", Paging.Limit(limit), cancellation);
        return new Page<ContactView>([.. found.Contacts.Select(View)], found.Next is null ? null : long.Parse(found.Next, System.Globalization.CultureInfo.InvariantCulture));
    }

    private static async Task<CountView> CountAsync(Caller caller, ContactSearch search, CancellationToken cancellation, string? filter = null) =>
        new(await search.CountAsync(caller.User, ContactFilter.Parse(filter), cancellation));

    private static async Task<IResult> GetAsync(long id, Caller caller, ContactStore store, CancellationToken cancellation) =>
        await store.GetAsync(caller.User, new ContactId(id), cancellation) is { } contact ? TypedResults.Ok(View(contact)) : Problems.NotFound(NoSuchContact);

    private static async Task<IResult> DeleteAsync(long id, Caller caller, ContactStore store, CancellationToken cancellation) =>
        await store.DeleteAsync(caller.User, new ContactId(id), cancellation) ? TypedResults.NoContent() : Problems.NotFound(NoSuchContact);

    private static ContactView View(Contact contact)
    {
        var card = contact.Card;
        return new ContactView(
            card.Id, card.Email, card.Handle, card.Nickname, card.Followers, card.Country, card.Language, card.Category, card.Bio, card.Attributes,
            contact.Status.Name(), contact.CreatedAt, contact.UpdatedAt);
    }
}
