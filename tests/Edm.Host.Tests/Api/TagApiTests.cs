using System.Globalization;
using System.Net;
using System.Text;
using Edm.Contracts.Http;

namespace Edm.Host.Tests.Api;

[Collection(ApiFixture.Collection)]
public sealed class TagApiTests(ApiFixture fixture)
{
    [Fact]
    public async Task Tags_are_added_by_a_filter_removed_by_a_list_and_undone()
    {
        var (client, ids) = await WithContactsAsync();

        var dry = await client.PostAsync<TagApplyView>("v1/tags/apply", new { action = "add", tags = new[] { "Beauty" }, filter = "followers >= 20", dryRun = true });
        var none = await client.GetAsync<IReadOnlyList<TagView>>("v1/tags");
        var added = await client.PostAsync<TagApplyView>("v1/tags/apply", new { action = "add", tags = new[] { "Beauty" }, filter = "followers >= 20" });
        var removed = await client.PostAsync<TagApplyView>("v1/tags/apply", new { action = "remove", tags = new[] { "beauty" }, contactIds = new[] { ids[2], 9_999_999 } });
        var undone = await client.PostAsync<TagOperationView>($"v1/tags/operations/{removed.OperationId}/undo");
        var redone = await client.PostAsync<TagOperationView>($"v1/tags/operations/{undone.Id}/undo");

        Assert.Empty(none);
        Assert.Equal((2, 2L, null), (dry.Contacts, dry.Added, dry.OperationId));
        Assert.Equal((2, 2L, 0L), (added.Contacts, added.Added, added.Removed));
        Assert.Equal((1, 1, 0L, 1L), (removed.Contacts, removed.Missing, removed.Added, removed.Removed));
        Assert.Equal(("undo", 1L, 0L, removed.OperationId), (undone.Kind, undone.Added, undone.Removed, undone.Undoes));
        Assert.Equal(undone.Id, redone.Undoes);
        Assert.Equal(("Beauty", 1), (await client.GetAsync<IReadOnlyList<TagView>>("v1/tags")).Select(tag => (tag.Name, tag.Contacts)).Single());
    }

    [Fact]
    public async Task It_is_told_who_tagged_a_contact_and_when()
    {
        var (client, ids) = await WithContactsAsync();
        await client.PostAsync<TagApplyView>(
            "v1/tags/apply", new { action = "add", tags = new[] { "a" }, contactIds = new[] { ids[0], ids[1] }, source = "ai", by = "reader", confidence = 0.75 });
        await client.PostAsync<TagApplyView>("v1/tags/apply", new { action = "add", tags = new[] { "b" }, contactIds = new[] { ids[0] } });
        await client.PostAsync<TagApplyView>("v1/tags/apply", new { action = "add", tags = new[] { "c" }, contactIds = new[] { ids[1] } });

        var tags = await client.GetAsync<IReadOnlyList<ContactTagView>>($"v1/contacts/{ids[0]}/tags");
        var newest = await client.GetAsync<Page<TagOperationView>>($"v1/tags/operations?contactId={ids[0]}&limit=1");
        var older = await client.GetAsync<Page<TagOperationView>>($"v1/tags/operations?contactId={ids[0]}&limit=5&after={newest.Next}");
        var detail = await client.GetAsync<TagOperationDetailView>($"v1/tags/operations/{older.Items[0].Id}");

        Assert.Equal(
            [("a", "ai", "reader", 0.75), ("b", "person", "test", null)],
            tags.Select(tag => (tag.Name, tag.By!.Source, tag.By.Actor, tag.By.Confidence)));
        Assert.Equal((2, 1), (newest.Items.Count + older.Items.Count, older.Items.Count));
        Assert.Equal(("a", 2L, null, "a"), detail.Tags.Select(tag => (tag.Name, tag.Added, tag.OldName, tag.NewName)).Single());
    }

