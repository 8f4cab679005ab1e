using Edm.Contracts.Http;
using Edm.Engine.Storage;
using Edm.Testing;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Microsoft.Extensions.DependencyInjection;

namespace Edm.Host.Tests.Api;

[Collection(ApiFixture.Collection)]
public sealed class TaskControlApiTests(ApiFixture fixture)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_cap_given_with_the_campaign_stops_its_task_until_it_is_raised()
    {
        await using var server = new CountingSmtpServer();
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client, recipients: 6, server.Port);
        var capped = await client.PatchAsync<TaskView>($"v1/tasks/{scenario.Task}", new { cap = 2, priority = 7 });
        Assert.Equal(("frozen", 2, 7), (capped.State, capped.Cap, capped.Priority));
        await client.PostAsync<LaunchedView>($"v1/campaigns/{scenario.Campaign}/launch");

        const string Why = "The cap of 2 is reached; 4 recipients wait: raise the cap or cancel.";
        var atCap = await UntilAsync(client, scenario.Task, task => task is { State: "running", Counts.Sent: 2, Counts.Waiting: 4 });
        Assert.Equal((Why, 7, 2), (atCap.Why, atCap.Priority, atCap.Cap));
        var why = await client.GetAsync<WhyView>($"v1/tasks/{scenario.Task}/why");
        Assert.Equal(("cap-reached", Why), (why.Reasons[0].Code, why.Reasons[0].Text));

        await client.PatchAsync<TaskView>($"v1/tasks/{scenario.Task}", new { cap = 5 });
        await UntilAsync(client, scenario.Task, task => task is { Counts.Sent: 5, Counts.Waiting: 1 });
        Assert.Null((await client.PatchAsync<TaskView>($"v1/tasks/{scenario.Task}", new { cap = (int?)null })).Cap);
        await UntilAsync(client, scenario.Task, task => task is { State: "finished", Counts.Sent: 6 });
    }

    [Fact]
    public async Task A_campaign_hands_its_cap_and_its_policy_to_its_task()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var made = await Scenario.CampaignAsync(client);
        var campaign = await client.PostAsync<CampaignView>(
            "v1/campaigns", new { name = "second", templateId = made.Template, poolId = made.Pool, cap = 2, unknown = "resend" });
        Assert.Equal((2, "resend"), (campaign.Cap, campaign.Unknown));
        Assert.Equal((2, null), await ChangedAsync(new { unknown = (string?)null }));
        Assert.Equal((3, "hold"), await ChangedAsync(new { cap = 3, unknown = "hold" }));

        var frozen = await client.PostAsync<FrozenView>($"v1/campaigns/{campaign.Id}/freeze");

        Assert.Equal(3, (await client.GetAsync<TaskView>($"v1/tasks/{frozen.TaskId}")).Cap);

        async Task<(int?, string?)> ChangedAsync(object change) =>
            await client.PatchAsync<CampaignView>($"v1/campaigns/{campaign.Id}", change) is var changed ? (changed.Cap, changed.Unknown) : default;
    }

    [Fact]
    public async Task The_policy_for_unknown_mails_is_changed_before_the_launch_and_after_it()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client, services: false);
        Assert.Null((await client.GetAsync<TaskView>($"v1/tasks/{scenario.Task}")).Unknown);
        Assert.Equal("resend", (await client.PatchAsync<TaskView>($"v1/tasks/{scenario.Task}", new { unknown = "resend" })).Unknown);
        await client.PostAsync<LaunchedView>($"v1/campaigns/{scenario.Campaign}/launch");

        Assert.Equal("resend", (await client.PatchAsync<TaskView>($"v1/tasks/{scenario.Task}", new { priority = 7 })).Unknown);
        Assert.Equal("hold", (await client.PatchAsync<TaskView>($"v1/tasks/{scenario.Task}", new { unknown = "hold" })).Unknown);
        Assert.Equal("hold", (await client.GetAsync<TaskView>($"v1/tasks/{scenario.Task}")).Unknown);
    }

    [Fact]
    public async Task How_often_and_how_long_recipients_are_tried_is_said_by_the_campaign_and_changed_on_its_task()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var made = await Scenario.CampaignAsync(client, services: false);
        var settings = new RetryLimitsView();
        Assert.Equal(settings, (await client.GetAsync<CampaignView>($"v1/campaigns/{made.Campaign}")).Retry);
        var campaign = await client.PostAsync<CampaignView>(
            "v1/campaigns", new { name = "second", templateId = made.Template, poolId = made.Pool, retry = new { maxAttempts = 3, sendWithinSeconds = 600 } });
        Assert.Equal(new RetryLimitsView(3, null, 600), campaign.Retry);
        Assert.Equal(campaign.Retry, await ChangedAsync(new { name = "third" }));
        Assert.Equal(settings, await ChangedAsync(new { retry = (object?)null }));
        Assert.Equal(new RetryLimitsView(null, 60), await ChangedAsync(new { retry = new { maxAgeSeconds = 60 } }));

        var task = $"v1/tasks/{(await client.PostAsync<FrozenView>($"v1/campaigns/{campaign.Id}/freeze")).TaskId}";
        Assert.Equal(new RetryLimitsView(null, 60), (await client.GetAsync<TaskView>(task)).Retry);
        var frozen = await client.PatchAsync<TaskView>(task, new { retry = new { sendWithinSeconds = 600 } });
        Assert.Equal((new RetryLimitsView(null, null, 600), null), (frozen.Retry, frozen.EndsAt));

        await client.PostAsync<LaunchedView>($"v1/campaigns/{campaign.Id}/launch");
        var running = await client.PatchAsync<TaskView>(task, new { retry = new { maxAttempts = 5, sendWithinSeconds = 900 } });
        Assert.Equal((new RetryLimitsView(5, 259_200, 900), running.LaunchedAt!.Value.AddSeconds(900)), (running.Retry, running.EndsAt));
        Assert.Equal("ending", (await client.GetAsync<WhyView>($"{task}/why")).Reasons[^1].Code);

        async Task<RetryLimitsView> ChangedAsync(object change) => (await client.PatchAsync<CampaignView>($"v1/campaigns/{campaign.Id}", change)).Retry;
    }

    [Fact]
    public async Task A_task_whose_time_is_over_is_cancelled_by_itself_and_sent_all_the_same_when_it_is_told_to()
    {
        await using var server = new CountingSmtpServer();
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client, services: false);
        await client.PatchAsync<TaskView>($"v1/tasks/{scenario.Task}", new { retry = new { sendWithinSeconds = 2 } });
        await client.PostAsync<LaunchedView>($"v1/campaigns/{scenario.Campaign}/launch");

        var over = await UntilAsync(client, scenario.Task, task => task is { State: "cancelled", Counts.Cancelled: 3, Balances: true });
        Assert.InRange(over.FinishedAt!.Value, over.EndsAt!.Value, over.EndsAt.Value.AddSeconds(10));
        Assert.StartsWith("The task's time was over at ", (await client.GetAsync<WhyView>($"v1/tasks/{scenario.Task}/why")).Reasons[0].Text, StringComparison.Ordinal);

        await Scenario.AddServiceAsync(client, scenario.Pool, "service", server.Port);
        Assert.Equal(3, (await client.PostAsync<ChangedView>($"v1/tasks/{scenario.Task}/missed")).Changed);
        var sent = await UntilAsync(client, scenario.Task, task => task is { State: "finished", Counts.Sent: 3, Balances: true });
        Assert.Equal((null, null), (sent.EndsAt, sent.Retry!.SendWithinSeconds));
    }

    [Fact]
    public async Task A_tasks_page_and_its_why_say_the_same_also_where_an_old_error_is_stored()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client);
        var day = DateTimeOffset.UtcNow.AddDays(3).DayOfWeek.ToString()[..3].ToLowerInvariant();
        await client.PatchAsync<ServiceView>($"v1/services/{scenario.Service}", new { limits = new { windows = new[] { new { days = new[] { day }, from = "09:00", to = "10:00" } } } });
        await client.PostAsync<LaunchedView>($"v1/campaigns/{scenario.Campaign}/launch");
        await UntilAsync(client, scenario.Task, task => task.Why?.StartsWith("The pool's one service: sending window closed until ", StringComparison.Ordinal) == true);

        await fixture.Host.Services.GetRequiredService<EdmDatabase>().RunAsync(
            connection => connection.ExecuteAsync("UPDATE services SET last_error = '535 no' WHERE id = @id", new DataParameter("id", scenario.Service)));

        var task = await client.GetAsync<TaskView>($"v1/tasks/{scenario.Task}");
        var why = await client.GetAsync<WhyView>($"v1/tasks/{scenario.Task}/why");
        Assert.Equal("services-window-closed", why.Reasons[0].Code);
        Assert.Equal(why.Reasons[0].Text, task.Why);
        Assert.Contains("T09:00:00Z", why.Capacity, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_why_of_a_task_reckons_with_provider_caps_and_with_the_other_tasks_on_its_pool()
    {
        await using var server = new CountingSmtpServer();
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client, recipients: 6, server.Port);
        await client.PatchAsync<ServiceView>($"v1/services/{scenario.Service}", new { limits = new { providerCaps = new { other = new { perDay = 1 } } } });
        await client.PostAsync<LaunchedView>($"v1/campaigns/{scenario.Campaign}/launch");
        await UntilAsync(client, scenario.Task, task => task is { State: "running", Counts.Sent: 1 });

        // Nothing but the cap of one a day keeps the five.
        var why = await client.GetAsync<WhyView>($"v1/tasks/{scenario.Task}/why");
        Assert.Matches("^5 recipients are left; by quotas, caps, windows, warm-up and health of the pool's one service finished by .*T00:00:00Z at the earliest, with 2 of this kind by ", why.Capacity);
        Assert.DoesNotContain("take their turns", why.Capacity, StringComparison.Ordinal);

        var second = (await client.PostAsync<CampaignView>("v1/campaigns", new { name = "second", templateId = scenario.Template, poolId = scenario.Pool })).Id;
        var frozen = await client.PostAsync<FrozenView>($"v1/campaigns/{second}/freeze");
        await client.PostAsync<LaunchedView>($"v1/campaigns/{second}/launch");
        await UntilAsync(client, frozen.TaskId.Value, task => task.State == "running");

        Assert.StartsWith(
            "5 recipients are left, and other tasks on the pool take their turns; by", (await client.GetAsync<WhyView>($"v1/tasks/{scenario.Task}/why")).Capacity, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Those_missed_by_a_cancelled_task_are_sent_to()
    {
        await using var server = new CountingSmtpServer();
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client, services: false);
        await client.PostAsync<LaunchedView>($"v1/campaigns/{scenario.Campaign}/launch");
        await client.PostAsync<ChangedView>($"v1/tasks/{scenario.Task}/cancel");
        await Scenario.AddServiceAsync(client, scenario.Pool, "service", server.Port);

        Assert.Equal(0, (await client.PostAsync<ChangedView>($"v1/tasks/{scenario.Task}/missed", new { state = "skipped" })).Changed);
        Assert.Equal(3, (await client.PostAsync<ChangedView>($"v1/tasks/{scenario.Task}/missed", new { state = "cancelled" })).Changed);

        await UntilAsync(client, scenario.Task, task => task is { State: "finished", Counts.Sent: 3, Balances: true });
        Assert.Equal(0, (await client.PostAsync<ChangedView>($"v1/tasks/{scenario.Task}/missed")).Changed);
    }

    [Fact]
    public async Task Unknown_mails_are_listed_proved_decided_and_sent_again_and_their_pages_say_so()
    {
        var isUnclear = true;
        await using var server = new CountingSmtpServer(words: _ => new SmtpWords("250 Ok", isUnclear ? "350 perhaps" : "250 Ok"));
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client, recipients: 4, server.Port);
        await client.PostAsync<LaunchedView>($"v1/campaigns/{scenario.Campaign}/launch");
        await UntilAsync(client, scenario.Task, task => task is { State: "finished", Counts.Unknown: 4 });
        await Eventually.Async(async () => (await client.GetAsync<UnknownPage>("v1/unknown-outcomes")).Count == 4, Patience, "all are listed");

        var first = await client.GetAsync<UnknownPage>("v1/unknown-outcomes?limit=3");
        var last = await client.GetAsync<UnknownPage>($"v1/unknown-outcomes?limit=3&after={first.Next}");
        Assert.Equal([1, 2, 3], first.Items.Select(one => one.Seq));
        Assert.Equal([4], last.Items.Select(one => one.Seq));
        Assert.All(first.Items, one => Assert.Equal((scenario.Task, scenario.Service), (one.TaskId.Value, one.ServiceId!.Value.Value)));

        // The first is proved, by an id as a log has it; the second has failed; the others go out again.
        var proof = new { messageIds = new[] { $"<{first.Items[0].MessageId}>", "somebody@else.example" }, source = "log of ann@example.com" };
        var evidence = await client.PostAsync<EvidenceView>("v1/unknown-outcomes/evidence", proof);
        Assert.Equal((1, 0, "somebody@else.example"), (evidence.Resolved, evidence.Settled, Assert.Single(evidence.NotMine)));
        Assert.Equal((0, 1), await client.PostAsync<EvidenceView>("v1/unknown-outcomes/evidence", proof) is var again ? (again.Resolved, again.Settled) : default);
        Assert.Equal(1, (await client.PostAsync<ChangedView>($"v1/tasks/{scenario.Task}/unknown", new { @as = "failed", seqs = new[] { 1, 2 }, why = "bounced" })).Changed);
        isUnclear = false;
        await Eventually.Async(
            async () => (await client.PostAsync<ChangedView>($"v1/tasks/{scenario.Task}/unknown", new { @as = "resend", serviceId = scenario.Service })).Changed == 2,
            Patience, "those of the service are sent again");

        await UntilAsync(client, scenario.Task, task => task is { State: "finished", Counts: { Sent: 3, Failed: 1, Unknown: 0 } });
        Assert.Equal([1, 1, 2, 2], server.Received.Values.Order());
        await Eventually.Async(async () => (await client.GetAsync<UnknownPage>("v1/unknown-outcomes")).Count == 0, Patience, "none is left");
        var pages = (await client.GetAsync<Page<RecipientView>>($"v1/tasks/{scenario.Task}/recipients")).Items;
        Assert.StartsWith("unknown, taken for sent by evidence: log of <address>; before: ", pages[0].Reason, StringComparison.Ordinal);
        Assert.Matches("^unknown, taken for failed by key [0-9]+: bounced; before: ", pages[1].Reason);
    }

    [Theory]
    [InlineData("PATCH", "", """{"priority":0}""", "priority")]
    [InlineData("PATCH", "", """{"priority":101}""", "priority")]
    [InlineData("PATCH", "", """{"cap":-1}""", "cap")]
    [InlineData("PATCH", "", """{"unknown":"perhaps"}""", "unknown")]
    [InlineData("PATCH", "", """{"unknown":null}""", "unknown")]
    [InlineData("PATCH", "", """{"retry":{"maxAttempts":0}}""", "retry.maxAttempts")]
    [InlineData("PATCH", "", """{"retry":{"maxAgeSeconds":-1}}""", "retry.maxAgeSeconds")]
    [InlineData("PATCH", "", """{"retry":{"sendWithinSeconds":2147483647}}""", "retry.sendWithinSeconds")]
    [InlineData("POST", "/missed", """{"state":"sent"}""", "state")]
    [InlineData("POST", "/unknown", """{"as":"maybe","all":true}""", "as")]
    [InlineData("POST", "/unknown", """{"as":"sent"}""", "seqs")]
    [InlineData("POST", "/unknown", """{"as":"sent","all":true,"seqs":[1]}""", "seqs")]
    [InlineData("POST", "/unknown", """{"as":"sent","seqs":[]}""", "seqs")]
    public async Task What_makes_no_sense_is_refused_by_its_field(string method, string path, string body, string field)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client);

        var problem = await client.ProblemAsync(new HttpMethod(method), $"v1/tasks/{scenario.Task}{path}", body);

        Assert.Equal((400, field), (problem.Status, problem.Field));
    }

    [Theory]
    [InlineData("""{"cap":-1}""", "cap")]
    [InlineData("""{"unknown":"perhaps"}""", "unknown")]
    [InlineData("""{"retry":{"maxAttempts":1001}}""", "retry.maxAttempts")]
    [InlineData("""{"retry":{"maxAgeSeconds":2592001}}""", "retry.maxAgeSeconds")]
    [InlineData("""{"retry":{"sendWithinSeconds":0}}""", "retry.sendWithinSeconds")]
    public async Task A_campaign_names_the_field_that_makes_no_sense(string change, string field)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var made = await Scenario.CampaignAsync(client);
        var draft = await client.PostAsync<CampaignView>("v1/campaigns", new { name = "second", templateId = made.Template, poolId = made.Pool });

        var problem = await client.ProblemAsync(HttpMethod.Patch, $"v1/campaigns/{draft.Id}", change);

        Assert.Equal((400, field), (problem.Status, problem.Field));
    }

    [Theory]
    [InlineData("v1/unknown-outcomes?after=seven", "after")]
    [InlineData("v1/unknown-outcomes?limit=0", "limit")]
    public async Task A_list_of_unknown_mails_names_the_field_that_makes_no_sense(string path, string field)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var problem = await client.ProblemAsync(HttpMethod.Get, path);

        Assert.Equal((400, field), (problem.Status, problem.Field));
    }

    private static async Task<TaskView> UntilAsync(HttpClient client, long task, Func<TaskView, bool> condition)
    {
        TaskView? last = null;
        await Eventually.Async(
            async () =>
            {
                last = await client.GetAsync<TaskView>($"v1/tasks/{task}");
                Assert.True(last.Balances, last.ToString());
                return condition(last);
            },
            Patience, "the task stands as it should");
        return last!;
    }
}
