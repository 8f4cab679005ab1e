using System.Net;
using System.Text;

namespace Edm.Host.Tests.Api;

/// <summary>Whatever is wrong with a request is told as a problem that names it.</summary>
[Collection(ApiFixture.Collection)]
public sealed class ProblemTests(ApiFixture fixture)
{
    [Theory]
    [InlineData("""{"name":"p","lanse":2}""", "lanse", "There is no field 'lanse' here.")]
    [InlineData("""{"name":"p","lanes":"2"}""", "lanes", "Expected a number, found a text.")]
    [InlineData("""{"name":"p","lanes":2.5}""", "lanes", "Expected a whole number")]
    [InlineData("""{"name":"p","lanes":99999999999}""", "lanes", "Expected a whole number")]
    [InlineData("""{"name":7}""", "name", "Expected a text, found a number.")]
    [InlineData("""{"name":["p"]}""", "name", "Expected a text, found a list.")]
    [InlineData("""{"name":null}""", "name", "This field can't be null.")]
    [InlineData("""{"lanes":1}""", "name", "The field 'name' is needed.")]
    [InlineData("""{"name":"p","name":"q"}""", "name", "The field 'name' is there twice.")]
    [InlineData("""{"Name":"p"}""", "Name", "There is no field 'Name' here.")]
    [InlineData("""{"name":"p","shared":"yes"}""", "shared", "Expected true or false, found a text.")]
    [InlineData("[]", null, "Expected an object")]
    [InlineData("7", null, "Expected an object")]
    public async Task A_body_of_another_shape_is_refused_by_the_field(string json, string? field, string detail)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var problem = await client.ProblemAsync(HttpMethod.Post, "v1/pools", json);

        Assert.Equal(("urn:edm:problem:invalid-json", 400, field), (problem.Type, problem.Status, problem.Field));
        Assert.StartsWith(detail, problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_value_is_found_by_its_line()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var problem = await client.ProblemAsync(HttpMethod.Post, "v1/pools", "{\n  \"name\": \"p\",\n  \"lanes\": \"many\"\n}");

        Assert.Equal(("lanes", 3L), (problem.Field, problem.Line));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("""{"name":"p",}""")]
    [InlineData("""{"name":'p'}""")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("// nothing")]
    public async Task A_body_that_is_not_JSON_is_refused(string json)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var problem = await client.ProblemAsync(HttpMethod.Post, "v1/pools", json);

        Assert.Equal(400, problem.Status);
        Assert.DoesNotContain("Edm.", problem.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_with_invalid_UTF8_is_refused()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        using var content = new ByteArrayContent([.. "{\"name\":\""u8, 0xC3, 0x28, .. "\"}"u8]);
        content.Headers.ContentType = new("application/json");

        using var answer = await client.PostAsync(new Uri("v1/pools", UriKind.Relative), content);

        Assert.Equal(400, (await answer.ProblemAsync()).Status);
    }

    [Fact]
    public async Task A_body_nested_without_end_is_refused()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        Assert.Equal(400, (await client.ProblemAsync(HttpMethod.Post, "v1/pools", new string('[', 100_000))).Status);
    }

    [Fact]
    public async Task A_body_of_another_kind_is_a_415()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        Assert.Equal(415, (await client.ProblemAsync(HttpMethod.Post, "v1/pools", "name=p", "application/x-www-form-urlencoded")).Status);
    }

    [Fact]
    public async Task A_body_past_the_bound_is_a_413()
    {
        await using var host = await ApiHost.StartAsync("edm.http.max-body = 1KiB");
        using var client = host.Client(host.AdminKey);

        var problem = await client.ProblemAsync(HttpMethod.Post, "v1/pools", $$"""{"name":"{{new string('p', 2000)}}"}""");

        Assert.Equal(413, problem.Status);
    }

    [Theory]
    [InlineData("GET", "v1/nothing", 404)]
    [InlineData("GET", "v1/pools/abc", 404)]
    [InlineData("GET", "v1/pools/99999999999999999999", 404)]
    [InlineData("PUT", "v1/pools", 405)]
    [InlineData("DELETE", "v1/me", 405)]
    public async Task An_address_or_method_that_is_not_there_is_a_problem_too(string method, string path, int status)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        Assert.Equal(status, (await client.ProblemAsync(new HttpMethod(method), path)).Status);
    }

    [Fact]
    public async Task A_405_says_what_is_possible()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        using var answer = await client.SendJsonAsync(HttpMethod.Put, "v1/pools", "{}");

        Assert.Equal(["GET", "POST"], answer.Content.Headers.Allow.Order());
    }

    [Theory]
    [InlineData("v1/contacts?limit=0", "limit")]
    [InlineData("v1/contacts?limit=1001", "limit")]
    [InlineData("v1/contacts?limit=ten", "limit")]
    [InlineData("v1/contacts?after=x", "after")]
    [InlineData("v1/contacts?fliter=a", "fliter")]
    [InlineData("v1/contacts?filter=followers%20%3E", "filter")]
    [InlineData("v1/contacts/count?filter=follower%20%3E%201", "filter")]
    [InlineData("v1/services?poolId=1&poolId=x", "poolId")]
    [InlineData("v1/tasks/1/recipients?state=lost", "state")]
    public async Task A_wrong_parameter_is_refused_by_its_name(string path, string field)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var problem = await client.ProblemAsync(HttpMethod.Get, path);

        Assert.Equal((400, field), (problem.Status, problem.Field));
    }

    [Fact]
    public async Task A_filter_that_cannot_be_read_is_found_by_its_position()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var problem = await client.ProblemAsync(HttpMethod.Get, "v1/contacts?filter=" + Uri.EscapeDataString("followers > 1 and folowers < 9"));

        Assert.Equal(("urn:edm:problem:invalid-filter", 19L), (problem.Type, problem.Position));
        Assert.Contains("followers", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_is_taken_is_a_409_that_names_the_field()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        await client.PostAsync<object>("v1/pools", new { name = "main" });

        var problem = await client.ProblemAsync(HttpMethod.Post, "v1/pools", """{"name":"main"}""");

        Assert.Equal(("urn:edm:problem:conflict", 409, "name"), (problem.Type, problem.Status, problem.Field));
    }

    [Theory]
    [InlineData("/../../etc/passwd")]
    [InlineData("/v1/pools/%00")]
    [InlineData("/%ff%fe")]
    public async Task Odd_paths_are_problems_and_no_defects(string path)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));

        Assert.InRange((int)answer.StatusCode, 400, 499);
    }

    [Fact]
    public async Task A_header_without_end_is_refused_and_the_next_request_is_served()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "v1/me");
        request.Headers.TryAddWithoutValidation("X-Long", new string('x', 100_000));

        using var refused = await client.SendAsync(request);
        using var served = await client.GetAsync(new Uri("v1/me", UriKind.Relative));

        Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, refused.StatusCode);
        Assert.Equal(HttpStatusCode.OK, served.StatusCode);
    }

    [Fact]
    public async Task Words_of_the_user_come_back_as_they_are()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var problem = await client.ProblemAsync(HttpMethod.Post, "v1/pools", """{"name":"p","<Ü&\"字>":1}""");

        Assert.Equal("<Ü&\"字>", problem.Field);
    }
}
