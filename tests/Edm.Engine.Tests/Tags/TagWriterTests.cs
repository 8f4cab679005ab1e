using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using Edm.Engine.Tags;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Tags;

public abstract class TagWriterTests(IDatabases databases) : DatabaseTests(databases)
{
    private static readonly TagOrigin Person = new(TagSource.Person, "laptop");

    [Fact]
    public async Task Names_are_one_tag_in_any_case_and_made_once()
    {
        var user = await AddUserAsync();

        var first = await WriteAsync(user, async writer => await writer.ResolveAsync([Name("Beauty "), Name("BEAUTY"), Name("food")], default));
        var second = await WriteAsync(user, async writer => await writer.ResolveAsync([Name("bEauty")], default));

        Assert.Equal(["beauty", "food"], first.Keys.Order());
        Assert.Equal(first["beauty"], second["beauty"]);
        Assert.Equal("Beauty", await Database.RunAsync(c => c.ExecuteAsync<string>($"SELECT name FROM tags WHERE id = {first["beauty"]}")));
    }

    [Fact]
    public async Task Only_what_really_changes_is_counted_and_recorded()
    {
        var (user, tag) = await TaggedAsync(10_000, [1, 2, 9_000]);

        var again = await ApplyAsync(user, TagOperationKind.Add, new TagChanges().Add(tag, ContactSet.Of(2, 3, 9_500, 12_000)));
        var off = await ApplyAsync(user, TagOperationKind.Remove, new TagChanges().Remove(tag, ContactSet.Of(1, 5, 9_000, 9_500)));

        Assert.Equal((2, 0), (again!.Added, again.Removed));
        Assert.Equal((0, 3), (off!.Added, off.Removed));
        Assert.Equal([2, 3], (await MembersAsync(tag)).Ordinals);
        Assert.Equal(2, await ScalarAsync($"SELECT contacts FROM tags WHERE id = {tag}"));
        Assert.Equal(1, await ScalarAsync($"SELECT count(*) FROM tag_members WHERE tag_id = {tag}"));
        Assert.Equal(2, await ScalarAsync($"SELECT count(*) FROM contact_tags WHERE tag_id = {tag} AND user_id = {user}"));
        Assert.Equal(2, await ScalarAsync($"SELECT count(*) FROM tag_deltas WHERE operation_id = {off.Operation}"));
    }

    [Fact]
    public async Task Contacts_of_the_same_transaction_can_be_tagged_and_those_it_removes_can_not()
    {
        var user = await AddUserAsync();
        await AddContactsAsync(user, 3);

        var tag = await Database.WriteAsync(async connection =>
        {
            var book = await ContactBook.OpenAsync(connection, user, default);
            var writer = new TagWriter(connection, user, book, Time);
            var found = (await writer.ResolveAsync([Name("new")], default))["new"];
            var first = book.Take(2);
            book.Remove(1);
            await writer.ApplyAsync(TagOperationKind.Add, Person, new TagChanges().Add(found, ContactSet.Of(0, 1, first, first + 1, first + 2)), default);
            await book.CloseAsync(default);
            return found;
        });

        Assert.Equal([0, 3, 4], (await MembersAsync(tag)).Ordinals);
    }

    [Fact]
    public async Task An_import_is_one_operation_until_somebody_else_comes_between()
    {
        var user = await AddUserAsync();
        await AddContactsAsync(user, 20);
        var tag = (await WriteAsync(user, async writer => await writer.ResolveAsync([Name("a")], default)))["a"];
        var import = TagOrigin.OfImport(new ImportId(7));

        var first = await ApplyAsync(user, TagOperationKind.Add, new TagChanges().Add(tag, ContactSet.Of(1, 2)), import);
        var second = await ApplyAsync(user, TagOperationKind.Add, new TagChanges().Add(tag, ContactSet.Of(2, 3)), import);
        var nothing = await ApplyAsync(user, TagOperationKind.Add, new TagChanges().Add(tag, ContactSet.Of(2, 3)), import);
        await ApplyAsync(user, TagOperationKind.Remove, new TagChanges().Remove(tag, ContactSet.Of(1)));
        var third = await ApplyAsync(user, TagOperationKind.Add, new TagChanges().Add(tag, ContactSet.Of(4)), import);

        Assert.Equal((first!.Operation, null), (second!.Operation, nothing));
        Assert.NotEqual(first.Operation, third!.Operation);
        Assert.Equal(3, await ScalarAsync($"SELECT added FROM tag_operations WHERE id = {first.Operation}"));
        Assert.Equal([2, 3, 4], (await MembersAsync(tag)).Ordinals);
        Assert.Equal([1, 2, 3], (await DeltaAsync(first.Operation)).Ordinals);
    }

