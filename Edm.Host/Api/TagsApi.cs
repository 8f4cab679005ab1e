using System.Text.Json;
using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Tags;
using Edm.Host.Http;

namespace Edm.Host.Api;

internal static class TagsApi
{
    private const string NoSuchTag = "There is no such tag.";
    private const string NoSuchOperation = "There is no such operation.";
    private const string NoSuchContact = "There is no such contact.";

    public static void MapTags(this IEndpointRouteBuilder v1)
    {
        var tags = v1.MapGroup("/tags").WithTags("Tags");
        tags.MapGet("", ListAsync).WithSummary("List all tags with their counts").WithDescription("By name, all at once. The counts are exact.").Produces<IReadOnlyList<TagView>>();
        tags.MapPost("", CreateAsync).WithSummary("Create a tag").WithDescription("Adding a tag to contacts makes it too.")
            .Produces<TagView>(StatusCodes.Status201Created).Fails(400, 409);
        tags.MapGet("/{id:long}", GetAsync).WithSummary("Get a tag").Produces<TagView>().Fails(404);
        tags.MapPatch("/{id:long}", ChangeAsync).WithSummary("Rename or recolour a tag").Produces<TagView>().Fails(400, 404, 409);
        tags.MapDelete("/{id:long}", DeleteAsync).WithSummary("Delete a tag").WithDescription("It leaves all contacts. Can be undone.")
            .Produces(StatusCodes.Status204NoContent).Fails(404);
        tags.MapPost("/{id:long}/merge", MergeAsync).WithSummary("Merge other tags into this one")
            .WithDescription("Whoever has one of the others gets this one instead, and the others are deleted. Can be undone.").Produces<TagView>().Fails(400, 404);
        tags.MapPost("/apply", ApplyAsync).WithSummary("Add, remove or replace tags of many contacts")
            .WithDescription("In one step, for a filter, a list of contacts or what an import brought. `dryRun` only counts.").Produces<TagApplyView>().Fails(400, 409);
        tags.MapPost("/common", CommonAsync).WithSummary("Count the tags that some contacts have in common").Produces<CommonTagsView>().Fails(400);
        tags.MapGet("/operations", OperationsAsync).WithSummary("List changes of tags, the newest first")
            .WithDescription("With `contactId` those that changed a tag of this contact: who tagged it, when.").Produces<Page<TagOperationView>>().Fails(400, 404);
        tags.MapGet("/operations/{id:long}", OperationAsync).WithSummary("Get a change of tags").Produces<TagOperationDetailView>().Fails(404);
        tags.MapPost("/operations/{id:long}/undo", UndoAsync).WithSummary("Undo a change of tags")
            .WithDescription(
                """
                Takes back exactly what it changed, as a change of its own, which can be undone in turn. If a newer change contradicts it, nothing is done and the answer
                (409) names the newer ones.
                """)
            .Produces<TagOperationView>().Fails(404, 409);
        v1.MapGet("/contacts/{id:long}/tags", OfContactAsync).WithTags("Contacts").WithSummary("List the tags of a contact and where each came from")
            .Produces<IReadOnlyList<ContactTagView>>().Fails(404);
    }

    private static async Task<IReadOnlyList<TagView>> ListAsync(Caller caller, TagStore store, CancellationToken cancellation) =>
        [.. (await store.ListAsync(caller.User, cancellation)).Select(View)];

    private static async Task<IResult> CreateAsync(NewTag body, Caller caller, TagStore store, CancellationToken cancellation)
    {
        var tag = await store.CreateAsync(caller.User, TagName.Parse(body.Name, "name"), TagDefinition.ParseColor(body.Color, "color"), Person(caller), cancellation);
        return TypedResults.Created($"/v1/tags/{tag.Id}", View(tag));
    }

    private static async Task<IResult> GetAsync(long id, Caller caller, TagStore store, CancellationToken cancellation) =>
        await store.GetAsync(caller.User, new TagId(id), cancellation) is { } tag ? TypedResults.Ok(View(tag)) : Problems.NotFound(NoSuchTag);

    private static async Task<IResult> ChangeAsync(long id, TagChange body, Caller caller, TagStore store, CancellationToken cancellation)
    {
        var changed = await store.ChangeAsync(
            caller.User, new TagId(id),
            now => new TagDefinition(
                body.Name.IsGiven ? TagName.Parse(body.Name.OrKeep(now.Name, "name"), "name").Text : now.Name,
                body.Color.IsGiven ? TagDefinition.ParseColor(body.Color.Or(now.Color), "color") : now.Color),
            Person(caller), cancellation);
        return changed is null ? Problems.NotFound(NoSuchTag) : TypedResults.Ok(View(changed));
    }

