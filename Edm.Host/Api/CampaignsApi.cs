using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Campaigns;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Segments;
using Edm.Host.Http;

namespace Edm.Host.Api;

internal static class CampaignsApi
{
    private const string NoSuchCampaign = "There is no such campaign.";

    public static void MapCampaigns(this IEndpointRouteBuilder v1)
    {
        var campaigns = v1.MapGroup("/campaigns").WithTags("Campaigns");
        campaigns.MapPost("", CreateAsync).WithSummary("Create a campaign").WithDescription("It is a draft: nothing is fixed and nothing is sent.")
            .Produces<CampaignView>(StatusCodes.Status201Created).Fails(400);
        campaigns.MapGet("", ListAsync).WithSummary("List campaigns").Produces<Page<CampaignView>>().Fails(400);
        campaigns.MapGet("/{id:long}", GetAsync).WithSummary("Get a campaign").Produces<CampaignView>().Fails(404);
        campaigns.MapPatch("/{id:long}", ChangeAsync).WithSummary("Change a draft").Produces<CampaignView>().Fails(400, 404, 409);
        campaigns.MapDelete("/{id:long}", DeleteAsync).WithSummary("Delete a campaign that has not been launched")
            .Produces(StatusCodes.Status204NoContent).Fails(404, 409);
        campaigns.MapPost("/{id:long}/freeze", FreezeAsync).WithSummary("Fix the audience")
            .WithDescription("Every active contact that passes the filter now becomes a recipient of a new task. Asking again answers the same task.")
            .Produces<FrozenView>().Fails(404, 409);
        campaigns.MapPost("/{id:long}/launch", LaunchAsync).WithSummary("Put the frozen task to work").WithDescription("Asking again changes nothing.")
            .Produces<LaunchedView>().Fails(404, 409);
    }

    private static async Task<IResult> CreateAsync(NewCampaign body, Caller caller, CampaignStore store, SegmentStore segments, CancellationToken cancellation)
    {
        var filter = body.Filter;
        if (body.SegmentId is { } id)
        {
            if (!string.IsNullOrWhiteSpace(filter))
            {
                throw new FieldException("segmentId", "Give a filter or a segment, not both; a filter can mention one as segment:NAME.");
            }

            // By its name, which the draft follows when it is changed.
            filter = await segments.GetAsync(caller.User, id, cancellation) is { } segment
                ? ContactFilter.OfSegment(segment.Name).Text
                : throw new FieldException("segmentId", $"There is no segment {id}.");
        }

        var campaign = await store.CreateAsync(caller.User, new CampaignPlan(body.Name, body.TemplateId, body.PoolId, filter, body.Priority, body.Cap, UnknownPolicies.Parse(body.Unknown, "unknown"), RetryWords.Read(body.Retry)), cancellation);
        return TypedResults.Created($"/v1/campaigns/{campaign.Id}", View(campaign));
    }

    private static async Task<Page<CampaignView>> ListAsync(Caller caller, CampaignStore store, CancellationToken cancellation, long after = 0, int limit = Paging.Default)
    {
        var found = await store.ListAsync(caller.User, new CampaignId(after), Paging.Limit(limit), cancellation);
        return Paging.Page(found, limit, campaign => campaign.Id.Value, View);
    }

    private static async Task<IResult> GetAsync(long id, Caller caller, CampaignStore store, CancellationToken cancellation) =>
        Answer(await store.FindAsync(caller.User, new CampaignId(id), cancellation));

    private static async Task<IResult> ChangeAsync(long id, CampaignChange body, Caller caller, CampaignStore store, CancellationToken cancellation) =>
        Answer(await store.ChangeAsync(
            caller.User,
            new CampaignId(id),
            plan => new CampaignPlan(
                body.Name.OrKeep(plan.Name, "name"), body.TemplateId.OrKeep(plan.Template, "templateId"), body.PoolId.OrKeep(plan.Pool, "poolId"),
                body.Filter.OrKeep(plan.Filter, "filter"), body.Priority.OrKeep(plan.Priority, "priority"),
                body.Cap.Or(plan.Cap), body.Unknown.IsGiven ? UnknownPolicies.Parse(body.Unknown.Or(null), "unknown") : plan.Unknown,
                body.Retry.IsGiven ? RetryWords.Read(body.Retry.Or(null)) : plan.Retry),
            cancellation));

    private static async Task<IResult> DeleteAsync(long id, Caller caller, CampaignStore store, CancellationToken cancellation) =>
        await store.DeleteAsync(caller.User, new CampaignId(id), cancellation) ? TypedResults.NoContent() : Problems.NotFound(NoSuchCampaign);

    private static async Task<IResult> FreezeAsync(long id, Caller caller, AudienceStore store, CancellationToken cancellation) =>
        await store.FreezeAsync(caller.User, new CampaignId(id), cancellation) is { } frozen
            ? TypedResults.Ok(new FrozenView(frozen.Task, frozen.Planned))
            : Problems.NotFound(NoSuchCampaign);

    private static async Task<IResult> LaunchAsync(long id, Caller caller, TaskStore store, Launcher launcher, CancellationToken cancellation)
    {
        if (await store.LaunchAsync(caller.User, new CampaignId(id), cancellation) is not { } task)
        {
            return Problems.NotFound(NoSuchCampaign);
        }

        launcher.Signal();
        return TypedResults.Ok(new LaunchedView(task));
    }

    private static IResult Answer(Campaign? campaign) => campaign is null ? Problems.NotFound(NoSuchCampaign) : TypedResults.Ok(View(campaign));

    private static CampaignView View(Campaign campaign) => new(
        campaign.Id, campaign.Name, campaign.Template, campaign.Pool, campaign.Filter, campaign.Priority, campaign.State.ToString().ToLowerInvariant(),
        campaign.Task, campaign.CreatedAt, campaign.Cap, UnknownPolicies.Name(campaign.Unknown), RetryWords.View(campaign.Retry));
}
