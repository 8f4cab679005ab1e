using System.Net;
using System.Text;
using Edm.Contracts.Http;

namespace Edm.Host.Tests.Api;

[Collection(ApiFixture.Collection)]
public sealed class TemplateApiTests(ApiFixture fixture)
{
    [Fact]
    public async Task A_template_that_does_not_parse_is_refused_with_part_line_and_column()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var problem = await client.ProblemAsync(HttpMethod.Post, "v1/templates", """{"name":"t","subject":"Hi","html":"<p>\n  {% if nickname %}Hi\n</p>"}""");

        Assert.Equal(("urn:edm:problem:invalid-template", 400, "html"), (problem.Type, problem.Status, problem.Field));
        Assert.True(problem is { Line: >= 2, Column: >= 1 }, problem.ToString());
        Assert.Empty((await client.GetAsync<Page<TemplateSummaryView>>("v1/templates")).Items);
    }

    [Fact]
    public async Task A_template_without_words_is_refused()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        Assert.Equal("urn:edm:problem:invalid-template", (await client.ProblemAsync(HttpMethod.Post, "v1/templates", """{"name":"t","subject":"Hi"}""")).Type);
    }

    [Fact]
    public async Task A_preview_is_the_mail_of_a_real_contact()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var contact = await ContactAsync(client);
        var template = await client.PostAsync<TemplateView>(
            "v1/templates", new { name = "t", subject = "{{ nickname }}!", html = "<p>{{ contact.mood }} {{ sender.name }}</p>", text = "{{ followers }}", strict = true });

        var preview = await client.PostAsync<PreviewView>($"v1/templates/{template.Id}/preview?contactId={contact}");

        Assert.Equal(new PreviewView("Ann & Bob!", "<p>beauty Your Name</p>", "1300000"), preview);
    }

    [Fact]
    public async Task Words_are_previewed_before_they_are_stored_with_the_sender_of_a_service()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var scenario = await Scenario.CampaignAsync(client);
        var contact = (await client.GetAsync<Page<ContactView>>("v1/contacts?limit=1")).Items[0].Id;

        var preview = await client.PostAsync<PreviewView>(
            "v1/templates/preview", new { contactId = contact, serviceId = scenario.Service, subject = "{{ sender.address }}", text = "{{ email }}" });

        Assert.Equal(new PreviewView("service@example.com", null, "person1@example.com"), preview);
    }

    [Fact]
    public async Task A_variable_that_is_not_known_is_refused_where_that_is_asked()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var contact = await ContactAsync(client);

        var problem = await client.ProblemAsync(
            HttpMethod.Post, "v1/templates/preview", $$$"""{"contactId":{{{contact}}},"subject":"Hi","text":"{{ nikname }}","strict":true}""");

        Assert.Equal("urn:edm:problem:invalid-template", problem.Type);
        Assert.Contains("nikname", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_contact_that_is_not_there_is_refused_by_the_field()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var problem = await client.ProblemAsync(HttpMethod.Post, "v1/templates/preview", """{"contactId":9999999,"subject":"Hi","text":"Hi"}""");

        Assert.Equal((400, "contactId"), (problem.Status, problem.Field));
    }

    [Fact]
    public async Task A_change_keeps_what_it_leaves_out_and_counts_a_version()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var made = await client.PostAsync<TemplateView>("v1/templates", new { name = "t", subject = "Hi", html = "<p>Hi</p>", text = "Hi" });

        var changed = await client.PatchAsync<TemplateView>($"v1/templates/{made.Id}", new { subject = "Hello", html = (string?)null });

        Assert.Equal(("t", 2, "Hello", null, "Hi"), (changed.Name, changed.Version, changed.Subject, changed.Html, changed.Text));
        Assert.Equal("subject", (await client.ProblemAsync(HttpMethod.Patch, $"v1/templates/{made.Id}", """{"subject":null}""")).Field);
        Assert.Equal("subjekt", (await client.ProblemAsync(HttpMethod.Patch, $"v1/templates/{made.Id}", """{"subjekt":"x"}""")).Field);
    }

    private static async Task<long> ContactAsync(HttpClient client)
    {
        using var content = new StringContent("email,nickname,followers,mood\nann@example.com,Ann & Bob,1.3M,beauty\n", Encoding.UTF8, "text/csv");
        using var answer = await client.PostAsync(new Uri("v1/imports?file=a.csv", UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (await client.GetAsync<Page<ContactView>>("v1/contacts")).Items[0].Id.Value;
    }
}