    private static async Task<IResult> DeleteAsync(long id, Caller caller, TagStore store, CancellationToken cancellation) =>
        await store.DeleteAsync(caller.User, new TagId(id), Person(caller), cancellation) ? TypedResults.NoContent() : Problems.NotFound(NoSuchTag);

    private static async Task<IResult> MergeAsync(long id, TagMerge body, Caller caller, TagStore store, CancellationToken cancellation) =>
        await store.MergeAsync(caller.User, new TagId(id), body.TagIds, Person(caller), cancellation) is { } tag ? TypedResults.Ok(View(tag)) : Problems.NotFound(NoSuchTag);

    private static async Task<TagApplyView> ApplyAsync(TagApplyRequest body, Caller caller, TagApplication application, CancellationToken cancellation)
    {
        var request = TagRequests.Read(body, caller);
        var result = body.DryRun ? await application.TryAsync(request, caller.User, cancellation) : await application.ApplyAsync(request, caller.User, cancellation);
        return new TagApplyView(
            result.Operation, result.Contacts, result.Missing, result.Added, result.Removed, [.. result.Tags.Select(tag => new TagCountView(tag.Tag, tag.Name, tag.Added, tag.Removed))]);
    }

    private static async Task<CommonTagsView> CommonAsync(CommonTagsRequest body, Caller caller, TagApplication application, CancellationToken cancellation)
    {
        var (contacts, missing, tags) = await application.CommonAsync(TagRequests.Target(body.Filter, body.ContactIds, null, null), caller.User, cancellation);
        return new CommonTagsView(
            contacts, missing, [.. tags.Select(common => new CommonTagView(common.Tag.Id, common.Tag.Name, common.Tag.Color, common.Contacts, common.Contacts == contacts))]);
    }

    private static async Task<IResult> OperationsAsync(
        Caller caller, TagHistory history, CancellationToken cancellation, long? contactId = null, long? after = null, int limit = Paging.Default)
    {
        var before = after is { } last ? new TagOperationId(last) : (TagOperationId?)null;
        var found = contactId is { } contact
            ? await history.ListAsync(caller.User, new ContactId(contact), before, Paging.Limit(limit), cancellation)
            : await history.ListAsync(caller.User, before, Paging.Limit(limit), cancellation);
        return found is null ? Problems.NotFound(NoSuchContact) : TypedResults.Ok(Paging.Page(found, limit, operation => operation.Id.Value, View));
    }

    private static async Task<IResult> OperationAsync(long id, Caller caller, TagHistory history, CancellationToken cancellation) =>
        await history.GetAsync(caller.User, new TagOperationId(id), cancellation) is var (operation, effects)
            ? TypedResults.Ok(new TagOperationDetailView(View(operation), [.. effects.Select(e =>
                new TagEffectView(e.Tag, e.Name, e.Added, e.Removed, e.Before?.Name, e.Before?.Color, e.After?.Name, e.After?.Color))]))
            : Problems.NotFound(NoSuchOperation);

    private static async Task<IResult> UndoAsync(long id, Caller caller, TagUndo undo, CancellationToken cancellation) =>
        await undo.UndoAsync(caller.User, new TagOperationId(id), Person(caller), cancellation) is { } operation
            ? TypedResults.Ok(View(operation))
            : Problems.NotFound(NoSuchOperation);

    private static async Task<IResult> OfContactAsync(long id, Caller caller, TagHistory history, CancellationToken cancellation) =>
        await history.OfContactAsync(caller.User, new ContactId(id), cancellation) is { } tags
            ? TypedResults.Ok<IReadOnlyList<ContactTagView>>([.. tags.Select(one => new ContactTagView(one.Tag.Id, one.Tag.Name, one.Tag.Color, one.By is { } by ? View(by) : null))])
            : Problems.NotFound(NoSuchContact);

    private static TagOrigin Person(Caller caller) => new(TagSource.Person, caller.KeyName);

    private static TagView View(Tag tag) => new(tag.Id, tag.Name, tag.Color, tag.Contacts, tag.CreatedAt, tag.UpdatedAt);

    private static TagOperationView View(TagOperation operation)
    {
        using var details = JsonDocument.Parse(operation.Details);
        return new TagOperationView(
            operation.Id, operation.At, operation.Kind.Name(), operation.Origin.Source.Name(), operation.Origin.Actor, operation.Origin.Confidence, details.RootElement.Clone(),
            operation.Added, operation.Removed, operation.Undoes, operation.UndoneBy, operation is { UndoneBy: null, Kept: true });
    }
}
