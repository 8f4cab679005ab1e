using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;

namespace Edm.Engine.Campaigns;

/// <summary>Fixes who gets a mail. From then on a task is numbers: seq 1 to planned, without holes.</summary>
public sealed class AudienceStore(EdmDatabase database, TimeProvider time)
{
    /// <summary>A campaign has one round so far.</summary>
    public const int FirstRound = 1;

    /// <summary>Freezing a million contacts takes some seconds; the drivers' default patience is half a minute.</summary>
    private const int FreezeTimeoutSeconds = 600;

    /// <summary>
    /// Puts every active contact that passes the campaign's filter into the audience of a new task, in one transaction, and pins the newest version of
    /// the template. Asking again answers the same task.
    /// </summary>
    /// <returns>Null when the user has no such campaign.</returns>
    /// <exception cref="ConflictException">The template or the pool is gone, or no contact passes the filter.</exception>
    public async Task<Frozen?> FreezeAsync(UserId user, CampaignId id, CancellationToken cancellation)
    {
        var frozen = await FreezeOnceAsync(user, id, cancellation);
        if (frozen is not null)
        {
            await TableStatistics.RefreshAsync(database, ["contacts", "audience"], cancellation);
        }

        return frozen;
    }

    private Task<Frozen?> FreezeOnceAsync(UserId user, CampaignId id, CancellationToken cancellation) => database.WriteAsync(
        async connection =>
        {
            connection.CommandTimeout = FreezeTimeoutSeconds;
            await CampaignStore.LockAsync(connection, user, id, cancellation);
            if (await CampaignStore.FindAsync(connection, user, id, cancellation) is not { } campaign)
            {
                return null;
            }

            if (campaign.State != CampaignState.Draft)
            {
                return await FrozenBeforeAsync(connection, campaign, cancellation);
            }

            var version = await TemplateVersionAsync(connection, user, campaign, cancellation);
            await RefuseClosedPoolAsync(connection, user, campaign, cancellation);

            var task = await InsertTaskAsync(connection, user, campaign, version, cancellation);
            var planned = await InsertAudienceAsync(connection, user, campaign, task, cancellation);
            if (planned == 0)
            {
                throw new ConflictException("No active contact passes the filter, so there is nobody to send to.", "filter");
            }

            await connection.GetTable<TaskRow>().Where(row => row.Id == task.Value).Set(row => row.Planned, planned).UpdateAsync(cancellation);
            await connection.GetTable<CampaignRow>().Where(row => row.Id == id.Value).Set(row => row.State, CampaignRow.NameOf(CampaignState.Frozen)).UpdateAsync(cancellation);
            return new Frozen(task, planned);
        },
        cancellation);

    /// <summary>Which pools <c>@user</c> may send through.</summary>
    internal static string PoolIsOpen(EdmConnection connection) => connection.IsPostgres ? "(user_id = @user OR shared)" : "(user_id = @user OR shared <> 0)";

    private static async Task<Frozen?> FrozenBeforeAsync(EdmConnection connection, Campaign campaign, CancellationToken cancellation)
    {
        var row = await connection.GetTable<TaskRow>().FirstAsync(row => row.CampaignId == campaign.Id.Value && row.Round == FirstRound, cancellation);
        RefuseDeleting(row.State);
        return new Frozen(new TaskId(row.Id), row.Planned);
    }

    internal static void RefuseDeleting(string taskState)
    {
        if (taskState == TaskStates.Deleting)
        {
            throw new ConflictException("The campaign is being deleted.");
        }
    }

    private static async Task<int> TemplateVersionAsync(EdmConnection connection, UserId user, Campaign campaign, CancellationToken cancellation)
    {
        var version = await connection.ExecuteAsync<int?>(
            "SELECT max(version) FROM templates WHERE id = @template AND user_id = @user AND deleted_at IS NULL",
            cancellation, new DataParameter("template", campaign.Template.Value), new DataParameter("user", user.Value));
        return version ?? throw new ConflictException("The campaign's template was deleted. Choose another one.", "templateId");
    }

    private static async Task RefuseClosedPoolAsync(EdmConnection connection, UserId user, Campaign campaign, CancellationToken cancellation)
    {
        var open = await connection.ExecuteAsync<long>(
            $"SELECT count(*) FROM pools WHERE id = @pool AND {PoolIsOpen(connection)}",
            cancellation, new DataParameter("pool", campaign.Pool.Value), new DataParameter("user", user.Value));
        if (open == 0)
        {
            throw new ConflictException("The campaign's pool is not open to you any more. Choose another one.", "poolId");
        }
    }

    private async Task<TaskId> InsertTaskAsync(EdmConnection connection, UserId user, Campaign campaign, int version, CancellationToken cancellation) =>
        new(await connection.InsertWithInt64IdentityAsync(
            new TaskRow
            {
                UserId = user.Value,
                CampaignId = campaign.Id.Value,
                Round = FirstRound,
                TemplateId = campaign.Template.Value,
                TemplateVersion = version,
                PoolId = campaign.Pool.Value,
                Priority = campaign.Priority,
                Cap = campaign.Cap,
                UnknownPolicy = UnknownPolicies.Name(campaign.Unknown),
                MaxAttempts = campaign.Retry?.MaxAttempts,
                MaxAge = campaign.Retry?.MaxAgeSeconds,
                SendWithin = campaign.Retry?.SendWithinSeconds,
                Planned = 0,
                State = TaskStates.Frozen,
                CreatedAt = time.GetUtcNow().ToUnixTimeMilliseconds(),
            },
            token: cancellation));

    /// <returns>How many.</returns>
    private async Task<int> InsertAudienceAsync(EdmConnection connection, UserId user, Campaign campaign, TaskId task, CancellationToken cancellation)
    {
        List<DataParameter> parameters =
        [
            new("user", user.Value), new("task", task.Value), new("campaign", campaign.Id.Value), new("round", FirstRound),
            new("active", ContactStatus.Active.Name()),
        ];
        var bound = await ContactFilter.Parse(campaign.Filter).BindAsync(connection, user, time.GetUtcNow(), cancellation);
        var filter = bound.ToSql(connection.IsPostgres, parameters);
        return await connection.ExecuteAsync(
            $"""
             INSERT INTO audience (task_id, seq, contact_id, campaign_id, round)
             SELECT @task, row_number() OVER (ORDER BY contacts.id), contacts.id, @campaign, @round
             FROM contacts
             WHERE contacts.user_id = @user AND contacts.status = @active AND {filter}
               AND NOT EXISTS (SELECT 1 FROM audience planned WHERE planned.campaign_id = @campaign AND planned.round = @round AND planned.contact_id = contacts.id)
             """,
            cancellation, [.. parameters]);
    }
}
