using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Edm.Contracts.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Edm.Host.Tests.Api;

[Collection(ApiFixture.Collection)]
public sealed class KeyTests(ApiFixture fixture)
{
    private ApiHost Host => fixture.Host;

    [Fact]
    public async Task Nothing_but_health_answers_without_a_key()
    {
        using var client = Host.Client(null as string);
        var endpoints = Host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().ToArray();
        Assert.True(endpoints.Length > 40, $"{endpoints.Length} addresses");

        foreach (var endpoint in endpoints)
        {
            var path = endpoint.RoutePattern.RawText!.Replace(":long", "", StringComparison.Ordinal).Replace("{id}", "1", StringComparison.Ordinal)
                .Replace("{key}", "1", StringComparison.Ordinal).Replace("{documentName}", "v1", StringComparison.Ordinal).TrimStart('/');
            foreach (var method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"])
            {
                using var answer = await client.SendJsonAsync(new HttpMethod(method), path, null);
                Assert.True(
                    path.StartsWith("health", StringComparison.Ordinal) ? answer.IsSuccessStatusCode : answer.StatusCode == HttpStatusCode.Unauthorized,
                    $"{method} {path} answered {answer.StatusCode}");
            }
        }
    }

    [Fact]
    public async Task An_address_that_does_not_exist_does_not_say_so_without_a_key()
    {
        using var client = Host.Client(null as string);

        Assert.Equal(401, (await client.ProblemAsync(HttpMethod.Get, "v1/nothing")).Status);
    }

    [Fact]
    public async Task A_401_says_both_ways_to_send_a_key()
    {
        using var client = Host.Client(null as string);
        using var answer = await client.GetAsync(new Uri("v1/me", UriKind.Relative));

        Assert.Equal(["Bearer", "Basic"], answer.Headers.WwwAuthenticate.Select(header => header.Scheme));
    }

    [Fact]
    public async Task A_key_works_as_a_bearer_token_and_as_a_basic_password()
    {
        var (user, bearer, key) = await Host.NewUserAsync();
        using var basic = Host.Client(Basic(key));

        Assert.Equal(user.Id, (await bearer.GetAsync<Me>("v1/me")).Id);
        Assert.Equal(user.Id, (await basic.GetAsync<Me>("v1/me")).Id);
    }

    [Theory]
    [InlineData("Bearer edm_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("Bearer nonsense")]
    [InlineData("Bearer")]
    [InlineData("Basic !!!")]
    [InlineData("Basic bm9jb2xvbg==")]
    [InlineData("Digest username=x")]
    [InlineData("\u0007")]
    public async Task A_key_that_is_not_valid_is_a_401_problem(string header)
    {
        using var client = Host.Client(null as string);
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", header);

        Assert.Equal("urn:edm:problem:unauthorized", (await client.ProblemAsync(HttpMethod.Get, "v1/me")).Type);
    }

    [Fact]
    public async Task A_page_of_another_site_cannot_use_the_key_that_the_browser_keeps()
    {
        var (_, _, key) = await Host.NewUserAsync();
        using var browser = Host.Client(Basic(key));
        browser.DefaultRequestHeaders.Add("Sec-Fetch-Site", "cross-site");

        Assert.Equal(403, (await browser.ProblemAsync(HttpMethod.Post, "v1/tasks/1/cancel")).Status);
        Assert.Equal(200, (int)(await browser.GetAsync(new Uri("v1/me", UriKind.Relative))).StatusCode);
    }

    [Fact]
    public async Task A_revoked_key_is_dead_at_once()
    {
        using var admin = Host.Client(Host.AdminKey);
        var (user, client, _) = await Host.NewUserAsync();
        var me = await client.GetAsync<Me>("v1/me");

        using var revoked = await admin.DeleteAsync(new Uri($"v1/users/{user.Id}/keys/{me.KeyId}", UriKind.Relative));

        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
        Assert.Equal(401, (await client.ProblemAsync(HttpMethod.Get, "v1/me")).Status);
    }

    [Fact]
    public async Task A_key_does_not_revoke_itself()
    {
        using var admin = Host.Client(Host.AdminKey);
        var me = await admin.GetAsync<Me>("v1/me");

        Assert.Equal(409, (await admin.ProblemAsync(HttpMethod.Delete, $"v1/users/{me.Id}/keys/{me.KeyId}")).Status);
    }

    [Fact]
    public async Task A_key_is_shown_when_it_is_made_and_never_again()
    {
        using var admin = Host.Client(Host.AdminKey);
        var (user, _, key) = await Host.NewUserAsync();

        var list = await admin.GetStringAsync(new Uri($"v1/users/{user.Id}/keys", UriKind.Relative));

        Assert.Contains("\"name\":\"test\"", list, StringComparison.Ordinal);
        Assert.DoesNotContain(key, list, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "v1/users")]
    [InlineData("POST", "v1/users")]
    [InlineData("GET", "v1/users/1")]
    [InlineData("PATCH", "v1/users/1")]
    [InlineData("DELETE", "v1/users/1")]
    [InlineData("POST", "v1/users/1/keys")]
    [InlineData("GET", "v1/users/1/keys")]
    [InlineData("DELETE", "v1/users/1/keys/1")]
    [InlineData("GET", "v1/cluster")]
    public async Task What_only_administrators_may_do_is_forbidden_to_others(string method, string path)
    {
        var (_, client, _) = await Host.NewUserAsync();

        Assert.Equal("urn:edm:problem:forbidden", (await client.ProblemAsync(new HttpMethod(method), path, method == "POST" ? "{}" : null)).Type);
    }

    [Fact]
    public async Task An_administrator_says_how_much_a_user_weighs()
    {
        using var admin = Host.Client(Host.AdminKey);
        var (user, _, _) = await Host.NewUserAsync();
        Assert.Equal(1, user.Weight);

        Assert.Equal(20, (await admin.PatchAsync<UserView>($"v1/users/{user.Id}", new { weight = 20 })).Weight);
        Assert.Equal(20, (await admin.PatchAsync<UserView>($"v1/users/{user.Id}", new { })).Weight);
        Assert.Equal(20, (await admin.GetAsync<UserView>($"v1/users/{user.Id}")).Weight);
        var problem = await admin.ProblemAsync(HttpMethod.Patch, $"v1/users/{user.Id}", """{"weight":101}""");
        Assert.Equal((400, "weight"), (problem.Status, problem.Field));
        Assert.Equal(404, (await admin.ProblemAsync(HttpMethod.Patch, "v1/users/9999999", """{"weight":2}""")).Status);
    }

    [Fact]
    public async Task A_deleted_user_is_gone_with_its_keys()
    {
        using var admin = Host.Client(Host.AdminKey);
        var (user, client, _) = await Host.NewUserAsync();
        await client.GetAsync<Me>("v1/me");

        using var deleted = await admin.DeleteAsync(new Uri($"v1/users/{user.Id}", UriKind.Relative));

        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(401, (await client.ProblemAsync(HttpMethod.Get, "v1/me")).Status);
        Assert.Equal(404, (await admin.ProblemAsync(HttpMethod.Get, $"v1/users/{user.Id}")).Status);
    }

    [Fact]
    public async Task Somebody_who_guesses_keys_is_put_off_and_others_are_not()
    {
        await using var host = await ApiHost.StartAsync("edm.http.failed-keys-per-minute = 3");
        using var known = host.Client(host.AdminKey);
        await known.GetAsync<Me>("v1/me");
        using var guessing = host.Client("edm_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(401, (await guessing.ProblemAsync(HttpMethod.Get, "v1/me")).Status);
        }

        using var answer = await guessing.GetAsync(new Uri("v1/me", UriKind.Relative));

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.InRange(answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        Assert.NotNull(await known.GetAsync<Me>("v1/me"));
    }

    private static AuthenticationHeaderValue Basic(string key) => new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"anybody:{key}")));
}
