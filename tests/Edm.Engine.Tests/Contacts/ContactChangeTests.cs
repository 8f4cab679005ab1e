using System.Text;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.History;
using Edm.Engine.Imports;
using Edm.Engine.Tags;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Contacts;

public abstract class ContactChangeTests(IDatabases databases) : DatabaseTests(databases)
{
    private ContactStore Store => new(Database, ImportParts.Suppressions(Time), Time);

    [Fact]
    public async Task A_contact_is_created_as_an_import_would_store_it()
    {
        var user = await AddUserAsync();

        var made = await Store.CreateAsync(
            user,
            new ContactDraft
            {
                Email = " Ann@EXAMPLE.com ", Handle = "@ann", Nickname = " Ann 🌷 ", Followers = 12, Country = "us", Bio = " ", Attributes = new Dictionary<string, string> { ["niche"] = " skin " },
                Status = ContactStatus.Unsubscribed,
            },
            "laptop");
        var read = (await Store.GetAsync(user, made.Id))!;

        Assert.Equal(("Ann@example.com", "ann", "Ann 🌷", 12L, "US", null), (read.Card.Email, read.Card.Handle, read.Card.Nickname, read.Card.Followers, read.Card.Country, read.Card.Bio));
        Assert.Equal((ContactStatus.Unsubscribed, "skin"), (read.Status, read.Card.Attributes["niche"]));
        Assert.Equal(1, await Search.CountAsync(user, ContactFilter.Parse("attr.niche = skin and country = US and status = unsubscribed")));
        Assert.Equal(made.Id, (await Store.FindAsync(user, "ANN@example.com"))!.Id);
    }

    [Fact]
    public async Task What_changes_is_in_the_history_and_what_does_not_writes_nothing()
    {
        var user = await AddUserAsync();
        var id = (await Store.CreateAsync(user, Draft("a@example.com") with { Attributes = new Dictionary<string, string> { ["mood"] = "good", ["city"] = "Bonn" } }, "laptop")).Id;
        var before = await VersionAsync(user);

        var same = await Store.ChangeAsync(user, id, now => ContactDraft.Of(now) with { Handle = " @a ", Nickname = "" }, "phone");
        var unchanged = await VersionAsync(user);
        var changed = await Store.ChangeAsync(
            user, id,
            now => ContactDraft.Of(now) with { Email = "B@example.com", Followers = 7, Attributes = new Dictionary<string, string> { ["mood"] = "bad" }, Status = ContactStatus.Suppressed },
            "phone");
        var (entries, next) = (await new ContactHistory(Database).PageAsync(user, id, null, 100, default))!.Value;

        Assert.Equal((same!.UpdatedAt, before), (same.CreatedAt, unchanged));
        Assert.Equal(("B@example.com", ContactStatus.Suppressed), (changed!.Card.Email, changed.Status));
        Assert.Equal([("changed", "person", "phone"), ("created", "person", "laptop")], entries.Select(entry => (entry.Kind, entry.Source, entry.By)));
        Assert.Equal(
            ["attributes.city Bonn>", "attributes.mood good>bad", "email a@example.com>B@example.com", "followers >7", "status active>suppressed"],
            entries[0].Changes.OrderBy(change => change.Key, StringComparer.Ordinal).Select(change => $"{change.Key} {change.Value.From}>{change.Value.To}"));
        Assert.Equal((null, "good"), (entries[1].Changes["attributes.mood"].From, entries[1].Changes["attributes.mood"].To));
        Assert.Null(next);
    }

    [Fact]
    public async Task An_address_is_one_contacts_own_in_any_spelling()
    {
        var (user, other) = (await AddUserAsync(), await AddUserAsync("other"));
        await Store.CreateAsync(user, Draft("a@example.com"), "k");
        var second = await Store.CreateAsync(user, Draft("b@example.com"), "k");

        var created = await Assert.ThrowsAsync<ConflictException>(() => Store.CreateAsync(user, Draft("A@Example.com"), "k"));
        var changed = await Assert.ThrowsAsync<ConflictException>(() => Store.ChangeAsync(user, second.Id, now => ContactDraft.Of(now) with { Email = "A@example.com" }, "k"));
        await Store.CreateAsync(other, Draft("a@example.com"), "k");

        Assert.Equal(("email", "email"), (created.Field, changed.Field));
        Assert.Equal("b@example.com", (await Store.GetAsync(user, second.Id))!.Card.Email);
        Assert.Equal("B@example.com", (await Store.ChangeAsync(user, second.Id, now => ContactDraft.Of(now) with { Email = "B@example.com" }, "k"))!.Card.Email);
    }

    [Fact]
    public async Task Whoever_could_not_be_mailed_does_not_come_back_once_deleted()
    {
        var user = await AddUserAsync();
        foreach (var (name, status) in new[] { ("active", ContactStatus.Active), ("left", ContactStatus.Unsubscribed), ("bounced", ContactStatus.Suppressed) })
        {
            var made = await Store.CreateAsync(user, Draft($"{name}@example.com") with { Status = status }, "k");
            Assert.True(await Store.DeleteAsync(user, made.Id));
            Assert.Null(await Store.GetAsync(user, made.Id));
        }

        var import = await ImportAsync(user, "email\nactive@example.com\nleft@example.com\nbounced@example.com\n");
        var refused = await Assert.ThrowsAsync<ConflictException>(() => Store.CreateAsync(user, Draft("LEFT@example.com"), "k"));

        Assert.Equal((1L, 2L), (import.Created, import.Suppressed));
        Assert.Equal("email", refused.Field);
        Assert.Equal(0, await CountAsync("SELECT count(*) FROM contact_changes"));
    }

