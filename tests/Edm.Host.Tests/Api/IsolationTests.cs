using System.Text;
using Edm.Contracts.Http;

namespace Edm.Host.Tests.Api;

/// <summary>What belongs to one user does not exist for another.</summary>
[Collection(ApiFixture.Collection)]
public sealed class IsolationTests(ApiFixture fixture)
{
    private const long NoSuchId = 9_999_999;

    [Fact]
    public async Task Whatever_another_user_asks_of_my_things_is_answered_as_if_they_did_not_exist()
    {
        var (_, mine, _) = await fixture.Host.NewUserAsync();
        var (_, theirs, _) = await fixture.Host.NewUserAsync("admin");
        var campaign = await Scenario.CampaignAsync(mine);
        var contact = (await mine.GetAsync<Page<ContactView>>("v1/contacts?limit=1")).Items[0].Id;
        var import = (await mine.GetAsync<Page<ImportView>>("v1/imports?limit=1")).Items[0].Id;

        (string Method, string Path, string? Body)[] requests =
        [
            ("GET", $"v1/contacts/{contact}", null), ("DELETE", $"v1/contacts/{contact}", null),
            ("PATCH", $"v1/contacts/{contact}", "{}"), ("GET", $"v1/contacts/{contact}/history", null), ("POST", $"v1/contacts/{contact}/merge", """{"from":[1]}"""),
            ("GET", $"v1/imports/{import}", null), ("GET", $"v1/imports/{import}/errors", null),
            ("GET", $"v1/pools/{campaign.Pool}", null), ("DELETE", $"v1/pools/{campaign.Pool}", null),
            ("GET", $"v1/services/{campaign.Service}", null), ("PATCH", $"v1/services/{campaign.Service}", "{}"), ("DELETE", $"v1/services/{campaign.Service}", null),
            ("GET", $"v1/services/{campaign.Service}/why", null), ("POST", $"v1/services/{campaign.Service}/test", null), ("POST", $"v1/services/{campaign.Service}/disable", null), ("POST", $"v1/services/{campaign.Service}/enable", null),
            ("GET", $"v1/services/{campaign.Service}/dkim", null), ("PUT", $"v1/services/{campaign.Service}/dkim", """{"selector":"edm"}"""),
            ("DELETE", $"v1/services/{campaign.Service}/dkim", null),
            ("GET", $"v1/templates/{campaign.Template}", null), ("PATCH", $"v1/templates/{campaign.Template}", "{}"), ("DELETE", $"v1/templates/{campaign.Template}", null),
            ("POST", $"v1/templates/{campaign.Template}/preview?contactId={contact}", null),
            ("GET", $"v1/campaigns/{campaign.Campaign}", null), ("PATCH", $"v1/campaigns/{campaign.Campaign}", "{}"), ("DELETE", $"v1/campaigns/{campaign.Campaign}", null),
            ("POST", $"v1/campaigns/{campaign.Campaign}/freeze", null), ("POST", $"v1/campaigns/{campaign.Campaign}/launch", null),
            ("GET", $"v1/tasks/{campaign.Task}", null), ("GET", $"v1/tasks/{campaign.Task}/recipients", null),
            ("POST", $"v1/tasks/{campaign.Task}/pause", null), ("POST", $"v1/tasks/{campaign.Task}/resume", null),
            ("POST", $"v1/tasks/{campaign.Task}/cancel", null), ("POST", $"v1/tasks/{campaign.Task}/retry", null),
            ("GET", $"v1/tasks/{campaign.Task}/why", null), ("PATCH", $"v1/tasks/{campaign.Task}", """{"priority":9,"cap":0}"""),
            ("POST", $"v1/tasks/{campaign.Task}/missed", null), ("POST", $"v1/tasks/{campaign.Task}/unknown", """{"as":"sent","all":true}"""),
            ("POST", $"v1/tasks/{campaign.Task}/unknown", $$"""{"as":"sent","serviceId":{{campaign.Service}}}"""),
        ];
        foreach (var (method, path, body) in requests)
        {
            var problem = await theirs.ProblemAsync(new HttpMethod(method), path, body);
            var nothing = await theirs.ProblemAsync(new HttpMethod(method), Other(path), body);

            Assert.True(problem.Status == 404, $"{method} {path}: {problem.Status} {problem.Detail}");
            Assert.Equal(nothing, problem);
        }

        Assert.Equal("frozen", (await mine.GetAsync<TaskView>($"v1/tasks/{campaign.Task}")).State);
    }

