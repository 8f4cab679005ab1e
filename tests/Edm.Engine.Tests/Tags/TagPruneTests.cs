using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Filters.Columns;
using Edm.Engine.Tags;
using Edm.Testing;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Tags;

public abstract class TagPruneTests : DatabaseTests
{
    private static readonly TagOrigin Person = new(TagSource.Person, "test");

    private readonly ManualTime _time = new();

    protected TagPruneTests(IDatabases databases)
        : base(databases) => Time = _time;

    [Fact]
    public async Task Old_changes_can_not_be_undone_any_more_and_say_so()
    {
        var user = await AddUserAsync();
        var old = await AddTagAsync(user, "old");
        _time.Advance(TimeSpan.FromDays(2));
        var young = await AddTagAsync(user, "young");

        var gone = await Store.RunAsync(new TagHistoryRules(TimeSpan.FromDays(1), 100, 100), default);

        Assert.Equal((1, 0), gone);
        Assert.Contains("can't be undone any more", (await Assert.ThrowsAsync<ConflictException>(() => Undo.UndoAsync(user, old, Person, default))).Message, StringComparison.Ordinal);
        Assert.NotNull(await Undo.UndoAsync(user, young, Person, default));
        var listed = await History.ListAsync(user, null, 10, default);
        Assert.Equal((false, true), (listed.Single(one => one.Id == old).Kept, listed.Single(one => one.Id == young).Kept));
    }

    [Fact]
    public async Task Only_the_newest_are_kept()
    {
        var user = await AddUserAsync();
        var other = await AddUserAsync("other");
        await AddTagAsync(other, "theirs");
        for (var i = 0; i < 120; i++)
        {
            await AddTagAsync(user, $"t{i}");
        }

        var gone = await Store.RunAsync(new TagHistoryRules(TimeSpan.FromDays(1), 5, 10), default);

        Assert.Equal((115, 110), gone);
        var left = await History.ListAsync(user, null, 100, default);
        Assert.Equal((10, 5), (left.Count, left.Count(one => one.Kept)));
        Assert.True((await History.ListAsync(other, null, 10, default)).Single().Kept);
        Assert.Equal(6, await Database.RunAsync(c => c.ExecuteAsync<long>("SELECT count(*) FROM tag_deltas")));
    }

    [Fact]
    public async Task A_deleted_tag_goes_with_the_last_operation_that_could_bring_it_back()
    {
        var user = await AddUserAsync();
        await AddTagAsync(user, "a");
        var tags = new TagStore(Database, Time);
        await tags.DeleteAsync(user, (await tags.ListAsync(user, default)).Single().Id, Person, default);

        await Store.RunAsync(new TagHistoryRules(TimeSpan.FromDays(1), 1, 100), default);
        Assert.Equal(1, await TagsAsync());
        _time.Advance(TimeSpan.FromDays(2));
        await Store.RunAsync(new TagHistoryRules(TimeSpan.FromDays(1), 1, 100), default);

        Assert.Equal(0, await TagsAsync());

        Task<long> TagsAsync() => Database.RunAsync(c => c.ExecuteAsync<long>("SELECT count(*) FROM tags"));
    }

    private TagPruneStore Store => new(Database, Time);

    private TagUndo Undo => new(Database, Time);

    private TagHistory History => new(Database);

    private async Task<TagOperationId> AddTagAsync(UserId user, string name)
    {
        var contact = await AddContactAsync(new ContactRow { UserId = user, Email = $"{name}@example.com", EmailKey = $"{name}@example.com" });
        var application = new TagApplication(Database, new ContactSelection(new ContactColumns(1 << 20), ScanLimits.Default, Time), Time);
        var result = await application.ApplyAsync(new TagRequest(TagOperationKind.Add, [TagName.Parse(name, "tags")], new TagTarget.Listed([contact]), Person), user, default);
        return result.Operation!.Value;
    }
}

public sealed class TagPruneTestsOnSqlite() : TagPruneTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class TagPruneTestsOnPostgres(PostgresFixture postgres) : TagPruneTests(new PostgresDatabases(postgres));
