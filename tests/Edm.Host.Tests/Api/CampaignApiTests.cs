using Edm.Contracts.Http;
using Edm.Engine.Storage;
using Edm.Testing;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Microsoft.Extensions.DependencyInjection;

namespace Edm.Host.Tests.Api;

[Collection(ApiFixture.Collection)]
public sealed class CampaignApiTests(ApiFixture fixture)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_campaign_goes_from_a_list_to_delivered_mail_and_its_ledger_balances()
    {
        await using var server = new CountingSmtpServer();
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client, recipients: 40, server.Port);

        await client.PostAsync<LaunchedView>($"v1/campaigns/{scenario.Campaign}/launch");
        var task = await FinishedAsync(client, scenario.Task);

        Assert.Equal((40, 40, true), (task.Planned, task.Counts.Sent, task.Balances));
        Assert.Equal(40, server.Received.Count);
        Assert.All(server.Received.Values, times => Assert.Equal(1, times));
        await Eventually.Async(
            async () => (await client.GetAsync<Page<RecipientView>>($"v1/tasks/{scenario.Task}/recipients?state=sent&limit=1000")).Items is { Count: 40 } all
                && all.All(one => one is { ReplyCode: 250, Class: "accepted", Attempts: 1, ServiceId: not null, FirstAt: not null }),
            Patience,
            "every recipient has the server's reply");
    }

    [Fact]
    public async Task A_task_whose_pool_has_no_services_waits_and_says_why_and_goes_on_when_it_has_one()
    {
        await using var server = new CountingSmtpServer();
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client, services: false);
        Assert.Equal("The campaign has not been launched.", (await client.GetAsync<TaskView>($"v1/tasks/{scenario.Task}")).Why);

        await client.PostAsync<LaunchedView>($"v1/campaigns/{scenario.Campaign}/launch");
        await Eventually.Async(
            async () => await client.GetAsync<TaskView>($"v1/tasks/{scenario.Task}") is { State: "running", Why: "The pool has no services.", Counts.Waiting: 3 },
            Patience,
            "the task waits and says why");

        await Scenario.AddServiceAsync(client, scenario.Pool, "late", server.Port);
        Assert.Equal(3, (await FinishedAsync(client, scenario.Task)).Counts.Sent);
    }

    [Fact]
    public async Task A_task_that_its_queue_refuses_says_so_and_why()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client);

        // Damage: the API itself takes no such priority.
        await fixture.Host.Services.GetRequiredService<EdmDatabase>().RunAsync(
            connection => connection.ExecuteAsync("UPDATE tasks SET priority = 0 WHERE id = @id", new DataParameter("id", scenario.Task)));

        await client.PostAsync<LaunchedView>($"v1/campaigns/{scenario.Campaign}/launch");
        await Eventually.Async(
            async () => await client.GetAsync<TaskView>($"v1/tasks/{scenario.Task}") is { State: "refused", Counts.Cancelled: 3, Balances: true }, Patience, "the task is refused");

        const string Why = "The task's queue refused it: A priority is a number from 1 to 100.";
        Assert.Equal(Why, (await client.GetAsync<TaskView>($"v1/tasks/{scenario.Task}")).Why);
        Assert.Equal(3, (await client.GetAsync<Page<RecipientView>>($"v1/tasks/{scenario.Task}/recipients?state=cancelled")).Items.Count);
        var problem = await client.ProblemAsync(HttpMethod.Post, $"v1/tasks/{scenario.Task}/resume");
        Assert.Equal((409, Why), (problem.Status, problem.Detail));
    }

    [Fact]
    public async Task A_paused_task_stands_still_and_a_resumed_one_ends()
    {
        await using var server = new CountingSmtpServer();
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client, services: false);
        await client.PostAsync<LaunchedView>($"v1/campaigns/{scenario.Campaign}/launch");

        // At once after the launch: its queue may not know the task yet.
        await client.PostAsync<ChangedView>($"v1/tasks/{scenario.Task}/pause");
        await Scenario.AddServiceAsync(client, scenario.Pool, "service", server.Port);
        var paused = await client.GetAsync<TaskView>($"v1/tasks/{scenario.Task}");
        Assert.Equal(("paused", 3, "The task is paused."), (paused.State, paused.Counts.Waiting, paused.Why));

        await client.PostAsync<ChangedView>($"v1/tasks/{scenario.Task}/resume");
        Assert.Equal(3, (await FinishedAsync(client, scenario.Task)).Counts.Sent);
        Assert.Equal(0, (await client.PostAsync<ChangedView>($"v1/tasks/{scenario.Task}/retry")).Changed);
    }

    [Fact]
    public async Task A_cancelled_task_sends_nobody_anything_more()
    {
        await using var server = new CountingSmtpServer();
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client, services: false);
        await client.PostAsync<LaunchedView>($"v1/campaigns/{scenario.Campaign}/launch");

        Assert.True((await client.PostAsync<ChangedView>($"v1/tasks/{scenario.Task}/cancel")).Changed > 0);
        await Scenario.AddServiceAsync(client, scenario.Pool, "service", server.Port);

        var task = await client.GetAsync<TaskView>($"v1/tasks/{scenario.Task}");
        Assert.Equal(("cancelled", 3, true), (task.State, task.Counts.Cancelled, task.Balances));
        Assert.Equal(3, (await client.GetAsync<Page<RecipientView>>($"v1/tasks/{scenario.Task}/recipients?state=cancelled")).Items.Count);
        Assert.Equal(409, (await client.ProblemAsync(HttpMethod.Post, $"v1/tasks/{scenario.Task}/resume")).Status);
        Assert.Equal(0, server.Total);
    }

    [Theory]
    [InlineData("pause")]
    [InlineData("resume")]
    [InlineData("cancel")]
    [InlineData("retry")]
    public async Task A_task_that_was_not_launched_takes_no_commands(string command)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client);

        Assert.Equal(409, (await client.ProblemAsync(HttpMethod.Post, $"v1/tasks/{scenario.Task}/{command}")).Status);
    }

    [Fact]
    public async Task Freezing_and_launching_again_answers_the_same_task()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client, services: false);

        Assert.Equal(scenario.Task, (await client.PostAsync<FrozenView>($"v1/campaigns/{scenario.Campaign}/freeze")).TaskId.Value);
        Assert.Equal(scenario.Task, (await client.PostAsync<LaunchedView>($"v1/campaigns/{scenario.Campaign}/launch")).TaskId.Value);
        Assert.Equal(scenario.Task, (await client.PostAsync<LaunchedView>($"v1/campaigns/{scenario.Campaign}/launch")).TaskId.Value);
        Assert.Single((await client.GetAsync<Page<TaskSummaryView>>("v1/tasks")).Items);
    }

    [Fact]
    public async Task A_campaign_is_changed_while_it_is_a_draft()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client);
        var draft = await client.PostAsync<CampaignView>("v1/campaigns", new { name = "next", templateId = scenario.Template, poolId = scenario.Pool, priority = 5 });

        var changed = await client.PatchAsync<CampaignView>($"v1/campaigns/{draft.Id}", new { filter = "nickname = 'Person 1'" });
        var filter = await client.ProblemAsync(HttpMethod.Patch, $"v1/campaigns/{draft.Id}", """{"filter":"nickname ="}""");
        var frozen = await client.ProblemAsync(HttpMethod.Patch, $"v1/campaigns/{scenario.Campaign}", """{"name":"late"}""");

        Assert.Equal(("next", "nickname = 'Person 1'", 5, "draft"), (changed.Name, changed.Filter, changed.Priority, changed.State));
        Assert.Equal(("urn:edm:problem:invalid-filter", "filter"), (filter.Type, filter.Field));
        Assert.Equal(409, frozen.Status);
        Assert.Equal(1, (await client.PostAsync<FrozenView>($"v1/campaigns/{draft.Id}/freeze")).Planned);
    }

    [Fact]
    public async Task Recipients_come_in_pages()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client, services: false);
        await client.PostAsync<LaunchedView>($"v1/campaigns/{scenario.Campaign}/launch");
        await Eventually.Async(async () => (await client.GetAsync<TaskView>($"v1/tasks/{scenario.Task}")).State == "running", Patience, "the task runs");

        var first = await client.GetAsync<Page<RecipientView>>($"v1/tasks/{scenario.Task}/recipients?limit=2");
        var second = await client.GetAsync<Page<RecipientView>>($"v1/tasks/{scenario.Task}/recipients?limit=2&after={first.Next}");

        Assert.Equal([(1, "waiting", "person1@example.com"), (2, "waiting", "person2@example.com")], first.Items.Select(r => (r.Seq, r.State, r.Email!)));
        Assert.Equal([3], second.Items.Select(r => r.Seq));
        Assert.Null(second.Next);
    }

    private static async Task<TaskView> FinishedAsync(HttpClient client, long task)
    {
        TaskView? last = null;
        await Eventually.Async(
            async () =>
            {
                last = await client.GetAsync<TaskView>($"v1/tasks/{task}");
                Assert.True(last.Balances, last.ToString());
                return last.State == "finished";
            },
            Patience,
            "the task is finished");
        return last!;
    }
}
