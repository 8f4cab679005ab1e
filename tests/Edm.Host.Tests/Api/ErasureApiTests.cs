using Edm.Contracts.Http;
using Edm.Testing;

namespace Edm.Host.Tests.Api;

[Collection(ApiFixture.Collection)]
public sealed class ErasureApiTests(ApiFixture fixture)
{
    [Fact]
    public async Task A_contact_is_erased_by_its_owner_and_nobody_else()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var (_, stranger, _) = await fixture.Host.NewUserAsync();
        var contact = await client.PostAsync<ContactView>("v1/contacts", new { email = "ann@example.com", nickname = "Ann" });

        var refused = await stranger.ProblemAsync(HttpMethod.Post, $"v1/contacts/{contact.Id}/erasure");
        Assert.Equal("Ann", (await client.GetAsync<ContactView>($"v1/contacts/{contact.Id}")).Nickname);
        var erased = await client.PostAsync<ErasureView>($"v1/contacts/{contact.Id}/erasure");
        var again = await client.PostAsync<ErasureView>($"v1/contacts/{contact.Id}/erasure");

        Assert.Equal(404, refused.Status);
        Assert.Equal((contact.Id, "test"), (erased.ContactId, erased.By));
        Assert.Equal(erased.Id, again.Id);
        Assert.Equal(404, (await client.ProblemAsync(HttpMethod.Get, $"v1/contacts/{contact.Id}")).Status);
        Assert.Equal(404, (await client.ProblemAsync(HttpMethod.Get, $"v1/contacts/{contact.Id}/history")).Status);
        Assert.Equal((409, "email"), await FieldAsync(client, """{"email":"ANN@example.com"}"""));
        Assert.Equal(404, (await stranger.ProblemAsync(HttpMethod.Get, $"v1/erasures/{erased.Id}")).Status);
        Assert.Empty((await stranger.GetAsync<Page<ErasureView>>("v1/erasures")).Items);
        Assert.Equal(erased.Id, (await client.GetAsync<Page<ErasureView>>("v1/erasures")).Items.Single().Id);
        await Eventually.Async(
            async () => await client.GetAsync<ErasureView>($"v1/erasures/{erased.Id}") is { State: "finished", FinishedAt: not null }, TimeSpan.FromSeconds(60), "the erasure is finished");
        await stranger.PostAsync<ContactView>("v1/contacts", new { email = "ann@example.com" });
    }

    [Fact]
    public async Task A_person_is_erased_by_the_address_also_one_who_is_no_contact()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var contact = await client.PostAsync<ContactView>("v1/contacts", new { email = "ann@example.com" });

        var known = await client.PostAsync<ErasureView>("v1/erasures", new { email = " ANN@example.com" });
        var unknown = await client.PostAsync<ErasureView>("v1/erasures", new { email = "bob@example.com" });
        var page = await client.GetAsync<Page<ErasureView>>("v1/erasures?limit=1");
        var next = await client.GetAsync<Page<ErasureView>>($"v1/erasures?limit=1&after={page.Next}");

        Assert.Equal((contact.Id, null), (known.ContactId, unknown.ContactId));
        Assert.Equal((unknown.Id, known.Id), (page.Items.Single().Id, next.Items.Single().Id));
        Assert.Equal((409, "email"), await FieldAsync(client, """{"email":"bob@example.com"}"""));
        var problem = await client.ProblemAsync(HttpMethod.Post, "v1/erasures", """{"email":"nobody"}""");
        Assert.Equal((400, "email"), (problem.Status, problem.Field));
    }

    private static async Task<(int, string?)> FieldAsync(HttpClient client, string contact)
    {
        var problem = await client.ProblemAsync(HttpMethod.Post, "v1/contacts", contact);
        return (problem.Status, problem.Field);
    }
}
