using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Edm.Contracts.Http;

namespace Edm.Host.Tests.Api;

[Collection(ApiFixture.Collection)]
public sealed class ImportLayoutApiTests(ApiFixture fixture)
{
    private const string List = "Kontakt;Fans;Anmerkung\nann@example.com;1,3M;x\nbob@;2;y\n";

    [Fact]
    public async Task A_preview_tells_what_an_import_would_do_and_stores_nothing()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var preview = await PreviewAsync(client, List, "v1/imports/preview?file=list.csv");

        Assert.Equal((";", "email", "followers"), (preview.Dialect!.Delimiter, preview.Columns[0].Field, preview.Columns[1].Field));
        Assert.Equal(("ann@example.com", 1_300_000), (preview.Rows[0].Email, preview.Rows[0].Followers));
        Assert.Equal((3, "Kontakt"), (preview.Errors[0].Line, preview.Errors[0].Column));
        Assert.Equal(0, (await client.GetAsync<CountView>("v1/contacts/count")).Count);
    }

    [Fact]
    public async Task A_saved_mapping_decides_in_preview_and_import()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        using var body = new StringContent("""{"columns":{"Anmerkung":"attribute:remark","Fans":"ignore"}}""", Encoding.UTF8, "application/json");
        using var saved = await client.PutAsync(new Uri("v1/imports/mappings/my%20list", UriKind.Relative), body);
        Assert.Equal(HttpStatusCode.OK, saved.StatusCode);

        var preview = await PreviewAsync(client, List, "v1/imports/preview?mapping=my%20list");
        using var content = Content(List);
        using var imported = await client.PostAsync(new Uri("v1/imports?mapping=my%20list", UriKind.Relative), content);

        Assert.Equal(HttpStatusCode.Created, imported.StatusCode);
        Assert.Equal("x", preview.Rows[0].Attributes["remark"]);
        var contact = Assert.Single((await client.GetAsync<Page<ContactView>>("v1/contacts")).Items);
        Assert.Equal(("x", (long?)null), (contact.Attributes["remark"], contact.Followers));
    }

    [Fact]
    public async Task A_mapping_is_its_owners_and_can_be_deleted()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var (_, other, _) = await fixture.Host.NewUserAsync();
        using var body = new StringContent("""{"columns":{"a":"email"}}""", Encoding.UTF8, "application/json");
        using var saved = await client.PutAsync(new Uri("v1/imports/mappings/mine", UriKind.Relative), body);

        using var foreign = await other.GetAsync(new Uri("v1/imports/mappings/mine", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, foreign.StatusCode);
        Assert.Equal("email", (await client.GetAsync<ImportMappingsView>("v1/imports/mappings")).Items.Single().Columns["a"]);
        using var deleted = await client.DeleteAsync(new Uri("v1/imports/mappings/mine", UriKind.Relative));
        using var again = await client.DeleteAsync(new Uri("v1/imports/mappings/mine", UriKind.Relative));
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NotFound), (deleted.StatusCode, again.StatusCode));
    }

    [Theory]
    [InlineData("""{"columns":{"a":"mail"}}""", "columns.a")]
    [InlineData("""{"columns":{}}""", "columns")]
    public async Task A_mapping_that_can_not_be_is_refused_with_the_column(string json, string field)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        using var body = new StringContent(json, Encoding.UTF8, "application/json");

        using var answer = await client.PutAsync(new Uri("v1/imports/mappings/x", UriKind.Relative), body);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(field, JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("field").GetString());
    }

    [Fact]
    public async Task A_file_that_can_not_be_read_is_refused_with_line_and_byte()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        using var content = Content("email,name\na@b.co,x\nc@d.co,\"open\n");

        using var answer = await client.PostAsync(new Uri("v1/imports", UriKind.Relative), content);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal((3, 20), (problem.GetProperty("line").GetInt64(), problem.GetProperty("offset").GetInt64()));
    }

    private static async Task<ImportPreview> PreviewAsync(HttpClient client, string file, string address)
    {
        using var content = Content(file);
        using var answer = await client.PostAsync(new Uri(address, UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return JsonSerializer.Deserialize<ImportPreview>(await answer.Content.ReadAsStringAsync(), JsonSerializerOptions.Web)!;
    }

    private static ByteArrayContent Content(string text) => new(Encoding.UTF8.GetBytes(text)) { Headers = { ContentType = new MediaTypeHeaderValue("text/csv") } };
}
