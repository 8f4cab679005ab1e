using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;

namespace Edm.Engine.Campaigns;

/// <summary>A user's campaigns. Another user's is answered like one that does not exist.</summary>
public sealed class CampaignStore(EdmDatabase database, TimeProvider time)
{
    private const int MaxNameLength = 200;

    /// <summary>Far more than a person writes; bounds what parsing costs.</summary>
    private const int MaxFilterLength = 10_000;

    private const int MaxPriority = 100;

    /// <summary>Rows of an audience deleted in one transaction: on SQLite a transaction holds up all other writers.</summary>
    private const int DeleteChunk = 10_000;

    /// <exception cref="FieldException">A value can't be used, or names something that this user does not have.</exception>
    /// <exception cref="ContactFilterException">The filter can't be read.</exception>
    public Task<Campaign> CreateAsync(UserId user, CampaignPlan plan, CancellationToken cancellation)
    {
        RefuseUnfit(plan);
        return database.WriteAsync(
            async connection =>
            {
                await RefuseUnknownAsync(connection, user, plan, cancellation);
                var row = new CampaignRow
                {
                    UserId = user.Value,
                    Name = plan.Name.Trim(),
                    TemplateId = plan.Template.Value,
                    PoolId = plan.Pool.Value,
                    Filter = plan.Filter,
                    Priority = plan.Priority,
                    Cap = plan.Cap,
                    UnknownPolicy = UnknownPolicies.Name(plan.Unknown),
                    MaxAttempts = plan.Retry?.MaxAttempts,
                    MaxAge = plan.Retry?.MaxAgeSeconds,
                    SendWithin = plan.Retry?.SendWithinSeconds,
                    State = CampaignRow.NameOf(CampaignState.Draft),
                    CreatedAt = time.GetUtcNow().ToUnixTimeMilliseconds(),
                };
                var id = await connection.InsertWithInt64IdentityAsync(row, token: cancellation);
                return row.ToCampaign(null) with { Id = new CampaignId(id) };
            },
            cancellation);
    }

    public Task<Campaign?> FindAsync(UserId user, CampaignId id, CancellationToken cancellation) =>
        database.RunAsync(connection => FindAsync(connection, user, id, cancellation), cancellation);

    /// <returns>At most <paramref name="limit"/> with ids above <paramref name="after"/>, ascending.</returns>
    public Task<IReadOnlyList<Campaign>> ListAsync(UserId user, CampaignId after, int limit, CancellationToken cancellation) =>
        database.RunAsync<IReadOnlyList<Campaign>>(
            async connection =>
            {
                var rows = await WithTasks(connection)
                    .Where(found => found.Campaign.UserId == user.Value && found.Campaign.Id > after.Value)
                    .OrderBy(found => found.Campaign.Id)
                    .Take(limit)
                    .ToListAsync(cancellation);
                return [.. rows.Select(found => found.Campaign.ToCampaign(found.Task))];
            },
            cancellation);

    /// <summary>Changes a draft.</summary>
    /// <param name="change">From what it is to what it shall be.</param>
    /// <returns>Null when the user has no such campaign.</returns>
    /// <exception cref="ConflictException">It is not a draft any more.</exception>
    /// <inheritdoc cref="CreateAsync" path="/exception"/>
    public Task<Campaign?> ChangeAsync(UserId user, CampaignId id, Func<CampaignPlan, CampaignPlan> change, CancellationToken cancellation) =>
        database.WriteAsync(
            async connection =>
            {
                await LockAsync(connection, user, id, cancellation);
                if (await FindAsync(connection, user, id, cancellation) is not { } campaign)
                {
                    return null;
                }

                if (campaign.State != CampaignState.Draft)
                {
                    throw new ConflictException("The campaign is frozen: its audience has been promised this mail. Delete it, or make a new one.");
                }

                var plan = change(new CampaignPlan(campaign.Name, campaign.Template, campaign.Pool, campaign.Filter, campaign.Priority, campaign.Cap, campaign.Unknown, campaign.Retry));
                RefuseUnfit(plan);
                await RefuseUnknownAsync(connection, user, plan, cancellation);
                await connection.GetTable<CampaignRow>()
                    .Where(row => row.Id == id.Value)
                    .Set(row => row.Name, plan.Name.Trim())
                    .Set(row => row.TemplateId, plan.Template.Value)
                    .Set(row => row.PoolId, plan.Pool.Value)
                    .Set(row => row.Filter, plan.Filter)
                    .Set(row => row.Priority, plan.Priority)
                    .Set(row => row.Cap, plan.Cap)
                    .Set(row => row.UnknownPolicy, UnknownPolicies.Name(plan.Unknown))
                    .Set(row => row.MaxAttempts, plan.Retry?.MaxAttempts)
                    .Set(row => row.MaxAge, plan.Retry?.MaxAgeSeconds)
                    .Set(row => row.SendWithin, plan.Retry?.SendWithinSeconds)
                    .UpdateAsync(cancellation);
                return await FindAsync(connection, user, id, cancellation);
            },
            cancellation);

