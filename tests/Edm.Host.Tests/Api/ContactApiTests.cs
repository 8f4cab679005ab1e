using System.Net;
using System.Text;
using System.Text.Json;
using Edm.Contracts.Http;

namespace Edm.Host.Tests.Api;

[Collection(ApiFixture.Collection)]
public sealed class ContactApiTests(ApiFixture fixture)
{
    [Fact]
    public async Task A_contact_is_created_read_changed_and_deleted()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var made = await client.PostAsync<ContactView>("v1/contacts", new { email = "Ann@Example.com", nickname = "Ann", followers = 5, attributes = new { mood = "good", city = "Bonn" } });
        var changed = await client.PatchAsync<ContactView>($"v1/contacts/{made.Id}", new { nickname = (string?)null, followers = 6, attributes = new { mood = (string?)null, dog = "yes" }, status = "unsubscribed" });
        var read = await client.GetAsync<ContactView>($"v1/contacts/{made.Id}");
        var history = await client.GetAsync<ContactHistoryPage>($"v1/contacts/{made.Id}/history");
        using var deleted = await client.DeleteAsync(new Uri($"v1/contacts/{made.Id}", UriKind.Relative));
        var back = await client.ProblemAsync(HttpMethod.Post, "v1/contacts", """{"email":"ann@example.com"}""");

        Assert.Equal(("Ann@example.com", "Ann", "active"), (made.Email, made.Nickname, made.Status));
        Assert.Equal((null, 6L, "unsubscribed", "Bonn yes"), (changed.Nickname, changed.Followers, changed.Status, string.Join(' ', changed.Attributes.OrderBy(one => one.Key).Select(one => one.Value))));
        Assert.Equal(JsonSerializer.Serialize(changed), JsonSerializer.Serialize(read));
        Assert.Equal(["changed", "created"], history.Items.Select(entry => entry.Kind));
        Assert.Equal(("test", "good", null), (history.Items[0].By, history.Items[0].Changes["attributes.mood"].From, history.Items[0].Changes["attributes.mood"].To));
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal((409, "email"), (back.Status, back.Field));
    }

    [Theory]
    [InlineData("""{"email":"nobody"}""", "email")]
    [InlineData("""{"email":null}""", "email")]
    [InlineData("""{"status":"gone"}""", "status")]
    [InlineData("""{"status":null}""", "status")]
    [InlineData("""{"followers":-1}""", "followers")]
    [InlineData("""{"attributes":{"Mood!":"x"}}""", "attributes")]
    [InlineData("""{"attributes":{"mood":""}}""", "attributes.mood")]
    [InlineData("""{"name":"x"}""", "name")]
    public async Task What_cannot_be_used_is_refused_by_its_field(string json, string field)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var made = await client.PostAsync<ContactView>("v1/contacts", new { email = "a@example.com" });

        var problem = await client.ProblemAsync(HttpMethod.Patch, $"v1/contacts/{made.Id}", json);

        Assert.Equal((400, field), (problem.Status, problem.Field));
        Assert.Single((await client.GetAsync<ContactHistoryPage>($"v1/contacts/{made.Id}/history")).Items);
    }

    [Fact]
    public async Task Duplicates_are_found_and_merged_and_an_audience_that_holds_one_skips_it()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client, recipients: 2);
        var contacts = (await client.GetAsync<ContactPage>("v1/contacts")).Items;
        await client.PatchAsync<ContactView>($"v1/contacts/{contacts[0].Id}", new { handle = "same" });
        await client.PatchAsync<ContactView>($"v1/contacts/{contacts[1].Id}", new { handle = "Same", bio = "hi" });

        var found = await client.GetAsync<DuplicatePage>("v1/contacts/duplicates");
        var merged = await client.PostAsync<ContactView>($"v1/contacts/{contacts[0].Id}/merge", new { from = new[] { contacts[1].Id } });
        var recipients = await client.GetAsync<Page<RecipientView>>($"v1/tasks/{scenario.Task}/recipients");

        Assert.Equal(("handle", 2), found.Items.Select(group => (group.Reason, group.Count)).Single());
        Assert.Equal("hi", merged.Bio);
        Assert.Equal([contacts[0].Email, null], recipients.Items.Select(one => one.Email));
        Assert.Empty((await client.GetAsync<DuplicatePage>("v1/contacts/duplicates")).Items);
        Assert.Equal("from", (await client.ProblemAsync(HttpMethod.Post, $"v1/contacts/{contacts[0].Id}/merge", $$"""{"from":[{{contacts[1].Id}}]}""")).Field);
    }
}
