using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Edm.Contracts.Http;

namespace Edm.Host.Tests.Api;

[Collection(ApiFixture.Collection)]
public sealed class DkimApiTests(ApiFixture fixture)
{
    [Fact]
    public async Task A_key_is_made_its_record_is_told_and_the_key_itself_never()
    {
        var (client, service) = await ServiceAsync();
        Assert.Equal(404, (await client.ProblemAsync(HttpMethod.Get, $"v1/services/{service}/dkim")).Status);

        var made = await PutAsync(client, service, new { selector = "edm" });

        Assert.Equal(("example.com", "edm", "rsa", "edm._domainkey.example.com"), (made.Domain, made.Selector, made.Algorithm, made.DnsName));
        Assert.StartsWith("v=DKIM1; k=rsa; p=MIIB", made.DnsValue, StringComparison.Ordinal);
        Assert.All(made.ZoneLine.Split('"').Where((_, at) => at % 2 == 1), piece => Assert.InRange(piece.Length, 1, 255));
        Assert.Equal(made, await client.GetAsync<DkimView>($"v1/services/{service}/dkim"));
        Assert.Equal(("example.com", 2L), ((await client.GetAsync<ServiceView>($"v1/services/{service}")).DkimDomain, (await client.GetAsync<ServiceView>($"v1/services/{service}")).Version));

        using var removed = await client.DeleteAsync(new Uri($"v1/services/{service}/dkim", UriKind.Relative));
        Assert.Equal(204, (int)removed.StatusCode);
        Assert.Null((await client.GetAsync<ServiceView>($"v1/services/{service}")).DkimDomain);
    }

    [Fact]
    public async Task A_key_that_is_given_is_the_one_that_is_published()
    {
        using var rsa = RSA.Create(2048);
        var (client, service) = await ServiceAsync();

        var given = await PutAsync(client, service, new { selector = "mail-2026", domain = "News.Example.com", privateKey = rsa.ExportRSAPrivateKeyPem() });
        var made = await PutAsync(client, service, new { selector = "e", algorithm = "ed25519" });

        Assert.Equal(("news.example.com", $"v=DKIM1; k=rsa; p={Convert.ToBase64String(rsa.ExportSubjectPublicKeyInfo())}"), (given.Domain, given.DnsValue));
        Assert.Equal("ed25519", made.Algorithm);
    }

    [Theory]
    [InlineData("""{"selector":""}""", "selector", "letters, digits")]
    [InlineData("""{"selector":"a b"}""", "selector", "letters, digits")]
    [InlineData("""{"selector":"edm","algorithm":"dsa"}""", "algorithm", "none of rsa, ed25519")]
    [InlineData("""{"selector":"edm","domain":"no domain"}""", "domain", "domain name")]
    [InlineData("""{"selector":"edm","domain":"other.example"}""", "domain", "DMARC")]
    [InlineData("""{"selector":"edm","privateKey":"secret"}""", "privateKey", "no key in PEM")]
    [InlineData("""{"selector":"edm","privateKey":"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"}""", "privateKey", "the public key")]
    public async Task What_cannot_sign_is_refused_by_its_field(string body, string field, string words)
    {
        var (client, service) = await ServiceAsync();

        var problem = await client.ProblemAsync(HttpMethod.Put, $"v1/services/{service}/dkim", body);

        Assert.Equal((400, field), (problem.Status, problem.Field));
        Assert.Contains(words, problem.Detail, StringComparison.OrdinalIgnoreCase);
        Assert.Null((await client.GetAsync<ServiceView>($"v1/services/{service}")).DkimDomain);
    }

    [Fact]
    public async Task A_sender_that_the_signature_says_nothing_about_is_refused()
    {
        var (client, service) = await ServiceAsync();
        await PutAsync(client, service, new { selector = "edm" });

        var problem = await client.ProblemAsync(HttpMethod.Patch, $"v1/services/{service}", """{"senderAddress":"a@other.example"}""");

        Assert.Equal((400, "senderAddress"), (problem.Status, problem.Field));
        Assert.Equal("b@mail.example.com", (await client.PatchAsync<ServiceView>($"v1/services/{service}", new { senderAddress = "b@mail.example.com" })).SenderAddress);
    }

    [Fact]
    public async Task The_kind_of_login_is_kept_and_another_is_refused()
    {
        var (client, service) = await ServiceAsync();
        Assert.Equal("password", (await client.GetAsync<ServiceView>($"v1/services/{service}")).Login);

        Assert.Equal("xoauth2", (await client.PatchAsync<ServiceView>($"v1/services/{service}", new { login = "xoauth2" })).Login);
        Assert.Equal((400, "login"), await client.ProblemAsync(HttpMethod.Patch, $"v1/services/{service}", """{"login":"kerberos"}""") is var problem ? (problem.Status, problem.Field) : default);
    }

    private async Task<(HttpClient Client, long Service)> ServiceAsync()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var pool = (await client.PostAsync<PoolView>("v1/pools", new { name = "pool" })).Id;
        var service = await client.PostAsync<ServiceView>("v1/services", new { poolId = pool, name = "s", kind = "smtp", host = "smtp.example.com", senderAddress = "a@example.com" });
        return (client, service.Id.Value);
    }

    private static async Task<DkimView> PutAsync(HttpClient client, long service, object body)
    {
        using var answer = await client.SendJsonAsync(HttpMethod.Put, $"v1/services/{service}/dkim", JsonSerializer.Serialize(body));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync<DkimView>(JsonSerializerOptions.Web))!;
    }
}
