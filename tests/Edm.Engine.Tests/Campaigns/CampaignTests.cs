using Edm.Contracts;
using Edm.Engine.Campaigns;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Services.Limits;
using Edm.Engine.Settings;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Campaigns;

public abstract class CampaignTests(IDatabases databases) : DatabaseTests(databases)
{
    private CampaignStore Campaigns => new(Database, Time);
    private AudienceStore Audiences => new(Database, Time);
    private TaskStore Tasks => new(Database, Time);
    private LaunchStore Launches => new(Database, SendingSettings.Default, Time);
    private RecipientSource Source => new(Database);
    private PoolCapacityStore Capacities => new(Database);
    private RecipientStore Recipients => new(Database);

    [Fact]
    public async Task Freezing_numbers_the_active_contacts_that_pass_the_filter_without_holes()
    {
        var (user, campaign) = await CampaignAsync("followers >= 10");
        await AddContactAsync(user, "small@example.com", followers: 9);
        var first = await AddContactAsync(user, "first@example.com", followers: 10);
        await AddContactAsync(user, "gone@example.com", followers: 99, status: "unsubscribed");
        await AddContactAsync(await AddUserAsync("other"), "foreign@example.com", followers: 99);
        var second = await AddContactAsync(user, "second@example.com", followers: 11);

        var frozen = await Audiences.FreezeAsync(user, campaign, default);

        Assert.Equal(2, frozen!.Planned);
        var audience = await Recipients.PageAsync(frozen.Task, null, RecipientState.Waiting, 0, 10, default);
        Assert.Equal([(1, first), (2, second)], audience.Select(r => (r.Seq, r.Contact)));
        Assert.Equal(CampaignState.Frozen, (await Campaigns.FindAsync(user, campaign, default))!.State);
    }

    [Fact]
    public async Task Freezing_again_answers_the_same_task_and_takes_in_nobody_new()
    {
        var (user, campaign) = await CampaignAsync();
        await AddContactAsync(user, "a@example.com");
        var frozen = await Audiences.FreezeAsync(user, campaign, default);
        await AddContactAsync(user, "late@example.com");

        Assert.Equal(frozen, await Audiences.FreezeAsync(user, campaign, default));
    }