    [Fact]
    public async Task What_something_newer_contradicts_is_not_undone_and_the_newer_one_is_named()
    {
        var (client, ids) = await WithContactsAsync();
        var first = await client.PostAsync<TagApplyView>("v1/tags/apply", new { action = "add", tags = new[] { "a" }, contactIds = ids });
        var second = await client.PostAsync<TagApplyView>("v1/tags/apply", new { action = "remove", tags = new[] { "a" }, contactIds = new[] { ids[0] } });

        var problem = await client.ProblemAsync(HttpMethod.Post, $"v1/tags/operations/{first.OperationId}/undo");

        Assert.Equal(409, problem.Status);
        Assert.Contains($"1 of its contacts. Undo these first: {second.OperationId} (remove, test).", problem.Detail, StringComparison.Ordinal);
        Assert.Equal(2, (await client.GetAsync<IReadOnlyList<TagView>>("v1/tags")).Single().Contacts);
    }

    [Fact]
    public async Task A_tag_is_made_renamed_merged_and_deleted()
    {
        var (client, ids) = await WithContactsAsync();
        var a = await client.PostAsync<TagView>("v1/tags", new { name = " Beauty ", color = "#FF8800" });
        var b = await client.PostAsync<TagView>("v1/tags", new { name = "food" });
        await client.PostAsync<TagApplyView>("v1/tags/apply", new { action = "replace", tags = new[] { "food" }, contactIds = ids });

        var taken = await client.ProblemAsync(HttpMethod.Patch, $"v1/tags/{a.Id}", """{"name":"FOOD"}""");
        var renamed = await client.PatchAsync<TagView>($"v1/tags/{a.Id}", new { name = "beauty" });
        var merged = await client.PostAsync<TagView>($"v1/tags/{a.Id}/merge", new { tagIds = new[] { b.Id } });
        var common = await client.PostAsync<CommonTagsView>("v1/tags/common", new { filter = "" });
        using var deleted = await client.DeleteAsync(new Uri($"v1/tags/{a.Id}", UriKind.Relative));

        Assert.Equal(("Beauty", "#ff8800"), (a.Name, a.Color));
        Assert.Equal((409, "name"), (taken.Status, taken.Field));
        Assert.Equal(("beauty", "#ff8800", 3), (renamed.Name, renamed.Color, merged.Contacts));
        Assert.Equal(("beauty", 3, true), common.Tags.Select(tag => (tag.Name, tag.Contacts, tag.All)).Single());
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Empty(await client.GetAsync<IReadOnlyList<TagView>>("v1/tags"));
        Assert.Equal(["delete", "merge", "rename", "replace", "create", "create"], (await client.GetAsync<Page<TagOperationView>>("v1/tags/operations")).Items.Select(one => one.Kind));
    }

    [Fact]
    public async Task What_an_import_brought_is_tagged()
    {
        var (client, _) = await WithContactsAsync();
        var import = (await client.GetAsync<Page<ImportView>>("v1/imports?limit=1")).Items[0].Id;

        var created = await client.PostAsync<TagApplyView>("v1/tags/apply", new { action = "add", tags = new[] { "list" }, importId = import, imported = "created" });
        var changed = await client.PostAsync<TagApplyView>("v1/tags/apply", new { action = "add", tags = new[] { "list" }, importId = import, imported = "changed" });

        Assert.Equal((3, 3L, 0), (created.Contacts, created.Added, changed.Contacts));
        Assert.Equal("importId", (await client.ProblemAsync(HttpMethod.Post, "v1/tags/apply", """{"action":"add","tags":["x"],"importId":9999999}""")).Field);
    }

