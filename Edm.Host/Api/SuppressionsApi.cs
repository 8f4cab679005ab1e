using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Contacts.Suppressions;
using Edm.Host.Http;

namespace Edm.Host.Api;

internal static class SuppressionsApi
{
    public static void MapSuppressions(this IEndpointRouteBuilder v1)
    {
        var suppressions = v1.MapGroup("/suppressions").WithTags("Suppressions");
        suppressions.MapGet("", ListAsync).WithSummary("List who is not mailed")
            .WithDescription(
                """
                Contacts that are unsubscribed or suppressed, and addresses without a contact that may not come back. A contact is suppressed by itself when a mail server says for good
                that there is no such mailbox; the reply stands here. No other failure suppresses anybody.
                """)
            .Produces<SuppressionPage>().Fails(400);
        suppressions.MapPost("", AddAsync).WithSummary("Suppress an address")
            .WithDescription("The contact with this address gets no mail any more; without one, no import brings it in. Twice is like once.")
            .Produces(StatusCodes.Status204NoContent).Fails(400);
        suppressions.MapDelete("", RemoveAsync).WithSummary("Let an address be mailed again").WithDescription("Not that of somebody who unsubscribed or was erased.")
            .Produces(StatusCodes.Status204NoContent).Fails(400, 404, 409);
    }

    private static async Task<SuppressionPage> ListAsync(Caller caller, SuppressionList list, CancellationToken cancellation, string? after = null, int limit = Paging.Default)
    {
        var (items, next) = await list.PageAsync(caller.User, after, Paging.Limit(limit), cancellation);
        return new SuppressionPage([.. items.Select(View)], next);
    }

    private static async Task<IResult> AddAsync(NewSuppression body, Caller caller, SuppressionList list, CancellationToken cancellation)
    {
        await list.AddAsync(caller.User, body.Email, caller.KeyName, cancellation);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> RemoveAsync(string email, Caller caller, SuppressionList list, CancellationToken cancellation) =>
        await list.RemoveAsync(caller.User, email, caller.KeyName, cancellation) ? TypedResults.NoContent() : Problems.NotFound("This address is not suppressed.");

    private static SuppressionView View(Suppressed one) => new(
        one.Email, one.Hash, one.Reason, one.Contact, one.At, one.Cause?.Task, one.Cause?.ReplyCode, one.Cause?.Enhanced, one.Cause?.Reply);
}
