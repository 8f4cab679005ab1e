using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Campaigns;
using Edm.Engine.Dispatch;
using Edm.Host.Http;

namespace Edm.Host.Api;

internal static class TasksApi
{
    private const string NoSuchTask = "There is no such task.";

    public static void MapTasks(this IEndpointRouteBuilder v1)
    {
        var tasks = v1.MapGroup("/tasks").WithTags("Tasks");
        tasks.MapGet("", ListAsync).WithSummary("List tasks").Produces<Page<TaskSummaryView>>().Fails(400);
        tasks.MapGet("/{id:long}", GetAsync).WithSummary("Get the ledger of a task")
            .WithDescription("Exact at this moment: planned is always the sum of the eight counts.").Produces<TaskView>().Fails(404);
        tasks.MapGet("/{id:long}/recipients", RecipientsAsync).WithSummary("List the recipients of a task")
            .WithDescription("All, or those in one state, in the order of their numbers. States are exact; reply, reason and times may be a moment behind.")
            .Produces<Page<RecipientView>>().Fails(400, 404);
        tasks.MapGet("/{id:long}/why", WhyAsync).WithSummary("Why does nothing of a task go out")
            .WithDescription("The reasons in their order, when the next mail can go, and when the rest can be done by the limits of the pool's services.").Produces<WhyView>().Fails(404);
        tasks.MapPatch("/{id:long}", ChangeAsync).WithSummary("Change the priority, the cap or the policy for unknown mails of a task")
            .WithDescription("Also while it is at work. At its cap a task hands out nobody for a first try; those that were handed out are still retried. A policy holds for mails that become unknown from then on, and retry rules for tries from then on.")
            .Produces<TaskView>().Fails(400, 404, 409);
        MapCommand<PauseTask>(tasks, "pause", "Pause a task", "No further mail starts; what is on the wire ends.", (user, task) => new PauseTask(user, task));
        MapCommand<ResumeTask>(tasks, "resume", "Resume a paused task", "It goes on where it stopped.", (user, task) => new ResumeTask(user, task));
        MapCommand<CancelTask>(tasks, "cancel", "Cancel a task", "Who has not been sent a mail yet gets none.", (user, task) => new CancelTask(user, task));
        MapMissed(tasks);
        MapCommand<RetryFailed>(tasks, "retry", "Try the failed recipients again", "Those that failed, and no others, wait again. A task whose time was over has no end any more.", (user, task) => new RetryFailed(user, task));
    }

    private static void MapMissed(IEndpointRouteBuilder tasks) =>
        tasks.MapPost("/{id:long}/missed", async (long id, Missed? body, Caller caller, TaskControl control, CancellationToken cancellation) =>
            {
                var state = body?.State;
                if (state is not (null or "cancelled" or "skipped"))
                {
                    throw new FieldException("state", $"'{state}' is none of cancelled, skipped.");
                }

                return await control.CommandAsync(caller.User, new TaskId(id), (user, task) => new SendToMissed(user, task, state != "skipped", state != "cancelled"), cancellation) is { } changed
                    ? TypedResults.Ok(new ChangedView(changed))
                    : Problems.NotFound(NoSuchTask);
            })
            .WithSummary("Send to those missed")
            .WithDescription("Recipients of a finished or cancelled task, however long ago it ended, that were cancelled or skipped wait again, and the task runs. Who may still not be mailed is skipped again. A task whose time was over has no end any more. The answer comes when that is durable.")
            .Produces<ChangedView>().Fails(400, 404, 409);

    private static void MapCommand<T>(IEndpointRouteBuilder tasks, string verb, string summary, string description, Func<UserId, TaskId, IForUserQueue> command) =>
        tasks.MapPost($"/{{id:long}}/{verb}", async (long id, Caller caller, TaskControl control, CancellationToken cancellation) =>
                await control.CommandAsync(caller.User, new TaskId(id), command, cancellation) is { } changed
                    ? TypedResults.Ok(new ChangedView(changed))
                    : Problems.NotFound(NoSuchTask))
            .WithSummary(summary).WithDescription($"{description} The answer comes when that is durable.").Produces<ChangedView>().Fails(404, 409);

    private static async Task<Page<TaskSummaryView>> ListAsync(Caller caller, TaskStore store, CancellationToken cancellation, long after = 0, int limit = Paging.Default)
    {
        var found = await store.ListAsync(caller.User, new TaskId(after), Paging.Limit(limit), cancellation);
        return Paging.Page(found, limit, task => task.Id.Value, task => new TaskSummaryView(
            task.Id, task.Campaign, task.CampaignName, task.State, task.Planned, task.Sent, task.Failed, task.Skipped, task.Unknown,
            task.CreatedAt, task.LaunchedAt, task.FinishedAt));
    }