    [Theory]
    [InlineData("""{"action":"give","tags":["a"],"filter":""}""", "action")]
    [InlineData("""{"action":"add","tags":[],"filter":""}""", "tags")]
    [InlineData("""{"action":"add","tags":["a",""],"filter":""}""", "tags[1]")]
    [InlineData("""{"action":"add","tags":["a"]}""", "filter")]
    [InlineData("""{"action":"add","tags":["a"],"filter":"","contactIds":[1]}""", "filter")]
    [InlineData("""{"action":"add","tags":["a"],"filter":"followers >"}""", "filter")]
    [InlineData("""{"action":"add","tags":["a"],"filter":"","imported":"all"}""", "imported")]
    [InlineData("""{"action":"remove","tags":["nobody"],"filter":""}""", "tags")]
    [InlineData("""{"action":"add","tags":["a"],"filter":"","confidence":2}""", "confidence")]
    [InlineData("""{"action":"add","tags":["a"],"filter":"","source":"dice"}""", "source")]
    [InlineData("""{"action":"add","tags":["a"],"filter":"","source":"ai"}""", "by")]
    public async Task What_cannot_be_used_is_refused_by_the_field(string json, string field)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var problem = await client.ProblemAsync(HttpMethod.Post, "v1/tags/apply", json);

        Assert.Equal((400, field), (problem.Status, problem.Field));
        Assert.Empty((await client.GetAsync<Page<TagOperationView>>("v1/tags/operations")).Items);
    }

    [Fact]
    public async Task Another_users_tags_do_not_exist()
    {
        var (mine, ids) = await WithContactsAsync();
        var (theirs, _) = await WithContactsAsync();
        var applied = await mine.PostAsync<TagApplyView>("v1/tags/apply", new { action = "add", tags = new[] { "a" }, contactIds = ids });
        var tag = applied.Tags[0].Id!.Value;
        var own = await theirs.PostAsync<TagView>("v1/tags", new { name = "own" });

        foreach (var (method, path, body) in new[]
        {
            ("GET", $"v1/tags/{tag}", null), ("PATCH", $"v1/tags/{tag}", "{}"), ("DELETE", $"v1/tags/{tag}", null),
            ("POST", $"v1/tags/{tag}/merge", $$"""{"tagIds":[{{own.Id}}]}"""),
            ("GET", $"v1/tags/operations/{applied.OperationId}", null), ("POST", $"v1/tags/operations/{applied.OperationId}/undo", null),
            ("GET", $"v1/tags/operations?contactId={ids[0]}", null), ("GET", $"v1/contacts/{ids[0]}/tags", null),
        })
        {
            Assert.Equal(404, (await theirs.ProblemAsync(new HttpMethod(method), path, body)).Status);
        }

        var foreign = await theirs.PostAsync<TagApplyView>("v1/tags/apply", new { action = "add", tags = new[] { "b" }, contactIds = ids });
        var common = await theirs.PostAsync<CommonTagsView>("v1/tags/common", new { contactIds = ids });
        var merge = await theirs.ProblemAsync(HttpMethod.Post, $"v1/tags/{own.Id}/merge", $$"""{"tagIds":[{{tag}}]}""");

        Assert.Equal((0, 3, 0L, 0), (foreign.Contacts, foreign.Missing, foreign.Added, common.Contacts));
        Assert.Equal((400, "tagIds"), (merge.Status, merge.Field));
        Assert.Equal(("a", 3), (await mine.GetAsync<IReadOnlyList<TagView>>("v1/tags")).Select(one => (one.Name, one.Contacts)).Single());
    }

    private async Task<(HttpClient Client, long[] Ids)> WithContactsAsync()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var csv = new StringBuilder("email,followers\n");
        for (var i = 1; i <= 3; i++)
        {
            csv.Append(CultureInfo.InvariantCulture, $"c{i}@example.com,{i * 10}\n");
        }

        using var content = new StringContent(csv.ToString(), Encoding.UTF8, "text/csv");
        using var answer = await client.PostAsync(new Uri("v1/imports?file=a.csv", UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (client, [.. (await client.GetAsync<Page<ContactView>>("v1/contacts")).Items.Select(contact => contact.Id.Value)]);
    }
}
