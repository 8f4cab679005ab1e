using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Edm.Contracts.Http;
using Edm.Testing;

namespace Edm.Host.Tests.Api;

[Collection(ApiFixture.Collection)]
public sealed class ImportApiTests(ApiFixture fixture)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const string Creators = "handle,nickname,e-mail,followers,mood\n@ann,Ann,ann@example.com,1.3M,beauty\n@bob,Bob,bob@example.org,97K,food\n";

    [Fact]
    public async Task A_file_becomes_contacts()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var import = await ImportAsync(client, Creators);

        Assert.Equal(("creators.csv", "csv", "finished", 2, 2, 0), (import.File, import.Format, import.State, import.Rows, import.Created, import.Rejected));
        var contacts = await client.GetAsync<Page<ContactView>>("v1/contacts");
        Assert.Equal(["ann@example.com", "bob@example.org"], contacts.Items.Select(contact => contact.Email));
        Assert.Equal((1_300_000, "beauty", "active"), (contacts.Items[0].Followers, contacts.Items[0].Attributes["mood"], contacts.Items[0].Status));
        Assert.Equal(1, (await client.GetAsync<CountView>("v1/contacts/count?filter=" + Uri.EscapeDataString("followers > 1M"))).Count);
    }

    [Fact]
    public async Task The_same_file_again_changes_nothing()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        await ImportAsync(client, Creators);

        var again = await ImportAsync(client, Creators);

        Assert.Equal((0, 0, 2), (again.Created, again.Updated, again.Unchanged));
    }

    [Fact]
    public async Task A_packed_file_is_unpacked()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        using var answer = await PostAsync(client, Gzip(Creators), "application/gzip");

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal(2, (await client.GetAsync<CountView>("v1/contacts/count")).Count);
    }

    [Fact]
    public async Task Rejected_rows_can_be_downloaded_with_line_field_value_and_reason()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var import = await ImportAsync(client, "email,followers\nann@example.com,1\nnot-an-address,2\nbob@example.com,plenty\n");
        Assert.Equal(2, import.Rejected);

        using var answer = await client.GetAsync(new Uri($"v1/imports/{import.Id}/errors", UriKind.Relative));
        var lines = (await answer.Content.ReadAsStringAsync()).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal("text/csv", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal("line,field,value,reason", lines[0]);
        Assert.StartsWith("3,email,not-an-address,", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("4,followers,plenty,", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_truncated_gzip_is_refused_and_changes_nothing()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var packed = Gzip(Creators + string.Concat(Enumerable.Range(0, 1000).Select(n => $"@x{n},X,x{n}@example.com,{n},x\n")));

        await RefusedAsync(client, packed[..^20], "invalid-file");
    }

    [Fact]
    public async Task Invalid_UTF8_is_refused_with_its_line_and_changes_nothing()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var problem = await RefusedAsync(client, [.. Encoding.ASCII.GetBytes("email,nickname\nann@example.com,Ann\nbob@example.com,B"), 0xC3, 0x28, (byte)'\n'], "invalid-file");

        Assert.Equal(3, problem.Line);
    }

    [Fact]
    public async Task An_Excel_workbook_is_refused_with_what_to_do()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var problem = await RefusedAsync(client, [0x50, 0x4B, 0x03, 0x04, .. new byte[200]], "invalid-file");

        Assert.Contains("CSV", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_without_end_is_refused_after_its_first_megabytes()
    {
        var (_, client, key) = await fixture.Host.NewUserAsync();
        using var upload = await RawUpload.BeginAsync(fixture.Host.Url, key, length: 2L << 30);

        var (answer, sent) = await upload.SendUntilAnsweredAsync(new string('x', 64 * 1024));

        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains("urn:edm:problem:invalid-file", answer, StringComparison.Ordinal);
        Assert.InRange(sent, 1, 100L << 20);
        Assert.Equal(0, (await client.GetAsync<CountView>("v1/contacts/count")).Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("name,size\nAnn,3\n")]
    [InlineData("{\"email\": \"a@example.com\"")]
    [InlineData("[{\"email\": \"a@example.com\"}")]
    public async Task A_file_that_cannot_be_read_as_a_whole_is_refused_and_changes_nothing(string text)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        await RefusedAsync(client, Encoding.UTF8.GetBytes(text), "invalid-file");
    }

    [Fact]
    public async Task An_encoding_that_is_not_understood_is_refused_by_the_header()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        using var content = new ByteArrayContent("email\na@example.com\n"u8.ToArray());
        content.Headers.ContentEncoding.Add("br");

        using var answer = await SendAsync(client, content, "text/csv");

        Assert.Equal("Content-Encoding", (await answer.ProblemAsync()).Field);
    }

    [Fact]
    public async Task A_file_past_the_bound_is_a_413_and_changes_nothing()
    {
        await using var host = await ApiHost.StartAsync("edm.http.max-import = 1KiB");
        using var client = host.Client(host.AdminKey);

        using var answer = await PostAsync(client, Encoding.UTF8.GetBytes("email\n" + string.Concat(Enumerable.Range(0, 500).Select(n => $"x{n}@example.com\n"))), "text/csv");

        Assert.Equal(413, (await answer.ProblemAsync()).Status);
        Assert.Equal(0, (await client.GetAsync<CountView>("v1/contacts/count")).Count);
    }

    [Fact]
    public async Task A_file_may_be_larger_than_any_other_body()
    {
        await using var host = await ApiHost.StartAsync("edm.http.max-body = 1KiB");
        using var client = host.Client(host.AdminKey);

        var import = await ImportAsync(client, "email\n" + string.Concat(Enumerable.Range(0, 500).Select(n => $"x{n}@example.com\n")));

        Assert.Equal(500, import.Created);
    }

    [Fact]
    public async Task Imports_are_listed_the_newest_first()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var first = await ImportAsync(client, Creators);
        var second = await ImportAsync(client, Creators);

        var page = await client.GetAsync<Page<ImportView>>("v1/imports?limit=1");
        var rest = await client.GetAsync<Page<ImportView>>($"v1/imports?after={page.Next}");

        Assert.Equal(second.Id, Assert.Single(page.Items).Id);
        Assert.Equal(first.Id, Assert.Single(rest.Items).Id);
        Assert.Null(rest.Next);
    }

    [Fact]
    public async Task An_upload_that_breaks_off_changes_nothing_and_is_kept_as_failed()
    {
        var (_, client, key) = await fixture.Host.NewUserAsync();
        using var upload = await RawUpload.BeginAsync(fixture.Host.Url, key, length: 1_000_000);
        await upload.SendAsync(Encoding.UTF8.GetBytes("email\n" + string.Concat(Enumerable.Range(0, 5000).Select(n => $"x{n}@example.com\n"))));
        await Eventually.Async(async () => (await client.GetAsync<Page<ImportView>>("v1/imports")).Items is [{ State: "reading" }], Patience, "the file is being read");

        upload.Dispose();

        await Eventually.Async(async () => (await client.GetAsync<Page<ImportView>>("v1/imports")).Items is [{ State: "failed" }], Patience, "the import is kept as failed");
        Assert.Equal(0, (await client.GetAsync<CountView>("v1/contacts/count")).Count);
    }

    private static async Task<ImportView> ImportAsync(HttpClient client, string csv)
    {
        using var answer = await PostAsync(client, Encoding.UTF8.GetBytes(csv), "text/csv");
        Assert.True(answer.StatusCode == HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
        return JsonSerializer.Deserialize<ImportView>(await answer.Content.ReadAsStringAsync(), JsonSerializerOptions.Web)!;
    }

    private static async Task<ProblemView> RefusedAsync(HttpClient client, byte[] body, string kind)
    {
        using var answer = await PostAsync(client, body, "application/octet-stream");
        var problem = await answer.ProblemAsync();
        Assert.Equal(($"urn:edm:problem:{kind}", 400), (problem.Type, problem.Status));
        Assert.Equal(0, (await client.GetAsync<CountView>("v1/contacts/count")).Count);
        return problem;
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient client, byte[] body, string contentType)
    {
        using var content = new ByteArrayContent(body);
        return await SendAsync(client, content, contentType);
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, HttpContent content, string contentType)
    {
        content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        return await client.PostAsync(new Uri("v1/imports?file=creators.csv", UriKind.Relative), content);
    }

    private static byte[] Gzip(string text)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(Encoding.UTF8.GetBytes(text));
        }

        return packed.ToArray();
    }
}
