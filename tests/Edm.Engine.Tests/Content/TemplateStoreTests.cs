using Edm.Contracts;
using Edm.Engine.Content;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using Xunit;

namespace Edm.Engine.Tests.Content;

public abstract class TemplateStoreTests(IDatabases databases) : DatabaseTests(databases)
{
    private static readonly TemplateSource Hello = new("Hi {{ nickname }}", "<p>Hi</p>", null, true);

    private TemplateStore Store => new(Database, Time);

    [Fact]
    public async Task A_template_comes_back_as_it_was_made()
    {
        var user = await AddUserAsync();

        var made = await Store.CreateAsync(user, new TemplateDraft("first", Hello));

        Assert.Equal(made, await Store.GetAsync(user, made.Id));
        Assert.Equal((1, Hello), (made.Version, made.Source));
        Assert.Equal(Hello, await Store.LoadAsync(made.Id, 1));
    }

    [Fact]
    public async Task A_change_makes_a_version_and_the_old_one_stays()
    {
        var user = await AddUserAsync();
        var made = await Store.CreateAsync(user, new TemplateDraft("t", Hello));
        var better = Hello with { Text = "Hi there" };

        var changed = await Store.ChangeAsync(user, made.Id, new TemplateDraft("t2", better));

        Assert.Equal(("t2", 2, better), (changed!.Name, changed.Version, changed.Source));
        Assert.Equal(Hello, (await Store.GetAsync(user, made.Id, 1))!.Source);
        Assert.Equal(better, (await Store.GetAsync(user, made.Id))!.Source);
        Assert.Null(await Store.GetAsync(user, made.Id, 3));
    }

    [Fact]
    public async Task The_same_source_again_makes_no_version()
    {
        var user = await AddUserAsync();
        var made = await Store.CreateAsync(user, new TemplateDraft("t", Hello));

        Assert.Equal(1, (await Store.ChangeAsync(user, made.Id, new TemplateDraft("t2", Hello)))!.Version);
    }

    [Fact]
    public async Task Changes_at_once_make_a_version_each()
    {
        var user = await AddUserAsync();
        var made = await Store.CreateAsync(user, new TemplateDraft("t", Hello));

        var versions = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => Store.ChangeAsync(user, made.Id, new TemplateDraft("t", Hello with { Text = $"{i}" }))));

        Assert.Equal(Enumerable.Range(2, 10), versions.Select(version => version!.Version).Order());
    }

    [Fact]
    public async Task A_name_is_taken_until_its_template_is_deleted()
    {
        var user = await AddUserAsync();
        var other = await AddUserAsync("other");
        var made = await Store.CreateAsync(user, new TemplateDraft("t", Hello));
        var second = await Store.CreateAsync(user, new TemplateDraft("u", Hello));

        Assert.Equal("name", (await Assert.ThrowsAsync<ConflictException>(() => Store.CreateAsync(user, new TemplateDraft("t", Hello)))).Field);
        await Assert.ThrowsAsync<ConflictException>(() => Store.ChangeAsync(user, second.Id, new TemplateDraft("t", Hello)));
        await Store.CreateAsync(other, new TemplateDraft("t", Hello));

        Assert.True(await Store.DeleteAsync(user, made.Id));
        await Store.CreateAsync(user, new TemplateDraft("t", Hello));
    }

    [Fact]
    public async Task A_deleted_template_is_gone_for_its_user_and_still_there_for_its_tasks()
    {
        var user = await AddUserAsync();
        var made = await Store.CreateAsync(user, new TemplateDraft("t", Hello));
        await Store.DeleteAsync(user, made.Id);

        Assert.Null(await Store.GetAsync(user, made.Id));
        Assert.Empty(await Store.ListAsync(user, default, 10));
        Assert.False(await Store.DeleteAsync(user, made.Id));
        Assert.Null(await Store.ChangeAsync(user, made.Id, new TemplateDraft("t", Hello)));
        Assert.Equal(Hello, await Store.LoadAsync(made.Id, 1));
    }

    [Fact]
    public async Task Another_users_template_is_like_none()
    {
        var user = await AddUserAsync();
        var other = await AddUserAsync("other");
        var made = await Store.CreateAsync(user, new TemplateDraft("t", Hello));

        Assert.Null(await Store.GetAsync(other, made.Id));
        Assert.Null(await Store.ChangeAsync(other, made.Id, new TemplateDraft("x", Hello)));
        Assert.False(await Store.DeleteAsync(other, made.Id));
        Assert.Empty(await Store.ListAsync(other, default, 10));
    }

    [Fact]
    public async Task A_list_goes_on_after_the_last_id()
    {
        var user = await AddUserAsync();
        var ids = new List<TemplateId>();
        for (var i = 0; i < 5; i++)
        {
            ids.Add((await Store.CreateAsync(user, new TemplateDraft($"t{i}", Hello))).Id);
        }

        var first = await Store.ListAsync(user, default, 3);
        var rest = await Store.ListAsync(user, first[^1].Id, 3);

        Assert.Equal(ids, first.Concat(rest).Select(template => template.Id));
    }

    [Fact]
    public async Task What_can_not_be_parsed_or_stored_is_refused_and_nothing_is_kept()
    {
        var user = await AddUserAsync();

        Assert.Equal(2, (await Assert.ThrowsAsync<TemplateException>(() => Store.CreateAsync(user, new TemplateDraft("t", Hello with { Html = "\n{{ x" })))).Line);
        Assert.Equal("name", (await Assert.ThrowsAsync<FieldException>(() => Store.CreateAsync(user, new TemplateDraft(" ", Hello)))).Field);
        Assert.Equal("html", (await Assert.ThrowsAsync<FieldException>(() => Store.CreateAsync(user, new TemplateDraft("t", Hello with { Html = "a\0b" })))).Field);
        Assert.Empty(await Store.ListAsync(user, default, 10));
    }

    [Fact]
    public async Task The_cache_parses_a_version_once_and_forgets_what_was_not_used_for_long()
    {
        var user = await AddUserAsync();
        var big = Hello with { Html = new string('x', 200_000) };
        var ids = new List<TemplateId>();
        for (var i = 0; i < 25; i++)
        {
            ids.Add((await Store.CreateAsync(user, new TemplateDraft($"t{i}", big))).Id);
        }

        var cache = new TemplateCache(Store, Time);
        var first = await cache.GetAsync(ids[0], 1, default);
        Assert.Same(first, await cache.GetAsync(ids[0], 1, default));
        foreach (var id in ids)
        {
            await cache.GetAsync(id, 1, default);
            Assert.Same(first, await cache.GetAsync(ids[0], 1, default));
        }

        var second = await cache.GetAsync(ids[1], 1, default);
        for (var round = 0; round < 25; round++)
        {
            await cache.GetAsync(ids[(2 + round) % 25], 1, default);
        }

        Assert.NotSame(second, await cache.GetAsync(ids[1], 1, default));
    }

    [Fact]
    public async Task The_cache_says_when_there_is_no_such_version() =>
        await Assert.ThrowsAsync<TemplateException>(() => new TemplateCache(Store, Time).GetAsync(new TemplateId(4711), 1, default));
}

public sealed class TemplateStoreTestsOnSqlite() : TemplateStoreTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class TemplateStoreTestsOnPostgres(PostgresFixture postgres) : TemplateStoreTests(new PostgresDatabases(postgres));
