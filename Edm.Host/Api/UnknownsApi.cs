using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Unknowns;
using Edm.Host.Http;

namespace Edm.Host.Api;

internal static class UnknownsApi
{
    public static void MapUnknowns(this IEndpointRouteBuilder v1)
    {
        var unknowns = v1.MapGroup("/unknown-outcomes").WithTags("Tasks");
        unknowns.MapGet("", ListAsync).WithSummary("List the mails of which nobody can know whether they went out")
            .WithDescription("Of all your tasks. They are not sent again by themselves, unless the campaign or the setting says so.").Produces<UnknownPage>().Fails(400);
        unknowns.MapPost("/evidence", ProveAsync).WithSummary("Prove mails delivered")
            .WithDescription("Unknown mails with these Message-IDs are sent from now on. All others stay as they are; asking again changes nothing.")
            .Produces<EvidenceView>().Fails(400, 409);
        v1.MapPost("/tasks/{id:long}/unknown", ResolveAsync).WithTags("Tasks").WithSummary("Decide unknown mails of a task")
            .WithDescription("Who is not unknown (any more) stays as it is. A finished task whose mails are sent again runs again, also one that ended long ago; a cancelled one sends none again. The answer comes when that is durable.")
            .Produces<ChangedView>().Fails(400, 404, 409);
    }

    private static async Task<UnknownPage> ListAsync(Caller caller, UnknownStore store, CancellationToken cancellation, string? after = null, int limit = Paging.Default)
    {
        var mark = default(UnknownMark);
        if (after is not null && !UnknownMark.TryParse(after, out mark))
        {
            throw new FieldException("after", $"'{after}' is not the end of a page.");
        }

        var found = await store.PageAsync(caller.User, mark, Paging.Limit(limit), cancellation);
        return new UnknownPage(
            await store.CountAsync(caller.User, cancellation),
            [.. found.Select(one => new UnknownOutcomeView(
                one.Task, one.Campaign, one.Seq, one.Contact, one.Email, one.Service, one.ServiceName, one.At, one.Reason, one.MessageId))],
            found.Count < limit ? null : new UnknownMark(found[^1].Task, found[^1].Seq).ToString());
    }

    private static async Task<IResult> ResolveAsync(long id, UnknownDecision body, Caller caller, UnknownControl control, CancellationToken cancellation)
    {
        var verdict = body.As switch
        {
            "sent" => UnknownVerdict.Sent,
            "failed" => UnknownVerdict.Failed,
            "resend" => UnknownVerdict.Resend,
            _ => throw new FieldException("as", $"'{body.As}' is none of sent, failed, resend."),
        };
        var ways = (body.Seqs is null ? 0 : 1) + (body.ServiceId is null ? 0 : 1) + (body.All ? 1 : 0);
        if (ways != 1)
        {
            throw new FieldException("seqs", "Say who is meant: the numbers of recipients as seqs, a serviceId, or all; one of them.");
        }

        if (body.Seqs is { Count: 0 or > UnknownControl.MaxAtOnce })
        {
            throw new FieldException("seqs", $"Give 1 to {UnknownControl.MaxAtOnce} numbers of recipients.");
        }

        var changed = await control.ResolveAsync(caller.User, new TaskId(id), verdict, body.Seqs, body.ServiceId, $"key {caller.KeyId}", body.Why, cancellation);
        return changed is { } count ? TypedResults.Ok(new ChangedView(count)) : Problems.NotFound("There is no such task.");
    }

    private static async Task<EvidenceView> ProveAsync(DeliveryEvidence body, Caller caller, UnknownControl control, CancellationToken cancellation)
    {
        if (body.MessageIds is not { Count: >= 1 and <= UnknownControl.MaxAtOnce })
        {
            throw new FieldException("messageIds", $"Give 1 to {UnknownControl.MaxAtOnce} Message-IDs.");
        }

        var evidence = await control.ProveAsync(caller.User, body.MessageIds, body.Source, cancellation);
        return new EvidenceView(evidence.Resolved, evidence.Settled, evidence.NotMine);
    }
}