    /// <summary>Deletes a campaign that has not been launched, with its audience. One that breaks off is finished by asking again.</summary>
    /// <returns>False when the user has no such campaign.</returns>
    /// <exception cref="ConflictException">It has been launched: its ledger stays.</exception>
    public async Task<bool> DeleteAsync(UserId user, CampaignId id, CancellationToken cancellation)
    {
        // First its task becomes one that can't be launched, then the audience goes in small transactions.
        var found = await database.WriteAsync(
            async connection =>
            {
                await LockAsync(connection, user, id, cancellation);
                if (await FindAsync(connection, user, id, cancellation) is not { } campaign)
                {
                    return null;
                }

                if (campaign.State == CampaignState.Launched)
                {
                    throw new ConflictException("The campaign has been launched, and what became of its mails stays on record. Cancel its task to stop it.");
                }

                await connection.GetTable<TaskRow>().Where(row => row.CampaignId == id.Value).Set(row => row.State, TaskStates.Deleting).UpdateAsync(cancellation);
                return campaign;
            },
            cancellation);
        if (found is null)
        {
            return false;
        }

        await DeleteAudienceAsync(found.Task, cancellation);
        await database.WriteAsync(
            async connection =>
            {
                await connection.GetTable<TaskRow>().DeleteAsync(row => row.CampaignId == id.Value && row.State == TaskStates.Deleting, cancellation);
                await connection.GetTable<CampaignRow>().DeleteAsync(row => row.Id == id.Value, cancellation);
            },
            cancellation);
        return true;
    }

    /// <summary>Keeps others from changing the campaign in the same moment. SQLite has one writer at a time anyway.</summary>
    internal static Task LockAsync(EdmConnection connection, UserId user, CampaignId id, CancellationToken cancellation) => connection.IsPostgres
        ? connection.ExecuteAsync(
            "SELECT 1 FROM campaigns WHERE id = @id AND user_id = @user FOR UPDATE", cancellation, new DataParameter("id", id.Value), new DataParameter("user", user.Value))
        : Task.CompletedTask;

    internal static async Task<Campaign?> FindAsync(EdmConnection connection, UserId user, CampaignId id, CancellationToken cancellation)
    {
        var found = await WithTasks(connection).FirstOrDefaultAsync(found => found.Campaign.Id == id.Value && found.Campaign.UserId == user.Value, cancellation);
        return found?.Campaign.ToCampaign(found.Task);
    }

    private static IQueryable<CampaignWithTask> WithTasks(EdmConnection connection) =>
        from campaign in connection.GetTable<CampaignRow>()
        from task in connection.GetTable<TaskRow>().LeftJoin(task => task.CampaignId == campaign.Id && task.Round == AudienceStore.FirstRound)
        select new CampaignWithTask { Campaign = campaign, Task = Sql.ToNullable(task.Id) };

    private static void RefuseUnfit(CampaignPlan plan)
    {
        if (string.IsNullOrWhiteSpace(plan.Name) || plan.Name.Length > MaxNameLength)
        {
            throw new FieldException("name", $"A campaign's name is 1 to {MaxNameLength} characters.");
        }

        RefuseUnfit(plan.Priority, plan.Cap);
        plan.Retry?.RefuseUnfit();
        if (plan.Filter.Length > MaxFilterLength)
        {
            throw new FieldException("filter", $"A filter is at most {MaxFilterLength} characters.");
        }

        ContactFilter.Parse(plan.Filter);
    }

    /// <exception cref="FieldException">One of them can't be used.</exception>
    internal static void RefuseUnfit(int priority, int? cap)
    {
        if (priority is < 1 or > MaxPriority)
        {
            throw new FieldException("priority", $"{priority} is not from 1 to {MaxPriority}.");
        }

        if (cap < 0)
        {
            throw new FieldException("cap", $"{cap} is not a number of recipients: 0 or more, or null for no cap.");
        }
    }

    private async Task RefuseUnknownAsync(EdmConnection connection, UserId user, CampaignPlan plan, CancellationToken cancellation)
    {
        var parameters = new[] { new DataParameter("user", user.Value), new DataParameter("template", plan.Template.Value), new DataParameter("pool", plan.Pool.Value) };
        if (await connection.ExecuteAsync<long>(
            "SELECT count(*) FROM templates WHERE id = @template AND user_id = @user AND deleted_at IS NULL", cancellation, parameters) == 0)
        {
            throw new FieldException("templateId", $"There is no template {plan.Template}.");
        }

        if (await connection.ExecuteAsync<long>($"SELECT count(*) FROM pools WHERE id = @pool AND {AudienceStore.PoolIsOpen(connection)}", cancellation, parameters) == 0)
        {
            throw new FieldException("poolId", $"There is no pool {plan.Pool}.");
        }

        // Its tags and segments must be there; what they mean is found out again when it is frozen.
        await ContactFilter.Parse(plan.Filter).BindAsync(connection, user, time.GetUtcNow(), cancellation);
    }

    private async Task DeleteAudienceAsync(TaskId? task, CancellationToken cancellation)
    {
        if (task is not { } id)
        {
            return;
        }

        int deleted;
        do
        {
            deleted = await database.WriteAsync(
                connection => connection.ExecuteAsync(
                    "DELETE FROM audience WHERE task_id = @task AND seq IN (SELECT seq FROM audience WHERE task_id = @task LIMIT @chunk)",
                    cancellation, new DataParameter("task", id.Value), new DataParameter("chunk", DeleteChunk)),
                cancellation);
        }
        while (deleted > 0);
    }

    private sealed class CampaignWithTask
    {
        public required CampaignRow Campaign { get; init; }
        public long? Task { get; init; }
    }
}
