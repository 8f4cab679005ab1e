using System.Text.Json;
using Edm.Contracts.Http;

namespace Edm.Host.Tests.Api;

[Collection(ApiFixture.Collection)]
public sealed class SegmentApiTests(ApiFixture fixture)
{
    [Fact]
    public async Task A_segment_is_counted_listed_and_frozen_as_a_campaigns_audience()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client, recipients: 5);
        var segment = await client.PostAsync<SegmentView>("v1/segments", new { name = "Some", filter = "email starts with r or not email contains 1" });
        var all = (await client.GetAsync<CountView>("v1/contacts/count?filter=" + Uri.EscapeDataString("email starts with r or not email contains 1"))).Count;

        Assert.Equal(all, segment.Contacts);
        Assert.Equal(all, (await client.GetAsync<CountView>($"v1/segments/{segment.Id}/count")).Count);
        Assert.Equal(all, (await client.GetAsync<ContactPage>($"v1/segments/{segment.Id}/contacts?sort=-followers")).Items.Count);

        var campaign = await client.PostAsync<CampaignView>("v1/campaigns", new { name = "to some", templateId = scenario.Template, poolId = scenario.Pool, segmentId = segment.Id });
        await client.PatchAsync<SegmentView>($"v1/segments/{segment.Id}", new { name = "Others" });
        Assert.Equal("segment:\"Others\"", (await client.GetAsync<CampaignView>($"v1/campaigns/{campaign.Id}")).Filter);
        Assert.Equal(409, (await client.ProblemAsync(HttpMethod.Delete, $"v1/segments/{segment.Id}")).Status);
        Assert.Equal(all, (await client.PostAsync<FrozenView>($"v1/campaigns/{campaign.Id}/freeze", null)).Planned);
        await client.DeleteAsync(new Uri($"v1/segments/{segment.Id}", UriKind.Relative));
        Assert.Empty((await client.GetAsync<SegmentList>("v1/segments")).Items);
    }

    [Fact]
    public async Task Pages_of_contacts_go_on_with_next_in_any_order()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        await Scenario.CampaignAsync(client, recipients: 5);

        foreach (var sort in new[] { "", "domain", "-createdAt" })
        {
            var (seen, next) = (new List<long>(), "");
            do
            {
                var page = await client.GetAsync<JsonElement>($"v1/contacts?limit=2&sort={sort}&after={next}");
                seen.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetInt64()));
                next = page.GetProperty("next").ToString();
                Assert.True(next.Length == 0 || page.GetProperty("next").ValueKind == (sort.Length == 0 ? JsonValueKind.Number : JsonValueKind.String));
            }
            while (next.Length > 0);
            Assert.Equal(5, seen.Distinct().Count());
        }
    }

    [Fact]
    public async Task A_filter_is_explained_and_a_sample_of_it_taken()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        await Scenario.CampaignAsync(client, recipients: 5);
        var filter = Uri.EscapeDataString("status = active and not untagged or followers is empty");

        var explained = await client.GetAsync<FilterExplanationView>($"v1/contacts/explain?filter={filter}");
        var sample = await client.GetAsync<ContactSampleView>("v1/contacts/sample?limit=3&seed=7");

        Assert.Equal("((status = \"active\" and not untagged) or followers is empty)", explained.Read);
        Assert.Equal(3, explained.Parts.Count);
        Assert.Equal(3, sample.Items.Count);
    }

    [Theory]
    [InlineData("v1/contacts/explain?filter=tag%3Anone", "filter")]
    [InlineData("v1/contacts?sort=bio", "sort")]
    [InlineData("v1/contacts?sort=followers&after=12", "after")]
    [InlineData("v1/contacts/sample?limit=0", "limit")]
    public async Task Bad_questions_name_their_field(string path, string field)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var problem = await client.ProblemAsync(HttpMethod.Get, path);

        Assert.Equal((400, field), (problem.Status, problem.Field));
    }
}