    [Theory]
    [InlineData("email", "not an address")]
    [InlineData("handle", "half a character")]
    [InlineData("bio", "a\0b")]
    [InlineData("followers", "-1")]
    [InlineData("attributes.mood", " ")]
    [InlineData("attributes", "Mood Swing=x")]
    public async Task A_value_that_cannot_be_used_is_refused_by_its_field(string field, string value)
    {
        var user = await AddUserAsync();
        var draft = field switch
        {
            "email" => Draft(value),
            "handle" => Draft("a@example.com") with { Handle = "\ud83d" },
            "bio" => Draft("a@example.com") with { Bio = value },
            "followers" => Draft("a@example.com") with { Followers = long.Parse(value, System.Globalization.CultureInfo.InvariantCulture) },
            "attributes.mood" => Draft("a@example.com") with { Attributes = new Dictionary<string, string> { ["mood"] = value } },
            _ => Draft("a@example.com") with { Attributes = new Dictionary<string, string> { [value.Split('=')[0]] = value.Split('=')[1] } },
        };

        var refused = await Assert.ThrowsAsync<FieldException>(() => Store.CreateAsync(user, draft, "k"));

        Assert.Equal(field, refused.Field);
        Assert.Equal(0, await Search.CountAsync(user, ContactFilter.All));
    }

    [Fact]
    public async Task The_history_holds_imports_and_tags_too_and_pages_through_all_of_it_once()
    {
        var user = await AddUserAsync();
        var brought = await ImportAsync(user, "email,nickname\na@example.com,Ann\n");
        await ImportAsync(user, "email,nickname\na@example.com,Ann\n");
        await ImportAsync(user, "email,nickname\na@example.com,Anna\n");
        var id = (await Store.FindAsync(user, "a@example.com"))!.Id;
        await Store.SetStatusAsync(user, id, ContactStatus.Unsubscribed, "phone");
        var application = new TagApplication(Database, Selection, Time);
        await TagAsync(application, user, TagOperationKind.Add);
        await TagAsync(application, user, TagOperationKind.Remove);

        var all = new List<HistoryEntry>();
        string? after = null;
        do
        {
            var page = (await new ContactHistory(Database).PageAsync(user, id, after, 2, default))!.Value;
            all.AddRange(page.Entries);
            after = page.Next;
        }
        while (after is not null);

        Assert.Equal(
            ["tags -red", "tags +red", "changed status", "changed nickname", "unchanged ", "created "],
            all.OrderByDescending(entry => entry.At).ThenByDescending(Rank).Select(entry => $"{entry.Kind} {string.Join(',', entry.Changes.Keys.Concat(entry.TagsAdded.Select(t => $"+{t}")).Concat(entry.TagsRemoved.Select(t => $"-{t}")))}"));
        Assert.Equal(brought.Import.ToString(), all.Single(entry => entry.Kind == "created").By);
        Assert.Null(await new ContactHistory(Database).PageAsync(await AddUserAsync("other"), id, null, 2, default));
        await Assert.ThrowsAsync<FieldException>(() => new ContactHistory(Database).PageAsync(user, id, "1.x", 2, default));

        // What happens in one millisecond has no order of its own.
        static int Rank(HistoryEntry entry) => entry switch
        {
            { TagsRemoved.Count: > 0 } => 6, { TagsAdded.Count: > 0 } => 5, { Kind: "changed", Source: "person" } => 4, { Kind: "changed" } => 3, { Kind: "unchanged" } => 2, _ => 1,
        };
    }

    private static ContactDraft Draft(string email) => new() { Email = email, Handle = "a" };

    private static Task<TagResult> TagAsync(TagApplication application, UserId user, TagOperationKind action) => application.ApplyAsync(
        new TagRequest(action, [TagName.Parse("red", "tags")], new TagTarget.Filtered(ContactFilter.All), new TagOrigin(TagSource.Person, "phone")), user, default);

    private async Task<ImportSummary> ImportAsync(UserId user, string csv)
    {
        using var importer = ImportParts.Importer(Database, Time);
        return await importer.RunAsync(user, new MemoryStream(Encoding.UTF8.GetBytes(csv)), "a.csv", new ImportOptions(ImportFormat.Csv));
    }

    private Task<long> VersionAsync(UserId user) => CountAsync($"SELECT cast(sum(version) AS bigint) FROM contact_chunks WHERE user_id = {user}");

    private Task<long> CountAsync(string sql) => Database.RunAsync(connection => connection.ExecuteAsync<long>(sql));
}

public sealed class ContactChangeTestsOnSqlite() : ContactChangeTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class ContactChangeTestsOnPostgres(PostgresFixture postgres) : ContactChangeTests(new PostgresDatabases(postgres));
