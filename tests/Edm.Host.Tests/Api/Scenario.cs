using System.Net;
using System.Text;
using Edm.Contracts.Http;

namespace Edm.Host.Tests.Api;

/// <summary>A user with one of everything, up to a frozen task.</summary>
internal sealed record Scenario(long Pool, long Service, long Template, long Campaign, long Task, int Planned)
{
    /// <param name="port">Of the SMTP server that the service sends to.</param>
    /// <param name="services">False for a pool without services.</param>
    public static async Task<Scenario> CampaignAsync(HttpClient client, int recipients = 3, int port = 9, bool services = true, string html = "<p>Hello {{ nickname }}</p>")
    {
        var csv = "email,nickname\n" + string.Concat(Enumerable.Range(1, recipients).Select(n => $"person{n}@example.com,Person {n}\n"));
        using var content = new StringContent(csv, Encoding.UTF8, "text/csv");
        using var imported = await client.PostAsync(new Uri("v1/imports?file=people.csv", UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.Created, imported.StatusCode);

        var pool = (await client.PostAsync<PoolView>("v1/pools", new { name = "pool" })).Id;
        var service = services ? (await AddServiceAsync(client, pool.Value, "service", port)).Id.Value : 0;
        var template = (await client.PostAsync<TemplateView>("v1/templates", new { name = "template", subject = "Hello {{ nickname }}", html, strict = true })).Id;
        var campaign = (await client.PostAsync<CampaignView>("v1/campaigns", new { name = "campaign", templateId = template, poolId = pool })).Id;
        var frozen = await client.PostAsync<FrozenView>($"v1/campaigns/{campaign}/freeze");
        return new Scenario(pool.Value, service, template.Value, campaign.Value, frozen.TaskId.Value, frozen.Planned);
    }

    public static Task<ServiceView> AddServiceAsync(HttpClient client, long pool, string name, int port) => client.PostAsync<ServiceView>(
        "v1/services",
        new { poolId = pool, name, kind = "smtp", host = "127.0.0.1", port, tls = "none", senderAddress = $"{name}@example.com", senderName = "Sender" });
}
