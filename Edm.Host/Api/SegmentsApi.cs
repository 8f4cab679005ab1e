using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Search;
using Edm.Engine.Segments;
using Edm.Host.Http;
using Segment = Edm.Engine.Segments.Segment;

namespace Edm.Host.Api;

internal static class SegmentsApi
{
    private const string NoSuchSegment = "There is no such segment.";

    public static void MapSegments(this IEndpointRouteBuilder v1)
    {
        var segments = v1.MapGroup("/segments").WithTags("Segments");
        segments.MapPost("", CreateAsync).WithSummary("Create a segment")
            .WithDescription("A filter under a name. Other filters and campaigns mention it as `segment:NAME`; when it, or a tag in its filter, gets another name, they follow.")
            .Produces<SegmentView>(StatusCodes.Status201Created).Fails(400, 409);
        segments.MapGet("", ListAsync).WithSummary("List segments with their counts").WithDescription("All of them by name, counted at one moment.").Produces<SegmentList>();
        segments.MapGet("/{id:long}", GetAsync).WithSummary("Get a segment with its count").Produces<SegmentView>().Fails(404);
        segments.MapPatch("/{id:long}", ChangeAsync).WithSummary("Change a segment").Produces<SegmentView>().Fails(400, 404, 409);
        segments.MapDelete("/{id:long}", DeleteAsync).WithSummary("Delete a segment").WithDescription("Not while a segment or a draft of a campaign mentions it.")
            .Produces(StatusCodes.Status204NoContent).Fails(404, 409);
        segments.MapGet("/{id:long}/count", CountAsync).WithSummary("Count the contacts of a segment").Produces<CountView>().Fails(400, 404);
        segments.MapGet("/{id:long}/contacts", ContactsAsync).WithSummary("List the contacts of a segment").Produces<ContactPage>().Fails(400, 404);
    }

    private static async Task<IResult> CreateAsync(NewSegment body, Caller caller, SegmentStore store, ContactSearch search, CancellationToken cancellation)
    {
        var segment = await store.CreateAsync(caller.User, body.Name, body.Filter, cancellation);
        return TypedResults.Created($"/v1/segments/{segment.Id}", await CountedAsync(segment, caller, search, cancellation));
    }

    private static async Task<SegmentList> ListAsync(Caller caller, SegmentStore store, CancellationToken cancellation) =>
        new([.. (await store.ListAsync(caller.User, cancellation)).Select(counted => View(counted.Segment, counted.Contacts, counted.Why))]);

    private static async Task<IResult> GetAsync(long id, Caller caller, SegmentStore store, ContactSearch search, CancellationToken cancellation) =>
        await store.GetAsync(caller.User, new SegmentId(id), cancellation) is { } segment
            ? TypedResults.Ok(await CountedAsync(segment, caller, search, cancellation))
            : Problems.NotFound(NoSuchSegment);

    private static async Task<IResult> ChangeAsync(long id, SegmentChange body, Caller caller, SegmentStore store, ContactSearch search, CancellationToken cancellation)
    {
        var (name, filter) = (body.Name.IsGiven ? body.Name.OrKeep("", "name") : null, body.Filter.IsGiven ? body.Filter.OrKeep("", "filter") : null);
        return await store.ChangeAsync(caller.User, new SegmentId(id), name, filter, cancellation) is { } segment
            ? TypedResults.Ok(await CountedAsync(segment, caller, search, cancellation))
            : Problems.NotFound(NoSuchSegment);
    }

    private static async Task<IResult> DeleteAsync(long id, Caller caller, SegmentStore store, CancellationToken cancellation) =>
        await store.DeleteAsync(caller.User, new SegmentId(id), cancellation) ? TypedResults.NoContent() : Problems.NotFound(NoSuchSegment);

    private static async Task<IResult> CountAsync(long id, Caller caller, SegmentStore store, ContactSearch search, CancellationToken cancellation) =>
        await store.GetAsync(caller.User, new SegmentId(id), cancellation) is { } segment
            ? TypedResults.Ok(new CountView(await search.CountAsync(caller.User, ContactFilter.OfSegment(segment.Name), cancellation)))
            : Problems.NotFound(NoSuchSegment);

    private static async Task<IResult> ContactsAsync(
        long id, Caller caller, SegmentStore store, ContactSearch search, CancellationToken cancellation, string? sort = null, string? after = null, int limit = Paging.Default) =>
        await store.GetAsync(caller.User, new SegmentId(id), cancellation) is { } segment
            ? TypedResults.Ok(ContactsApi.View(await search.PageAsync(
                caller.User, ContactFilter.OfSegment(segment.Name), ContactOrder.Parse(sort), after, Paging.Limit(limit), cancellation)))
            : Problems.NotFound(NoSuchSegment);

    private static async Task<SegmentView> CountedAsync(Segment segment, Caller caller, ContactSearch search, CancellationToken cancellation)
    {
        try
        {
            return View(segment, await search.CountAsync(caller.User, ContactFilter.OfSegment(segment.Name), cancellation), null);
        }
        catch (ContactFilterException exception)
        {
            return View(segment, null, exception.Message);
        }
    }

    private static SegmentView View(Segment segment, long? contacts, string? problem) =>
        new(segment.Id, segment.Name, segment.Filter, contacts, problem, segment.CreatedAt, segment.UpdatedAt);
}