    [Fact]
    public async Task Lists_hold_my_own_things_only()
    {
        var (_, mine, _) = await fixture.Host.NewUserAsync();
        var (_, theirs, _) = await fixture.Host.NewUserAsync("admin");
        await Scenario.CampaignAsync(mine);

        foreach (var list in new[] { "contacts", "imports", "services", "templates", "campaigns", "tasks" })
        {
            Assert.NotEmpty((await mine.GetAsync<Page<object>>($"v1/{list}")).Items);
            Assert.Empty((await theirs.GetAsync<Page<object>>($"v1/{list}")).Items);
        }

        Assert.Equal(0, (await theirs.GetAsync<CountView>("v1/contacts/count")).Count);
    }

    [Fact]
    public async Task My_campaign_cannot_use_what_is_not_mine()
    {
        var (_, mine, _) = await fixture.Host.NewUserAsync();
        var (_, theirs, _) = await fixture.Host.NewUserAsync();
        var foreign = await Scenario.CampaignAsync(mine);
        var own = await Scenario.CampaignAsync(theirs);

        var pool = await theirs.ProblemAsync(HttpMethod.Post, "v1/campaigns", $$"""{"name":"c","templateId":{{own.Template}},"poolId":{{foreign.Pool}}}""");
        var template = await theirs.ProblemAsync(HttpMethod.Post, "v1/campaigns", $$"""{"name":"c","templateId":{{foreign.Template}},"poolId":{{own.Pool}}}""");
        var service = await theirs.ProblemAsync(
            HttpMethod.Post, "v1/services", $$"""{"name":"s","kind":"smtp","host":"127.0.0.1","poolId":{{foreign.Pool}},"senderAddress":"a@example.com"}""");

        Assert.Equal(((400, "poolId"), (400, "templateId"), (400, "poolId")), ((pool.Status, pool.Field), (template.Status, template.Field), (service.Status, service.Field)));
    }

    [Fact]
    public async Task A_shared_pool_is_used_by_others_who_see_nothing_of_its_services()
    {
        var (_, admin, _) = await fixture.Host.NewUserAsync("admin");
        var (_, user, _) = await fixture.Host.NewUserAsync();
        var theirs = await Scenario.CampaignAsync(admin);
        var own = await Scenario.CampaignAsync(user);
        await admin.PatchAsync<PoolView>($"v1/pools/{theirs.Pool}", new { shared = true });

        var pool = await user.GetAsync<PoolView>($"v1/pools/{theirs.Pool}");
        var campaign = await user.PostAsync<CampaignView>("v1/campaigns", new { name = "borrowed", templateId = own.Template, poolId = theirs.Pool });

        Assert.Equal((false, true, true), (pool.Own, pool.Shared, pool.HasEnabledServices));
        Assert.Equal(theirs.Pool, campaign.PoolId.Value);
        Assert.Empty((await user.GetAsync<Page<ServiceView>>($"v1/services?poolId={theirs.Pool}")).Items);
        Assert.Equal(403, (await user.ProblemAsync(HttpMethod.Patch, $"v1/pools/{own.Pool}", """{"shared":true}""")).Status);
    }

    // The same request for an id that nobody has.
    private static string Other(string path)
    {
        var parts = path.Split('/');
        var rest = parts[2].IndexOf('?', StringComparison.Ordinal) is var query and >= 0 ? parts[2][query..] : "";
        parts[2] = NoSuchId + rest;
        return string.Join('/', parts);
    }
}
