using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Edm.Contracts.Http;
using Edm.Testing;

namespace Edm.Host.Tests.Api;

/// <summary>Imports under a key, without waiting, and watched.</summary>
[Collection(ApiFixture.Collection)]
public sealed class ImportAgainApiTests(ApiFixture fixture)
{
    private const string List = "email,handle\nann@example.com,ann\nbad,x\n";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task The_same_key_and_file_answer_the_same_import_and_another_file_is_a_conflict()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var first = await ReadAsync(await PostAsync(client, "", List, ("Idempotency-Key", "k-1")));

        var again = await ReadAsync(await PostAsync(client, "", List, ("Idempotency-Key", "k-1")));
        var other = await (await PostAsync(client, "", List + "bob@example.com,bob\n", ("Idempotency-Key", "k-1"))).ProblemAsync();

        Assert.Equal((first.Id, first.Created, first.FinishedAt), (again.Id, again.Created, again.FinishedAt));
        Assert.Equal((409, "Idempotency-Key"), (other.Status, other.Field));
        Assert.Single((await client.GetAsync<Page<ImportView>>("v1/imports")).Items);
    }

    [Fact]
    public async Task A_key_that_is_under_way_is_answered_with_when_to_come_again()
    {
        var (_, client, key) = await fixture.Host.NewUserAsync();
        using var upload = await RawUpload.BeginAsync(fixture.Host.Url, key, length: 1_000_000, "Idempotency-Key: slow\r\n");
        await upload.SendAsync(Encoding.UTF8.GetBytes("email\n"));
        await Eventually.Async(async () => (await client.GetAsync<Page<ImportView>>("v1/imports")).Items.Count == 1, Patience, "the upload has begun");

        using var answer = await PostAsync(client, "", "email\n", ("Idempotency-Key", "slow"));

        Assert.Equal(409, (await answer.ProblemAsync()).Status);
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    [Theory]
    [InlineData("two words")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789")]
    public async Task A_key_is_some_visible_characters(string key)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        Assert.Equal("Idempotency-Key", (await (await PostAsync(client, "", List, ("Idempotency-Key", key))).ProblemAsync()).Field);
    }

    [Fact]
    public async Task Who_does_not_wait_is_told_where_to_look()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        using var answer = await PostAsync(client, "", List, ("Prefer", "respond-async"));

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var where = answer.Headers.Location!.ToString().TrimStart('/');
        await Eventually.Async(async () => (await client.GetAsync<ImportView>(where)).State == "finished", Patience, "the import has finished");
        var import = await client.GetAsync<ImportView>(where);
        Assert.Equal((2, 2, 1, 1), (import.Rows, import.TotalRows, import.Created, import.Rejected));
    }

    [Fact]
    public async Task A_bad_file_is_refused_at_once_also_for_who_does_not_wait()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var problem = await (await PostAsync(client, "", "email\n\"open\n", ("Prefer", "respond-async"))).ProblemAsync();

        Assert.Equal((400, 2), (problem.Status, problem.Line));
    }

    [Fact]
    public async Task An_import_can_be_watched_to_its_end()
    {
        var (_, client, key) = await fixture.Host.NewUserAsync();
        using var upload = await RawUpload.BeginAsync(fixture.Host.Url, key, length: 25);
        await upload.SendAsync("email\na@example.com\n"u8.ToArray());
        await Eventually.Async(async () => (await client.GetAsync<Page<ImportView>>("v1/imports")).Items.Count == 1, Patience, "the upload has begun");
        var id = (await client.GetAsync<Page<ImportView>>("v1/imports")).Items[0].Id;
        using var answer = await client.GetAsync(new Uri($"v1/imports/{id}/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        using var events = new StreamReader(await answer.Content.ReadAsStreamAsync());
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal("event: progress", await events.ReadLineAsync());

        await upload.SendAsync("\n\n\n\n\n"u8.ToArray());

        var rest = await events.ReadToEndAsync();
        var end = rest.Split("event: end\ndata: ")[^1];
        Assert.Equal("finished", JsonDocument.Parse(end.Trim()).RootElement.GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_finished_import_has_one_event()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var import = await ReadAsync(await PostAsync(client, "", List));

        Assert.StartsWith("event: end\ndata: {", await client.GetStringAsync(new Uri($"v1/imports/{import.Id}/events", UriKind.Relative)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refused_rows_can_be_had_as_the_owners_own()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var import = await ReadAsync(await PostAsync(client, "", List));

        Assert.Equal(
            "email,handle,error_column,error_reason\r\nbad,x,email,not an e-mail address: there is no @\r\n",
            await client.GetStringAsync(new Uri($"v1/imports/{import.Id}/errors.csv?form=original", UriKind.Relative)));
        Assert.Equal("form", (await client.ProblemAsync(HttpMethod.Get, $"v1/imports/{import.Id}/errors.csv?form=odd")).Field);
    }

    [Theory]
    [InlineData("policy=merge&tag=a&tag=b&tagWhich=new", null)]
    [InlineData("policy=overwrite", "policy")]
    [InlineData("tagWhich=some", "tagWhich")]
    [InlineData("maxErrors=-1", "maxErrors")]
    [InlineData("tag=%20", "tag")]
    [InlineData("dryrun2=true", "dryrun2")]
    public async Task Options_are_checked_before_anything_is_read(string query, string? field)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        using var answer = await PostAsync(client, "&" + query, List);

        if (field is null)
        {
            Assert.Equal(["a", "b"], (await ReadAsync(answer)).Tags);
        }
        else
        {
            Assert.Equal(field, (await answer.ProblemAsync()).Field);
            Assert.Empty((await client.GetAsync<Page<ImportView>>("v1/imports")).Items);
        }
    }

    [Fact]
    public async Task A_dry_run_says_so_and_too_many_errors_are_a_422()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var dry = await ReadAsync(await PostAsync(client, "&dryRun=true", List));
        var refused = await (await PostAsync(client, "&maxErrors=0", List)).ProblemAsync();

        Assert.Equal((true, 1, 1), (dry.DryRun, dry.Created, dry.Rejected));
        Assert.Equal((422, "urn:edm:problem:too-many-errors"), (refused.Status, refused.Type));
        Assert.Equal(0, (await client.GetAsync<CountView>("v1/contacts/count")).Count);
    }

    private static async Task<ImportView> ReadAsync(HttpResponseMessage answer)
    {
        Assert.True(answer.StatusCode == HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
        return JsonSerializer.Deserialize<ImportView>(await answer.Content.ReadAsStringAsync(), JsonSerializerOptions.Web)!;
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient client, string query, string body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/imports?file=list.csv" + query) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("text/csv");
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        return await client.SendAsync(request);
    }
}
