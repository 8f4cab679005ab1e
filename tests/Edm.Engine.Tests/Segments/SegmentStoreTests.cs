using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Contacts.Search;
using Edm.Engine.Segments;
using Edm.Engine.Tags;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Segments;

public sealed class SegmentStoreTestsOnSqlite() : SegmentStoreTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class SegmentStoreTestsOnPostgres(PostgresFixture postgres) : SegmentStoreTests(new PostgresDatabases(postgres));

public abstract class SegmentStoreTests(IDatabases databases) : DatabaseTests(databases)
{
    private UserId user;

    private SegmentStore Store => new(Database, Selection, Time);

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        user = await AddUserAsync();
        foreach (var (name, country, followers) in ((string, string, long)[])[("ann", "US", 5_000), ("bob", "US", 50_000), ("cem", "TR", 500_000)])
        {
            await AddContactAsync(new ContactRow { UserId = user, Email = $"{name}@example.com", EmailKey = $"{name}@example.com", Handle = name, Country = country, Followers = followers });
        }
    }

    [Fact]
    public async Task Segments_are_counted_as_contacts_are_now()
    {
        await Store.CreateAsync(user, "Americans", "country = US");
        await Store.CreateAsync(user, "big americans", "segment:americans and followers > 10k");

        Assert.Equal(["Americans 2", "big americans 1"], await CountsAsync());

        await AddContactAsync(new ContactRow { UserId = user, Email = "dan@example.com", EmailKey = "dan@example.com", Country = "us", Followers = 70_000 });

        Assert.Equal(["Americans 3", "big americans 2"], await CountsAsync());
        Assert.Equal(2, await Search.CountAsync(user, ContactFilter.OfSegment("Big Americans")));
    }

    [Theory]
    [InlineData("contry = US", "did you mean 'country'")]
    [InlineData("tag:beuty", "did you mean 'beauty'")]
    [InlineData("segment:on", "did you mean 'one'")]
    [InlineData("segment:two", "contains itself: two → two")]
    public async Task A_filter_that_means_nothing_is_refused_and_nothing_is_stored(string filter, string part)
    {
        await TagAsync("beauty");
        await Store.CreateAsync(user, "one", "country = US");

        var exception = await Assert.ThrowsAsync<ContactFilterException>(() => Store.CreateAsync(user, "two", filter));

        Assert.Contains(part, exception.Message, StringComparison.Ordinal);
        Assert.Equal(["one 2"], await CountsAsync());
    }

    [Fact]
    public async Task A_circle_of_segments_is_refused()
    {
        var one = await Store.CreateAsync(user, "one", "country = US");
        await Store.CreateAsync(user, "two", "segment:one or country = TR");

        var exception = await Assert.ThrowsAsync<ContactFilterException>(() => Store.ChangeAsync(user, one.Id, null, "followers > 5 and segment:two"));

        Assert.Contains("contains itself", exception.Message, StringComparison.Ordinal);
        Assert.Equal(["one 2", "two 3"], await CountsAsync());
    }

    [Fact]
    public async Task Filters_follow_the_new_name_of_a_segment_and_of_a_tag()
    {
        var tag = await TagAsync("beauty");
        var one = await Store.CreateAsync(user, "one", "tag:Beauty or tag in (beauty) and not country = beauty");
        var two = await Store.CreateAsync(user, "two", "not  segment:one");

        await Store.ChangeAsync(user, one.Id, "First \"one\"", null);
        await new TagStore(Database, Time).ChangeAsync(user, new TagId(tag), was => was with { Name = "Fine looks" }, new TagOrigin(TagSource.Person, "test"), default);

        Assert.Equal("not  segment:\"First \"\"one\"\"\"", (await Store.GetAsync(user, two.Id))!.Filter);
        Assert.Equal("tag:\"Fine looks\" or tag in (\"Fine looks\") and not country = beauty", (await Store.GetAsync(user, one.Id))!.Filter);
        Assert.Equal(["First \"one\" 1", "two 2"], await CountsAsync());
    }

    [Fact]
    public async Task Filters_follow_a_tag_into_the_one_that_it_is_merged_into()
    {
        var (beauty, looks) = (await TagAsync("beauty"), await TagAsync("looks"));
        var one = await Store.CreateAsync(user, "one", "not tag:beauty");

        await new TagStore(Database, Time).MergeAsync(user, new TagId(looks), [new TagId(beauty)], new TagOrigin(TagSource.Person, "test"), default);

        Assert.Equal("not tag:\"looks\"", (await Store.GetAsync(user, one.Id))!.Filter);
        Assert.Equal(["one 2"], await CountsAsync());
    }

    [Fact]
    public async Task A_segment_whose_tag_is_gone_says_so_and_the_others_are_counted()
    {
        var tag = await TagAsync("beauty");
        await Store.CreateAsync(user, "beautiful", "tag:beauty");
        await Store.CreateAsync(user, "all", "");
        await Database.RunAsync(connection => connection.ExecuteAsync("UPDATE tags SET deleted_at = 1 WHERE id = @id", new DataParameter("id", tag)));

        var list = await Store.ListAsync(user);

        Assert.Equal(["all", "beautiful"], list.Select(counted => counted.Segment.Name));
        Assert.Equal([3, null], list.Select(counted => counted.Contacts));
        Assert.Contains("no tag 'beauty'", list[1].Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_segment_that_another_one_mentions_can_not_be_deleted()
    {
        var one = await Store.CreateAsync(user, "one", "country = US");
        var two = await Store.CreateAsync(user, "two", "segment:one");

        var refused = await Assert.ThrowsAsync<ConflictException>(() => Store.DeleteAsync(user, one.Id));

        Assert.Contains("the segment 'two'", refused.Message, StringComparison.Ordinal);
        Assert.True(await Store.DeleteAsync(user, two.Id));
        Assert.True(await Store.DeleteAsync(user, one.Id));
        Assert.False(await Store.DeleteAsync(user, one.Id));
    }

    [Fact]
    public async Task Names_are_unique_whatever_their_case_and_another_users_segment_is_like_none()
    {
        var one = await Store.CreateAsync(user, "One", "country = US");
        var other = await AddUserAsync("other");

        Assert.Equal("name", (await Assert.ThrowsAsync<ConflictException>(() => Store.CreateAsync(user, " one ", ""))).Field);
        Assert.Equal("name", (await Assert.ThrowsAsync<FieldException>(() => Store.CreateAsync(user, " ", ""))).Field);
        Assert.Null(await Store.GetAsync(other, one.Id));
        Assert.Null(await Store.ChangeAsync(other, one.Id, "x", null));
        Assert.False(await Store.DeleteAsync(other, one.Id));
        await Assert.ThrowsAsync<ContactFilterException>(() => Search.CountAsync(other, ContactFilter.OfSegment("One")));
    }

    private async Task<IEnumerable<string>> CountsAsync() => (await Store.ListAsync(user)).Select(counted => $"{counted.Segment.Name} {counted.Contacts}");

    /// <summary>Ann has it.</summary>
    private Task<long> TagAsync(string name) => Database.WriteAsync(async connection =>
    {
        var id = await connection.ExecuteAsync<long>(
            "INSERT INTO tags (user_id, name, name_key, contacts, created_at, updated_at) VALUES (@user, @name, @name, 1, 0, 0) RETURNING id",
            new DataParameter("user", user.Value), new DataParameter("name", name));
        await connection.ExecuteAsync(
            "INSERT INTO tag_members (tag_id, chunk, bits) VALUES (@tag, 0, @bits)",
            new DataParameter("tag", id), new DataParameter("bits", ContactChunk.ToBytes(ContactSet.Of(0).Bits(0)), DataType.VarBinary));
        return id;
    });
}