    [Fact]
    public async Task A_deleted_contact_leaves_all_tags_and_their_counts()
    {
        var (user, tag) = await TaggedAsync(5, [1, 2]);
        var contact = await AddContactAsync(new ContactRow { UserId = user, Email = "ann@example.com", EmailKey = "ann@example.com" });
        var ordinal = (int)await ScalarAsync($"SELECT ordinal FROM contacts WHERE id = {contact}");
        await ApplyAsync(user, TagOperationKind.Add, new TagChanges().Add(tag, ContactSet.Of(ordinal)));

        Assert.True(await new ContactStore(Database, ImportParts.Suppressions(Time), Time).DeleteAsync(user, contact));

        Assert.Equal([1, 2], (await MembersAsync(tag)).Ordinals);
        Assert.Equal(2, await ScalarAsync($"SELECT contacts FROM tags WHERE id = {tag}"));
    }

    [Fact]
    public async Task An_erased_person_leaves_the_history_too()
    {
        var (user, tag) = await TaggedAsync(10_000, [1, 2, 9_000]);
        var operation = new TagOperationId(await ScalarAsync($"SELECT max(id) FROM tag_operations WHERE user_id = {user}"));

        await WriteAsync(user, async writer =>
        {
            await writer.ForgetAsync(ContactSet.Of(2, 9_000), erase: true, default);
            return 0;
        });

        Assert.Equal([1], (await MembersAsync(tag)).Ordinals);
        Assert.Equal([1], (await DeltaAsync(operation)).Ordinals);
        Assert.Equal(1, await ScalarAsync($"SELECT contacts FROM tags WHERE id = {tag}"));
    }

    [Fact]
    public async Task A_user_has_a_bounded_number_of_tags()
    {
        var user = await AddUserAsync();

        await WriteAsync(user, async writer => await writer.ResolveAsync(Enumerable.Range(0, TagWriter.MaxTags).Select(i => Name($"t{i}")), default));

        await Assert.ThrowsAsync<ConflictException>(() => WriteAsync(user, async writer => await writer.ResolveAsync([Name("one more")], default)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("a\tb")]
    [InlineData("a\u2028b")]
    public void A_name_that_cannot_be_read_is_refused(string name) => Assert.Equal("names", Assert.Throws<FieldException>(() => TagName.Parse(name, "names")).Field);

    [Fact]
    public void Half_a_character_is_no_name() => Assert.Throws<FieldException>(() => TagName.Parse("a" + (char)0xD800, "name"));

    private static TagName Name(string name) => TagName.Parse(name, "name");

    private async Task<(UserId User, TagId Tag)> TaggedAsync(int contacts, int[] members)
    {
        var user = await AddUserAsync();
        await AddContactsAsync(user, contacts);
        var tag = (await WriteAsync(user, async writer =>
        {
            var tags = await writer.ResolveAsync([Name("tag")], default);
            await writer.ApplyAsync(TagOperationKind.Add, Person, new TagChanges().Add(tags["tag"], ContactSet.Of(members)), default);
            return tags;
        }))["tag"];
        return (user, tag);
    }

    private Task<AppliedTags?> ApplyAsync(UserId user, TagOperationKind kind, TagChanges changes, TagOrigin? origin = null) =>
        WriteAsync(user, writer => writer.ApplyAsync(kind, origin ?? Person, changes, default));

    private Task<T> WriteAsync<T>(UserId user, Func<TagWriter, Task<T>> write) => Database.WriteAsync(async connection =>
    {
        var book = await ContactBook.OpenAsync(connection, user, default);
        var result = await write(new TagWriter(connection, user, book, Time));
        await book.CloseAsync(default);
        return result;
    });

    private Task AddContactsAsync(UserId user, int count) => Database.WriteAsync(async connection =>
    {
        var book = await ContactBook.OpenAsync(connection, user, default);
        var first = book.Take(count);
        await connection.ExecuteAsync(
            $"""
            WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})
            INSERT INTO contacts (user_id, ordinal, email, email_key, attributes, status, created_at, updated_at)
            SELECT {user}, {first} + i, 'c' || i || '@example.com', 'c' || i || '@example.com', '{"{}"}', 'active', 0, 0 FROM n
            """);
        await book.CloseAsync(default);
    });

    private Task<ContactSet> MembersAsync(TagId tag) => Database.RunAsync(connection => TagMembers.ReadAsync(connection, [tag], default));

    private Task<ContactSet> DeltaAsync(TagOperationId operation) => Database.RunAsync(async connection =>
    {
        var changes = new TagChanges();
        await new SqlBatch(connection).Read(
            "SELECT tag_id, chunk, added, removed FROM tag_deltas WHERE operation_id = @operation", row => TagStatements.Put(changes, row), ("@operation", operation.Value)).ExecuteAsync(default);
        return changes.Tags.Single().Added;
    });

    private Task<long> ScalarAsync(string sql) => Database.RunAsync(c => c.ExecuteAsync<long>(sql));
}

public sealed class TagWriterTestsOnSqlite() : TagWriterTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class TagWriterTestsOnPostgres(PostgresFixture postgres) : TagWriterTests(new PostgresDatabases(postgres));
