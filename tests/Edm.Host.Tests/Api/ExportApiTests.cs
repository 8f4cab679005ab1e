using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Edm.Contracts.Http;

namespace Edm.Host.Tests.Api;

[Collection(ApiFixture.Collection)]
public sealed class ExportApiTests(ApiFixture fixture)
{
    [Theory]
    [InlineData("csv", "text/csv", "\uFEFFedm.id,email,")]
    [InlineData("ndjson", "application/x-ndjson", "{\"edm\":{\"id\":")]
    public async Task Ones_own_contacts_come_as_a_file_and_nobody_elses(string format, string type, string start)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var (_, stranger, _) = await fixture.Host.NewUserAsync();
        await client.PostAsync<ContactView>("v1/contacts", new { email = "ann@example.com", followers = 5 });
        await client.PostAsync<ContactView>("v1/contacts", new { email = "bob@example.com", followers = 500 });
        await stranger.PostAsync<ContactView>("v1/contacts", new { email = "carl@example.com", followers = 500 });

        using var answer = await client.GetAsync(new Uri($"v1/contacts/export?format={format}&filter=followers > 10", UriKind.Relative));
        var text = Encoding.UTF8.GetString(await answer.Content.ReadAsByteArrayAsync());

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal((type, "attachment", $"contacts.{format}"), (answer.Content.Headers.ContentType?.MediaType, answer.Content.Headers.ContentDisposition?.DispositionType, answer.Content.Headers.ContentDisposition?.FileName));
        Assert.StartsWith(start, text, StringComparison.Ordinal);
        Assert.Contains("bob@example.com", text, StringComparison.Ordinal);
        Assert.DoesNotContain("ann@example.com", text, StringComparison.Ordinal);
        Assert.DoesNotContain("carl@example.com", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_packed_on_its_way_where_that_is_accepted_or_as_a_file_where_that_is_asked_for()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        await client.PostAsync<ContactView>("v1/contacts", new { email = "ann@example.com" });

        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("v1/contacts/export?format=ndjson", UriKind.Relative));
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        using var onItsWay = await client.SendAsync(request);
        using var asFile = await client.GetAsync(new Uri("v1/contacts/export?format=ndjson&gzip=true", UriKind.Relative));

        Assert.Equal(("application/x-ndjson", "gzip"), (onItsWay.Content.Headers.ContentType?.MediaType, onItsWay.Content.Headers.ContentEncoding.Single()));
        Assert.Equal(("application/gzip", "contacts.ndjson.gz"), (asFile.Content.Headers.ContentType?.MediaType, asFile.Content.Headers.ContentDisposition?.FileName));
        Assert.Empty(asFile.Content.Headers.ContentEncoding);
        Assert.Contains("ann@example.com", await UnpackedAsync(onItsWay), StringComparison.Ordinal);
        Assert.Contains("ann@example.com", await UnpackedAsync(asFile), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("format=xlsx", "format")]
    [InlineData("filter=tag:nothing", null)]
    [InlineData("filter=folowers > 3", null)]
    [InlineData("form=csv", "form")]
    public async Task What_can_not_be_had_is_said_before_anything_is_sent(string query, string? field)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var problem = await client.ProblemAsync(HttpMethod.Get, $"v1/contacts/export?{query}");

        Assert.Equal(400, problem.Status);
        Assert.True(field is null ? problem.Position is not null : problem.Field == field, $"{problem}");
    }

    [Fact]
    public async Task A_download_that_breaks_off_ends_as_a_broken_connection()
    {
        // On a node of its own, which ends in the middle of it.
        await using var host = await ApiHost.StartAsync();
        var (_, client, _) = await host.NewUserAsync();
        var bio = new string('x', 3900);
        var list = "email,bio\n" + string.Concat(Enumerable.Range(0, 8000).Select(i => $"person{i}@example.com,{bio}\n"));
        using var body = new StringContent(list, Encoding.UTF8, "text/csv");
        using var imported = await client.PostAsync(new Uri("v1/imports", UriKind.Relative), body);
        Assert.Equal(HttpStatusCode.Created, imported.StatusCode);

        using var answer = await client.GetAsync(new Uri("v1/contacts/export", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        await using var stream = await answer.Content.ReadAsStreamAsync();
        var buffer = new byte[64 * 1024];
        await stream.ReadExactlyAsync(buffer);
        await host.StopAsync();

        var broken = await Record.ExceptionAsync(async () =>
        {
            while (await stream.ReadAsync(buffer) > 0)
            {
            }
        });
        Assert.True(broken is IOException or HttpRequestException, $"{broken}");
    }

    private static async Task<string> UnpackedAsync(HttpResponseMessage answer)
    {
        await using var unpacked = new GZipStream(await answer.Content.ReadAsStreamAsync(), CompressionMode.Decompress);
        using var reader = new StreamReader(unpacked);
        return await reader.ReadToEndAsync();
    }
}
