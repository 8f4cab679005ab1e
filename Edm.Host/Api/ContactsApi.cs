using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Duplicates;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.History;
using Edm.Engine.Contacts.Search;
using Edm.Host.Http;

namespace Edm.Host.Api;

internal static class ContactsApi
{
    private const string NoSuchContact = "There is no such contact.";

    private const string FilterWords =
        """
        All, or those that pass the filter, such as `tag:beauty and not tag:contacted and followers > 10k and country in (US, GB) and lastSent < 30d ago`.

        Fields: `handle`, `nickname`, `country`, `language`, `category`, `bio`, `email`, `domain`, `status`, `followers`, `createdAt`, `updatedAt`, `lastSent`, and `attr.NAME` for
        other columns of an import, read as numbers, days or true and false where the test asks for it. `tag:NAME`, `tag in (a, b)`, `untagged`, `segment:NAME`.
        Tests: `= != < <= > >=`, `in (...)`, `between a and b`, `contains`, `starts with`, `is empty`, each also with `not`; joined by `and`, `or`, `not` and parentheses.
        Values with spaces in quotes. Days and moments, in UTC: `2026-01-31`, `today`, `30d ago`, `2w ago`, `6 months ago`. A missing value passes no test but `is empty` and negations.
        """;

    public static void MapContacts(this IEndpointRouteBuilder v1)
    {
        var contacts = v1.MapGroup("/contacts").WithTags("Contacts");
        contacts.MapGet("", ListAsync).WithSummary("List contacts")
            .WithDescription("All, or those that pass the filter, in the order in which they came, or sorted by a field. Stable while contacts come and go.")
            .Produces<ContactPage>().Fails(400);
        contacts.MapGet("/count", CountAsync).WithSummary("Count contacts").WithDescription(FilterWords).Produces<CountView>().Fails(400);
        contacts.MapGet("/sample", SampleAsync).WithSummary("Choose contacts at random")
            .WithDescription("The same `seed` chooses the same ones again, while the contacts stay the same.").Produces<ContactSampleView>().Fails(400);
        contacts.MapGet("/explain", ExplainAsync).WithSummary("Explain a filter")
            .WithDescription("How it was read, which of its tests are quick, how many contacts pass each, and how long it took.").Produces<FilterExplanationView>().Fails(400);
        contacts.MapPost("", CreateAsync).WithSummary("Create a contact")
            .WithDescription("Many at once are an import. Who unsubscribed, was suppressed or was erased is not brought back (409).")
            .Produces<ContactView>(StatusCodes.Status201Created).Fails(400, 409);
        contacts.MapGet("/{id:long}", GetAsync).WithSummary("Get a contact").Produces<ContactView>().Fails(404);
        contacts.MapPatch("/{id:long}", ChangeAsync).WithSummary("Change a contact")
            .WithDescription("`null` empties a field, or takes away an attribute; attributes that are not named stay.").Produces<ContactView>().Fails(400, 404, 409);
        contacts.MapDelete("/{id:long}", DeleteAsync).WithSummary("Delete a contact")
            .WithDescription("With its tags and its history. Audiences that hold it skip it. If it was not active its address is remembered as a hash, so that no import brings it back.")
            .Produces(StatusCodes.Status204NoContent).Fails(404);
        contacts.MapGet("/duplicates", DuplicatesAsync).WithSummary("Find contacts that are likely one person")
            .WithDescription("By mailbox, handle, or nickname and domain, the surest first: groups, at most 100 a page. A contact can be in several.").Produces<DuplicatePage>().Fails(400);
        contacts.MapPost("/{id:long}/merge", MergeAsync).WithSummary("Merge other contacts into this one")
            .WithDescription(
                """
                In one step: it takes what it has not, all their tags (one change of tags, which can be undone), the latest activity, the strictest status and their history. They are
                gone then: audiences that hold one of them skip it, so nobody is mailed twice. That can't be undone.
                """)
            .Produces<ContactView>().Fails(400, 404, 409);
        contacts.MapGet("/{id:long}/history", HistoryAsync).WithSummary("List what happened to a contact, the newest first")
            .WithDescription("Changes of fields with who, when, from and to; the imports that met it; merges; and changes of its tags.").Produces<ContactHistoryPage>().Fails(400, 404);
    }

    private static async Task<ContactPage> ListAsync(
        Caller caller, ContactSearch search, CancellationToken cancellation, string? filter = null, string? sort = null, string? after = null, int limit = Paging.Default) =>
        View(await search.PageAsync(caller.User, ContactFilter.Parse(filter), ContactOrder.Parse(sort), after, Paging.Limit(limit), cancellation));

    private static async Task<ContactSampleView> SampleAsync(
        Caller caller, ContactSearch search, CancellationToken cancellation, string? filter = null, long seed = 0, int limit = Paging.Default) =>
        new([.. (await search.SampleAsync(caller.User, ContactFilter.Parse(filter), seed, Paging.Limit(limit), cancellation)).Select(View)]);

    private static async Task<FilterExplanationView> ExplainAsync(Caller caller, ContactSearch search, CancellationToken cancellation, string? filter = null)
    {
        var explained = await search.ExplainAsync(caller.User, ContactFilter.Parse(filter), cancellation);
        return new FilterExplanationView(
            explained.Read, explained.Contacts, Rounded(explained.Milliseconds),
            [.. explained.Parts.Select(part => new FilterPartView(part.Test, part.By, part.Quick, part.Contacts, Rounded(part.Milliseconds)))]);

        static double Rounded(double milliseconds) => Math.Round(milliseconds, 2);
    }

    private static async Task<CountView> CountAsync(Caller caller, ContactSearch search, CancellationToken cancellation, string? filter = null) =>
        new(await search.CountAsync(caller.User, ContactFilter.Parse(filter), cancellation));