    [Fact]
    public async Task Freezing_from_eight_sides_at_once_makes_one_task()
    {
        var (user, campaign) = await CampaignAsync();
        await AddContactAsync(user, "a@example.com");

        var frozen = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Audiences.FreezeAsync(user, campaign, default)));

        Assert.Single(frozen.Distinct());
        Assert.Equal(1, await CountAsync("tasks"));
    }

    [Fact]
    public async Task Freezing_nobody_is_refused_and_leaves_the_draft()
    {
        var (user, campaign) = await CampaignAsync("country = US");

        Assert.Equal("filter", (await Assert.ThrowsAsync<ConflictException>(() => Audiences.FreezeAsync(user, campaign, default))).Field);

        Assert.Equal(0, await CountAsync("tasks"));
        Assert.Equal(CampaignState.Draft, (await Campaigns.FindAsync(user, campaign, default))!.State);
    }

    [Fact]
    public async Task The_template_is_pinned_to_its_version_at_the_freeze()
    {
        var (user, campaign) = await CampaignAsync();
        await AddContactAsync(user, "a@example.com");
        await ExecuteAsync("UPDATE templates SET version = 3");
        var frozen = await Audiences.FreezeAsync(user, campaign, default);
        await ExecuteAsync("UPDATE templates SET version = 4");

        Assert.Equal(3, (await Source.LoadAsync(frozen!.Task, [1], default))!.Task.TemplateVersion);
    }

    [Fact]
    public async Task The_sending_path_gets_recipients_in_the_order_it_asks_for_and_a_reason_where_nothing_may_be_sent()
    {
        var (user, campaign) = await CampaignAsync();
        await AddContactAsync(user, "one@example.com");
        var two = await AddContactAsync(user, "two@example.com");
        await AddContactAsync(user, "three@example.com");
        var task = (await Audiences.FreezeAsync(user, campaign, default))!.Task;
        await ExecuteAsync("UPDATE contacts SET status = 'unsubscribed' WHERE email = 'one@example.com'");
        await ExecuteAsync("DELETE FROM contacts WHERE id = @id", new DataParameter("id", two.Value));

        var loaded = (await Source.LoadAsync(task, [3, 4, 1, 2], default))!.Recipients;

        Assert.Equal([3, 4, 1, 2], loaded.Select(r => r.Seq));
        Assert.Equal("three@example.com", loaded[0].Contact!.Email);
        Assert.Equal("beauty", loaded[0].Contact!.Attributes["niche"]);
        Assert.Equal(["is not in the audience", "the contact is unsubscribed", "the contact was deleted"], loaded.Skip(1).Select(r => r.SkipReason));
    }

    [Fact]
    public async Task Nobody_is_loaded_of_a_task_that_is_not_there()
    {
        Assert.Null(await Source.LoadAsync(new TaskId(99), [1], default));
    }

    [Fact]
    public async Task Launching_leaves_a_command_for_the_queue_until_it_is_acknowledged()
    {
        var (user, campaign) = await CampaignAsync(priority: 7, lanes: 3);
        await AddContactAsync(user, "a@example.com");
        await AddContactAsync(user, "b@example.com");
        var frozen = await Audiences.FreezeAsync(user, campaign, default);
        Assert.Null(await Launches.FindAsync(frozen!.Task, default));

        Assert.Equal(frozen.Task, await Tasks.LaunchAsync(user, campaign, default));

        var command = await Launches.FindAsync(frozen.Task, default);
        Assert.Equal((user, frozen.Task, 3, 7), (command!.User, command.Task, command.Lanes, command.Priority));
        Assert.Equal([new Segment(new SeqRange(1, 2))], command.Segments);

        await Launches.AcknowledgedAsync(frozen.Task, default);
        Assert.Null(await Launches.FindAsync(frozen.Task, default));
        Assert.Equal(TaskStates.Running, (await Tasks.FindAsync(user, frozen.Task, default))!.State);
    }

    [Fact]
    public async Task Launching_twice_changes_nothing()
    {
        var (user, campaign) = await CampaignAsync();
        await AddContactAsync(user, "a@example.com");
        await Audiences.FreezeAsync(user, campaign, default);
        var task = await Tasks.LaunchAsync(user, campaign, default);
        await Launches.AcknowledgedAsync(task!.Value, default);

        Assert.Equal(task, await Tasks.LaunchAsync(user, campaign, default));
        Assert.Empty(await Launches.TakeAsync(10, default));
    }

    [Fact]
    public async Task A_draft_is_not_launched()
    {
        var (user, campaign) = await CampaignAsync();

        await Assert.ThrowsAsync<ConflictException>(() => Tasks.LaunchAsync(user, campaign, default));
    }

    [Fact]
    public async Task A_draft_can_be_changed_and_a_frozen_campaign_can_not()
    {
        var (user, campaign) = await CampaignAsync();
        await AddContactAsync(user, "a@example.com");

        var changed = await Campaigns.ChangeAsync(user, campaign, plan => plan with { Name = "new", Filter = "followers > 1", Priority = 2 }, default);
        Assert.Equal(("new", "followers > 1", 2), (changed!.Name, changed.Filter, changed.Priority));

        await Campaigns.ChangeAsync(user, campaign, plan => plan with { Filter = "" }, default);
        await Audiences.FreezeAsync(user, campaign, default);
        await Assert.ThrowsAsync<ConflictException>(() => Campaigns.ChangeAsync(user, campaign, plan => plan with { Name = "late" }, default));
    }

    [Theory]
    [InlineData("", "", 1, "name")]
    [InlineData("n", "", 0, "priority")]
    [InlineData("n", "", 101, "priority")]
    public async Task A_value_that_makes_no_sense_is_refused_by_its_field(string name, string filter, int priority, string field)
    {
        var (user, campaign) = await CampaignAsync();

        var refused = await Assert.ThrowsAsync<FieldException>(
            () => Campaigns.ChangeAsync(user, campaign, plan => plan with { Name = name, Filter = filter, Priority = priority }, default));

        Assert.Equal(field, refused.Field);
    }

    [Fact]
    public async Task A_filter_that_cannot_be_read_is_refused_with_its_position()
    {
        var (user, campaign) = await CampaignAsync();

        var refused = await Assert.ThrowsAsync<ContactFilterException>(() => Campaigns.ChangeAsync(user, campaign, plan => plan with { Filter = "followers >" }, default));

        Assert.True(refused.Position > 0);
    }

    [Fact]
    public async Task Templates_and_pools_of_others_are_as_good_as_none_but_for_shared_pools()
    {
        var (user, campaign) = await CampaignAsync();
        var (other, _) = await CampaignAsync(userName: "other");
        var template = await IdAsync("templates", other);
        var pool = await IdAsync("pools", other);

        Task<Campaign?> Change(Func<CampaignPlan, CampaignPlan> change) => Campaigns.ChangeAsync(user, campaign, change, default);

        Assert.Equal("templateId", (await Assert.ThrowsAsync<FieldException>(() => Change(plan => plan with { Template = new TemplateId(template) }))).Field);
        Assert.Equal("poolId", (await Assert.ThrowsAsync<FieldException>(() => Change(plan => plan with { Pool = new PoolId(pool) }))).Field);
        await ExecuteAsync(Database.IsPostgres ? "UPDATE pools SET shared = true" : "UPDATE pools SET shared = 1");
        Assert.Equal(pool, (await Change(plan => plan with { Pool = new PoolId(pool) }))!.Pool.Value);
    }

    [Fact]
    public async Task A_campaign_of_another_user_does_not_exist()
    {
        var (user, campaign) = await CampaignAsync();
        await AddContactAsync(user, "a@example.com");
        var task = (await Audiences.FreezeAsync(user, campaign, default))!.Task;
        var other = await AddUserAsync("other");

        Assert.Null(await Campaigns.FindAsync(other, campaign, default));
        Assert.Null(await Campaigns.ChangeAsync(other, campaign, plan => plan, default));
        Assert.Null(await Audiences.FreezeAsync(other, campaign, default));
        Assert.Null(await Tasks.LaunchAsync(other, campaign, default));
        Assert.Null(await Tasks.FindAsync(other, task, default));
        Assert.False(await Campaigns.DeleteAsync(other, campaign, default));
        Assert.Empty(await Campaigns.ListAsync(other, default, 10, default));
        Assert.Empty(await Tasks.ListAsync(other, default, 10, default));
    }

    [Fact]
    public async Task A_frozen_campaign_is_deleted_with_its_audience_and_a_launched_one_stays()
    {
        var (user, campaign) = await CampaignAsync();
        await AddContactAsync(user, "a@example.com");
        await Audiences.FreezeAsync(user, campaign, default);

        Assert.True(await Campaigns.DeleteAsync(user, campaign, default));
        Assert.Equal((0, 0, 0), (await CountAsync("campaigns"), await CountAsync("tasks"), await CountAsync("audience")));

        var again = await Campaigns.CreateAsync(
            user, new CampaignPlan("n", new TemplateId(await IdAsync("templates", user)), new PoolId(await IdAsync("pools", user)), "", 1), default);
        await Audiences.FreezeAsync(user, again.Id, default);
        await Tasks.LaunchAsync(user, again.Id, default);
        await Assert.ThrowsAsync<ConflictException>(() => Campaigns.DeleteAsync(user, again.Id, default));
    }

    [Fact]
    public async Task A_campaign_whose_deletion_broke_off_is_neither_launched_nor_frozen_and_can_be_deleted_again()
    {
        var (user, campaign) = await CampaignAsync();
        await AddContactAsync(user, "a@example.com");
        var task = (await Audiences.FreezeAsync(user, campaign, default))!.Task;
        await ExecuteAsync("UPDATE tasks SET state = 'deleting'");

        await Assert.ThrowsAsync<ConflictException>(() => Tasks.LaunchAsync(user, campaign, default));
        await Assert.ThrowsAsync<ConflictException>(() => Audiences.FreezeAsync(user, campaign, default));
        Assert.Null(await Tasks.FindAsync(user, task, default));
        Assert.True(await Campaigns.DeleteAsync(user, campaign, default));
        Assert.Equal(0, await CountAsync("audience"));
    }

    [Fact]
    public async Task Campaigns_and_tasks_are_listed_by_pages()
    {
        var (user, first) = await CampaignAsync();
        await AddContactAsync(user, "a@example.com");
        var plan = new CampaignPlan("two", new TemplateId(await IdAsync("templates", user)), new PoolId(await IdAsync("pools", user)), "", 1);
        var second = (await Campaigns.CreateAsync(user, plan, default)).Id;
        var task = (await Audiences.FreezeAsync(user, second, default))!.Task;

        Assert.Equal([first], (await Campaigns.ListAsync(user, default, 1, default)).Select(c => c.Id));
        Assert.Equal([(second, (TaskId?)task)], (await Campaigns.ListAsync(user, first, 10, default)).Select(c => (c.Id, c.Task)));
        Assert.Equal([(task, "two")], (await Tasks.ListAsync(user, default, 10, default)).Select(t => (t.Id, t.CampaignName)));
    }

    [Fact]
    public async Task Recipients_carry_their_last_outcome_and_can_be_asked_for_by_state()
    {
        var (user, campaign) = await CampaignAsync();
        await AddContactAsync(user, "a@example.com");
        await AddContactAsync(user, "b@example.com");
        var task = (await Audiences.FreezeAsync(user, campaign, default))!.Task;
        await ExecuteAsync(
            """
            INSERT INTO deliveries (task_id, seq, user_id, state, attempts, service_id, reply_code, enhanced, reply, reason, first_at, last_at)
            VALUES (@task, 2, @user, 'failed', 3, 5, 550, '5.1.1', 'no such user', 'refused', 1000, 2000)
            """,
            new DataParameter("task", task.Value), new DataParameter("user", user.Value));

        var failed = Assert.Single(await Recipients.PageAsync(task, RecipientState.Failed, RecipientState.Cancelled, 0, 10, default));
        Assert.Equal((2, "b@example.com", 3, new ServiceId(5), 550, "5.1.1"), (failed.Seq, failed.Email, failed.Attempts, failed.Service!.Value, failed.ReplyCode, failed.Enhanced));
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(2000), failed.LastAt);
        Assert.Equal([1], (await Recipients.PageAsync(task, RecipientState.Cancelled, RecipientState.Cancelled, 0, 10, default)).Select(r => r.Seq));
        Assert.Equal([1, 2], (await Recipients.FindAsync(task, [2, 1, 7], default)).Keys.Order());
    }

    [Fact]
    public async Task The_condition_of_a_pool_counts_enabled_and_broken_services()
    {
        var (user, _) = await CampaignAsync();
        var pool = await IdAsync("pools", user);
        await AddServiceAsync(user, pool, "ok", enabled: true, null);
        await AddServiceAsync(user, pool, "off", enabled: false, "old");
        await AddServiceAsync(user, pool, "bad", enabled: true, "535 no");

        Assert.Equal(new PoolCondition(3, 2, 1, "535 no"), await Tasks.PoolConditionAsync(user, new PoolId(pool), default));
        Assert.Null((await Tasks.PoolConditionAsync(new UserId(99), new PoolId(pool), default)).Error);
    }

    [Fact]
    public async Task The_capacity_of_a_pool_comes_from_the_limits_of_enabled_services_and_what_is_left_of_today()
    {
        var (user, campaign) = await CampaignAsync();
        var pool = await IdAsync("pools", user);
        await AddServiceAsync(user, pool, "a", enabled: true, null);
        await AddServiceAsync(user, pool, "b", enabled: true, null);
        await AddServiceAsync(user, pool, "off", enabled: false, null);
        var standing = await StandingAsync(user, campaign);
        await ExecuteAsync("""UPDATE services SET per_day = 100, limits = '{"timeZone":"Europe/Berlin"}'""");
        var now = new DateTimeOffset(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);

        var capacity = await Capacities.OfAsync(user, standing, [], default);
        Assert.Contains("2 services finished by 2026-11-27T23:00:00Z at the earliest", capacity.Sentence(201, now), StringComparison.Ordinal);
        Assert.Contains("at once", capacity.Sentence(200, now), StringComparison.Ordinal);

        ServiceReport[] reports = [.. new[] { "a", "b" }.Select((_, nr) => new ServiceReport(new ServiceId(nr + 1), 1, 0, 0, null, null, 1, LeftToday: 0))];
        Assert.Contains("finished by 2026-11-27T23:00:00Z", (await Capacities.OfAsync(user, standing, reports, default)).Sentence(1, now), StringComparison.Ordinal);
        Assert.Null((await Capacities.OfAsync(new UserId(99), standing, [], default)).Kinds);
    }

    [Fact]
    public async Task The_capacity_of_a_pool_knows_who_else_waits_for_it_and_how_many_are_at_a_provider_with_a_cap()
    {
        var (user, campaign) = await CampaignAsync();
        var pool = await IdAsync("pools", user);
        await AddServiceAsync(user, pool, "a", enabled: true, null);
        await AddServiceAsync(user, pool, "broken", enabled: true, null);
        await ExecuteAsync("""UPDATE services SET per_hour = 10, limits = '{"providerCaps":{"gmail":{"perHour":5},"qq":{"perDay":1}}}'""");
        foreach (var address in new[] { "1@gmail.com", "2@gmail.com", "3@gmail.com", "4@example.com" })
        {
            await AddContactAsync(user, address);
        }

        var standing = await StandingAsync(user, campaign);
        await ExecuteAsync(
            """
            INSERT INTO deliveries (task_id, seq, user_id, state, attempts, first_at, last_at)
            SELECT id, 1, user_id, 'sent', 1, 0, 0 FROM tasks UNION ALL SELECT id, 2, user_id, 'pending-retry', 1, 0, 0 FROM tasks
            """);
        var (other, _) = await CampaignAsync(userName: "other");
        await ExecuteAsync("UPDATE users SET weight = 3 WHERE id = @other", new DataParameter("other", other.Value));
        foreach (var (owner, state, cap) in new[] { (user, "running", 60), (other, "running", 1_000), (other, "running", 1_000), (other, "paused", 1_000) })
        {
            await ExecuteAsync(
                """
                INSERT INTO tasks (user_id, campaign_id, round, template_id, template_version, pool_id, priority, planned, sent, state, cap, created_at)
                SELECT @owner, (SELECT max(id) FROM campaigns WHERE user_id = @owner), (SELECT count(*) + 7 FROM tasks), 1, 1, @pool, 2, 100, 10, @state, @cap, 0
                """,
                new DataParameter("owner", owner.Value), new DataParameter("pool", pool), new DataParameter("state", state), new DataParameter("cap", cap));
        }

        var broken = new ServiceReport(new ServiceId(await IdAsync("services", user) + 1), 1, 0, 0, null, null, 0, Health: 0);
        var capacity = await Capacities.OfAsync(user, standing, [broken], default);

        Assert.Equal((2, 1, 1), (capacity.Services, capacity.Broken, capacity.Kinds!.Count));
        Assert.Equal([KeyValuePair.Create(MailboxProvider.Gmail, 2 / 3.0)], capacity.Shares);
        Assert.Equal((1, 1), (capacity.Others.Weight, capacity.Others.Priority));
        Assert.Equal([(2, 50L)], capacity.Others.Tasks);
        Assert.Equal([(3, 180L)], capacity.Others.Users);
    }

    /// <summary>Of its frozen task, as if it ran.</summary>
    private async Task<TaskStanding> StandingAsync(UserId user, CampaignId campaign)
    {
        if (await CountAsync("contacts") == 0)
        {
            await AddContactAsync(user, "a@example.com");
        }

        var frozen = await Audiences.FreezeAsync(user, campaign, default);
        return new TaskStanding((await Tasks.FindAsync(user, frozen!.Task, default))!, TaskStates.Running, [frozen.Planned, 0, 0, 0, 0, 0, 0, 0], 0, null, null);
    }

    private async Task<(UserId User, CampaignId Campaign)> CampaignAsync(string filter = "", int priority = 1, int lanes = 1, string userName = "user")
    {
        var user = await AddUserAsync(userName);
        var u = new DataParameter("user", user.Value);
        await ExecuteAsync("INSERT INTO templates (user_id, name, version, created_at, updated_at) VALUES (@user, 't', 1, 0, 0)", u);
        await ExecuteAsync("INSERT INTO pools (user_id, name, lanes, created_at) VALUES (@user, 'p', @lanes, 0)", u, new DataParameter("lanes", lanes));
        var plan = new CampaignPlan("campaign", new TemplateId(await IdAsync("templates", user)), new PoolId(await IdAsync("pools", user)), filter, priority);
        return (user, (await Campaigns.CreateAsync(user, plan, default)).Id);
    }

    private Task<ContactId> AddContactAsync(UserId user, string email, long followers = 100, string status = "active") => AddContactAsync(new ContactRow
    {
        UserId = user, Email = email, EmailKey = email, Followers = followers, Attributes = """{"niche":"beauty"}""", Status = status,
    });

    private Task<int> AddServiceAsync(UserId user, long pool, string name, bool enabled, string? error) => ExecuteAsync(
        """
        INSERT INTO services (user_id, pool_id, lane, name, kind, host, port, tls, sender_address, connections, enabled, version, last_error, created_at, updated_at)
        VALUES (@user, @pool, 0, @name, 'smtp', 'h', 25, 'none', 's@example.com', 1, @enabled, 1, @error, 0, 0)
        """,
        new DataParameter("user", user.Value), new DataParameter("pool", pool), new DataParameter("name", name), new DataParameter("enabled", enabled),
        new DataParameter("error", error, LinqToDB.DataType.Text));

    private Task<long> IdAsync(string table, UserId user) =>
        Database.RunAsync(c => c.ExecuteAsync<long>($"SELECT min(id) FROM {table} WHERE user_id = @user", new DataParameter("user", user.Value)));

    private Task<int> CountAsync(string table) => Database.RunAsync(c => c.ExecuteAsync<int>($"SELECT count(*) FROM {table}"));

    private Task<int> ExecuteAsync(string sql, params DataParameter[] parameters) => Database.RunAsync(c => c.ExecuteAsync(sql, parameters));
}

public sealed class CampaignTestsOnSqlite() : CampaignTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class CampaignTestsOnPostgres(PostgresFixture postgres) : CampaignTests(new PostgresDatabases(postgres));
