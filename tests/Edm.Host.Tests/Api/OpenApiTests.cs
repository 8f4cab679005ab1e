using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Edm.Host.Tests.Api;

[Collection(ApiFixture.Collection)]
public sealed partial class OpenApiTests(ApiFixture fixture)
{
    [Fact]
    public async Task Every_address_is_described()
    {
        var paths = (await DocumentAsync()).GetProperty("paths");

        foreach (var endpoint in fixture.Host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            var path = "/" + endpoint.RoutePattern.RawText!.Replace(":long", "", StringComparison.Ordinal).Trim('/');
            if (!path.StartsWith("/v1", StringComparison.Ordinal) && !path.StartsWith("/health", StringComparison.Ordinal))
            {
                continue;
            }

            foreach (var method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods)
            {
                Assert.True(
                    paths.TryGetProperty(path, out var described) && described.TryGetProperty(method.ToLowerInvariant(), out _),
                    $"{method} {path} is not described");
            }
        }
    }

    [Fact]
    public async Task Every_operation_has_words_and_every_answer_a_shape()
    {
        foreach (var (name, operation) in Operations(await DocumentAsync()))
        {
            Assert.True(operation.TryGetProperty("summary", out var summary) && summary.GetString()!.Length > 5, $"{name} has no summary");
            Assert.True(operation.TryGetProperty("tags", out var tags) && tags.GetArrayLength() == 1, $"{name} has no place");
            foreach (var parameter in operation.TryGetProperty("parameters", out var parameters) ? parameters.EnumerateArray() : [])
            {
                Assert.True(parameter.TryGetProperty("description", out _), $"{name}: {parameter.GetProperty("name")} has no words");
            }

            foreach (var answer in operation.GetProperty("responses").EnumerateObject().Where(answer => answer.Name != "204"))
            {
                var content = answer.Value.GetProperty("content").EnumerateObject().ToArray();
                Assert.NotEmpty(content);
                Assert.All(content, one => Assert.True(one.Value.TryGetProperty("schema", out _), $"{name} {answer.Name} has no shape"));
            }
        }
    }

    [Fact]
    public async Task Every_error_is_a_problem_with_an_example()
    {
        foreach (var (name, operation) in Operations(await DocumentAsync()))
        {
            foreach (var answer in operation.GetProperty("responses").EnumerateObject().Where(answer => answer.Name[0] is '4' or '5'))
            {
                var problem = answer.Value.GetProperty("content").GetProperty("application/problem+json");
                Assert.Equal("#/components/schemas/Problem", problem.GetProperty("schema").GetProperty("$ref").GetString());
                Assert.Equal(answer.Name, problem.GetProperty("example").GetProperty("status").GetInt32().ToString(System.Globalization.CultureInfo.InvariantCulture));
            }

            Assert.True(name.Contains("/health", StringComparison.Ordinal) || operation.GetProperty("responses").TryGetProperty("401", out _), name);
        }
    }

    [Fact]
    public async Task Every_reference_leads_somewhere_and_no_type_of_ours_shows()
    {
        var document = await DocumentAsync();
        var schemas = document.GetProperty("components").GetProperty("schemas");

        foreach (Match reference in Reference().Matches(document.GetRawText()))
        {
            Assert.True(schemas.TryGetProperty(reference.Groups[1].Value, out _), reference.Value);
        }

        Assert.All(schemas.EnumerateObject(), schema => Assert.DoesNotContain("Optional", schema.Name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Ids_are_numbers_and_both_ways_to_send_a_key_are_told()
    {
        var components = (await DocumentAsync()).GetProperty("components");

        var id = components.GetProperty("schemas").GetProperty("CampaignView").GetProperty("properties").GetProperty("id");
        Assert.Equal("integer", id.GetProperty("type").GetString());
        Assert.Equal(["basic", "bearer"], components.GetProperty("securitySchemes").EnumerateObject().Select(scheme => scheme.Name).Order());
    }

    [Fact]
    public async Task The_page_to_try_it_loads_nothing_from_outside()
    {
        using var client = fixture.Host.Client(fixture.Host.AdminKey);

        using var answer = await client.GetAsync(new Uri("docs/", UriKind.Relative));
        var page = await answer.Content.ReadAsStringAsync();

        Assert.True(answer.IsSuccessStatusCode);
        Assert.DoesNotContain("http:", page, StringComparison.Ordinal);
        Assert.DoesNotContain("https:", page, StringComparison.Ordinal);
        Assert.DoesNotMatch(@"(src|href)\s*=\s*""//", page);

        // Whatever the scripts would like: the browser refuses them what is not ours.
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'none';", policy, StringComparison.Ordinal);
        Assert.Contains("connect-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("*", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("http", policy, StringComparison.Ordinal);
    }

    private async Task<JsonElement> DocumentAsync()
    {
        using var client = fixture.Host.Client(fixture.Host.AdminKey);
        return await client.GetAsync<JsonElement>("openapi/v1.json");
    }

    private static IEnumerable<(string Name, JsonElement Operation)> Operations(JsonElement document) =>
        from path in document.GetProperty("paths").EnumerateObject()
        from operation in path.Value.EnumerateObject()
        select ($"{operation.Name} {path.Name}", operation.Value);

    [GeneratedRegex("\"#/components/schemas/([^\"]+)\"")]
    private static partial Regex Reference();
}