    private static async Task<IResult> GetAsync(long id, Caller caller, ContactStore store, CancellationToken cancellation) =>
        await store.GetAsync(caller.User, new ContactId(id), cancellation) is { } contact ? TypedResults.Ok(View(contact)) : Problems.NotFound(NoSuchContact);

    private static async Task<IResult> CreateAsync(NewContact body, Caller caller, ContactStore store, CancellationToken cancellation)
    {
        var draft = new ContactDraft
        {
            Email = body.Email, Handle = body.Handle, Nickname = body.Nickname, Followers = body.Followers, Country = body.Country, Language = body.Language, Category = body.Category,
            Bio = body.Bio, Attributes = body.Attributes ?? new Dictionary<string, string>(), Status = body.Status is { } status ? ReadStatus(status) : ContactStatus.Active,
        };
        var contact = await store.CreateAsync(caller.User, draft, caller.KeyName, cancellation);
        return TypedResults.Created($"/v1/contacts/{contact.Id}", View(contact));
    }

    private static async Task<IResult> ChangeAsync(long id, ContactChange body, Caller caller, ContactStore store, CancellationToken cancellation) =>
        await store.ChangeAsync(caller.User, new ContactId(id), now => Changed(ContactDraft.Of(now), body), caller.KeyName, cancellation) is { } contact
            ? TypedResults.Ok(View(contact))
            : Problems.NotFound(NoSuchContact);

    private static ContactDraft Changed(ContactDraft now, ContactChange body) => now with
    {
        Email = body.Email.OrKeep(now.Email, "email"),
        Handle = body.Handle.Or(now.Handle),
        Nickname = body.Nickname.Or(now.Nickname),
        Followers = body.Followers.Or(now.Followers),
        Country = body.Country.Or(now.Country),
        Language = body.Language.Or(now.Language),
        Category = body.Category.Or(now.Category),
        Bio = body.Bio.Or(now.Bio),
        Attributes = body.Attributes is { } some ? Changed(now.Attributes, some) : now.Attributes,
        Status = body.Status.IsGiven ? ReadStatus(body.Status.OrKeep("", "status")) : now.Status,
    };

    private static Dictionary<string, string> Changed(IReadOnlyDictionary<string, string> now, IReadOnlyDictionary<string, string?> some)
    {
        var all = new Dictionary<string, string>(now);
        foreach (var (name, value) in some)
        {
            if (value is null)
            {
                all.Remove(name);
            }
            else
            {
                all[name] = value;
            }
        }

        return all;
    }

    private static ContactStatus ReadStatus(string name) =>
        ContactStatuses.TryParse(name, out var status) ? status : throw new FieldException("status", $"'{name}' is not one of {string.Join(", ", ContactStatuses.All)}.");

    private static async Task<IResult> HistoryAsync(
        long id, Caller caller, ContactHistory history, CancellationToken cancellation, string? after = null, int limit = Paging.Default) =>
        await history.PageAsync(caller.User, new ContactId(id), after, Paging.Limit(limit), cancellation) is var (entries, next)
            ? TypedResults.Ok(new ContactHistoryPage(
                [.. entries.Select(entry => new ContactHistoryView(
                    entry.At, entry.Kind, entry.Source, entry.By, entry.Changes.ToDictionary(change => change.Key, change => new FieldChangeView(change.Value.From, change.Value.To)),
                    entry.TagsAdded, entry.TagsRemoved, entry.Merged, entry.Operation))],
                next))
            : Problems.NotFound(NoSuchContact);

    private static async Task<IResult> DeleteAsync(long id, Caller caller, ContactStore store, CancellationToken cancellation) =>
        await store.DeleteAsync(caller.User, new ContactId(id), cancellation) ? TypedResults.NoContent() : Problems.NotFound(NoSuchContact);

    private static async Task<DuplicatePage> DuplicatesAsync(
        Caller caller, DuplicateSearch search, CancellationToken cancellation, string? after = null, int limit = DuplicateSearch.MaxPage)
    {
        if (limit is < 1 or > DuplicateSearch.MaxPage)
        {
            throw new FieldException("limit", $"{limit} is not from 1 to {DuplicateSearch.MaxPage}.");
        }

        var (groups, next) = await search.PageAsync(caller.User, after, limit, cancellation);
        return new DuplicatePage([.. groups.Select(group => new DuplicateView(NameOf(group.Reason), group.Count, [.. group.Contacts.Select(View)]))], next);
    }

    private static string NameOf(DuplicateReason reason) => reason switch
    {
        DuplicateReason.Mailbox => "mailbox",
        DuplicateReason.Handle => "handle",
        DuplicateReason.NicknameAndDomain => "nickname",
        _ => throw new InvalidOperationException($"{reason} has no name."),
    };

    private static async Task<IResult> MergeAsync(long id, ContactMergeRequest body, Caller caller, ContactMerge merge, CancellationToken cancellation) =>
        await merge.MergeAsync(caller.User, new ContactId(id), body.From, caller.KeyName, cancellation) is { } contact ? TypedResults.Ok(View(contact)) : Problems.NotFound(NoSuchContact);

    internal static ContactPage View(FoundContacts found) => new([.. found.Contacts.Select(View)], found.Next is { } next ? new PageEnd(next) : null);

    private static ContactView View(Contact contact)
    {
        var card = contact.Card;
        return new ContactView(
            card.Id, card.Email, card.Handle, card.Nickname, card.Followers, card.Country, card.Language, card.Category, card.Bio, card.Attributes,
            contact.Status.Name(), contact.CreatedAt, contact.UpdatedAt);
    }
}