    private static async Task<IResult> GetAsync(long id, Caller caller, TaskReader reader, PoolConditions pools, TimeProvider time, CancellationToken cancellation)
    {
        if (await reader.FindAsync(caller.User, new TaskId(id), cancellation) is not { } standing)
        {
            return Problems.NotFound(NoSuchTask);
        }

        var pool = await pools.OfAsync(caller.User, standing, PoolConditions.Glance, cancellation);
        return TypedResults.Ok(View(standing, pool, time.GetUtcNow()));
    }

    private static async Task<IResult> WhyAsync(
        long id, Caller caller, TaskReader reader, PoolCapacityStore capacities, PoolConditions pools, TimeProvider time, CancellationToken cancellation)
    {
        if (await reader.FindAsync(caller.User, new TaskId(id), cancellation) is not { } standing)
        {
            return Problems.NotFound(NoSuchTask);
        }

        var now = time.GetUtcNow();
        var pool = await pools.OfAsync(caller.User, standing, LaneReports.Deadline, cancellation);
        var capacity = await capacities.OfAsync(caller.User, standing, pool.Reports, cancellation);
        return TypedResults.Ok(new WhyView(
            standing.State, [.. TaskReasons.Of(standing, pool).Select(reason => new ReasonView(reason.Code, reason.Text, reason.Until))], standing.NextAt(pool),
            standing.Eta(now), capacity.Sentence(standing.Open, now)));
    }

    private static async Task<IResult> ChangeAsync(
        long id, TaskChange body, Caller caller, TaskControl control, TaskReader reader, PoolConditions pools, TimeProvider time, CancellationToken cancellation)
    {
        var priority = body.Priority.IsGiven ? body.Priority.OrKeep(1, "priority") : (int?)null;
        var unknown = body.Unknown.IsGiven ? UnknownPolicies.Parse(body.Unknown.OrKeep("", "unknown"), "unknown") : null;
        var retry = body.Retry.IsGiven ? RetryWords.Read(body.Retry.Or(null)) : null;
        return await control.ChangeAsync(caller.User, new TaskId(id), priority, body.Cap.IsGiven ? new TaskCap(body.Cap.Or(null)) : null, unknown, retry, cancellation) is null
            ? Problems.NotFound(NoSuchTask)
            : await GetAsync(id, caller, reader, pools, time, cancellation);
    }

    private static async Task<IResult> RecipientsAsync(
        long id, Caller caller, TaskReader reader, CancellationToken cancellation, string? state = null, int after = 0, int limit = Paging.Default)
    {
        RecipientState? wanted = null;
        if (state is not null)
        {
            wanted = RecipientStates.TryParse(state, out var parsed)
                ? parsed
                : throw new FieldException("state", $"'{state}' is none of {string.Join(", ", RecipientStates.All)}.");
        }

        if (after < 0)
        {
            throw new FieldException("after", $"{after} is not the number of a recipient.");
        }

        return await reader.RecipientsAsync(caller.User, new TaskId(id), wanted, after, Paging.Limit(limit), cancellation) is var (items, next)
            ? TypedResults.Ok(new Page<RecipientView>([.. items.Select(View)], next))
            : Problems.NotFound(NoSuchTask);
    }

    private static TaskView View(TaskStanding standing, PoolCondition pool, DateTimeOffset now)
    {
        var task = standing.Task;
        var counts = new RecipientCounts(
            standing.Of(RecipientState.Waiting), standing.Of(RecipientState.Leased), standing.Of(RecipientState.PendingRetry), standing.Of(RecipientState.Sent),
            standing.Of(RecipientState.Failed), standing.Of(RecipientState.Skipped), standing.Of(RecipientState.Cancelled), standing.Of(RecipientState.Unknown));
        return new TaskView(
            task.Id, task.Campaign, task.CampaignName, task.Pool, task.Priority, standing.State, task.Planned, counts, standing.Counts.Sum() == task.Planned,
            Math.Round(standing.SentPerSecond, 2), standing.Eta(now), standing.Why(pool), standing.NextRetryAt, task.CreatedAt, task.LaunchedAt, standing.FinishedAt, task.Cap,
            UnknownPolicies.Name(task.Policy), RetryWords.View(task.Retry), task.EndsAt);
    }

    private static RecipientView View(RecipientStanding one)
    {
        var details = one.Details;
        return new RecipientView(
            one.Seq, one.State.Name(), details?.Contact, one.Email, one.Attempts, details?.Service, details?.ReplyCode, details?.Enhanced, details?.Reply,
            details?.Reason, details?.Class, details?.FirstAt, details?.LastAt, one.DueAt,
            details?.Choice is { } choice ? new SelectionView(choice.Score / 1000.0, choice.RunnerUp, choice.RunnerUpScore / 1000.0) : null);
    }
}
