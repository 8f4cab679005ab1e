using System.Net;
using Edm.Contracts.Http;
using Edm.Testing;

namespace Edm.Host.Tests.Api;

[Collection(ApiFixture.Collection)]
public sealed class SuppressionApiTests(ApiFixture fixture)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Who_has_no_mailbox_fails_with_its_class_and_is_suppressed()
    {
        var (_, admin, _) = await fixture.Host.NewUserAsync("admin");
        using var set = await admin.SendJsonAsync(HttpMethod.Put, "v1/sandbox/behaviour?login=nobody-there", """{"rejectShare":1}""");
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client, recipients: 3, services: false);
        await client.PostAsync<ServiceView>(
            "v1/services", new { poolId = scenario.Pool, name = "sandbox", kind = "sandbox", username = "nobody-there", password = "x", senderAddress = "s@example.com" });

        await client.PostAsync<LaunchedView>($"v1/campaigns/{scenario.Campaign}/launch");
        await Eventually.Async(async () => (await client.GetAsync<TaskView>($"v1/tasks/{scenario.Task}")).State == "finished", Patience, "the task is finished");

        await Eventually.Async(
            async () => (await client.GetAsync<Page<RecipientView>>($"v1/tasks/{scenario.Task}/recipients?state=failed")).Items is { Count: 3 } all
                && all.All(one => one is { ReplyCode: 550, Class: "no-such-user" }),
            Patience,
            "all have failed and say why");
        await Eventually.Async(async () => (await client.GetAsync<SuppressionPage>("v1/suppressions")).Items.Count == 3, Patience, "all are suppressed");
        var first = (await client.GetAsync<SuppressionPage>("v1/suppressions?limit=1")).Items[0];
        Assert.Equal(("person1@example.com", "suppressed", (long?)scenario.Task, (int?)550), (first.Email, first.Reason, first.TaskId?.Value, first.ReplyCode));
        Assert.Equal(3, (await client.GetAsync<CountView>("v1/contacts/count?filter=status%20=%20suppressed")).Count);
    }

    [Fact]
    public async Task An_address_is_suppressed_and_let_go_by_hand()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        using var added = await client.SendJsonAsync(HttpMethod.Post, "v1/suppressions", """{"email":"Ann@example.com"}""");
        var listed = (await client.GetAsync<SuppressionPage>("v1/suppressions")).Items;
        var refused = await client.ProblemAsync(HttpMethod.Post, "v1/contacts", """{"email":"ann@example.com"}""");
        using var removed = await client.DeleteAsync(new Uri("v1/suppressions?email=ann%40example.com", UriKind.Relative));
        var gone = await client.ProblemAsync(HttpMethod.Delete, "v1/suppressions?email=ann%40example.com");

        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NoContent), (added.StatusCode, removed.StatusCode));
        Assert.Equal((1, "suppressed"), (listed.Count, listed[0].Reason));
        Assert.Equal((409, 404), (refused.Status, gone.Status));
    }

    [Theory]
    [InlineData("GET", "v1/suppressions?after=x", null, "after")]
    [InlineData("POST", "v1/suppressions", """{"email":"nobody"}""", "email")]
    [InlineData("DELETE", "v1/suppressions?email=nobody", null, "email")]
    public async Task What_cannot_be_used_is_refused_by_its_field(string method, string path, string? json, string field)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var problem = await client.ProblemAsync(new HttpMethod(method), path, json);

        Assert.Equal((400, field), (problem.Status, problem.Field));
    }
}
