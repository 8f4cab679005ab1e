using System.Text;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Duplicates;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.History;
using Edm.Engine.Imports;
using Edm.Engine.Tags;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Contacts.Duplicates;

public abstract class ContactMergeTests(IDatabases databases) : DatabaseTests(databases)
{
    private ContactStore Store => new(Database, ImportParts.Suppressions(Time), Time);

    private ContactMerge Merge => new(Database, ImportParts.Suppressions(Time), Time);

    [Fact]
    public async Task The_one_that_stays_takes_what_it_has_not_and_the_others_are_gone()
    {
        var user = await AddUserAsync();
        var target = await AddAsync(user, "ann@example.com", new() { Email = "", Nickname = "Ann", Attributes = new Dictionary<string, string> { ["mood"] = "good" } });
        var second = await AddAsync(user, "ann@work.example", new() { Email = "", Nickname = "Annie", Country = "DE", Attributes = new Dictionary<string, string> { ["mood"] = "bad", ["city"] = "Bonn" } });
        var third = await AddAsync(user, "ann@old.example", new() { Email = "", Country = "FR", Bio = "hi", Status = ContactStatus.Unsubscribed });
        await TagAsync(user, target, "red");
        await TagAsync(user, second, "red", "blue");
        await TagAsync(user, third, "green");
        await ActivityAsync((third, 5_000), (target, 3_000));
        var operations = await CountAsync("SELECT count(*) FROM tag_operations");

        var merged = (await Merge.MergeAsync(user, target, [second, third], "laptop", default))!;
        var (entries, _) = (await new ContactHistory(Database).PageAsync(user, target, null, 100, default))!.Value;
        var tags = (await new TagHistory(Database).OfContactAsync(user, target, default))!;

        Assert.Equal(("ann@example.com", "Ann", "DE", "hi"), (merged.Card.Email, merged.Card.Nickname, merged.Card.Country, merged.Card.Bio));
        Assert.Equal(["city=Bonn", "mood=good"], merged.Card.Attributes.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key}={one.Value}"));
        Assert.Equal(ContactStatus.Unsubscribed, (await Store.GetAsync(user, target))!.Status);
        Assert.Equal(["blue", "green", "red"], tags.Select(tag => tag.Tag.Name));
        Assert.All(tags, tag => Assert.Equal(1, tag.Tag.Contacts));
        Assert.Equal(operations + 1, await CountAsync("SELECT count(*) FROM tag_operations"));
        Assert.Equal((1L, 5_000L), (await CountAsync("SELECT count(*) FROM contact_activity"), await CountAsync("SELECT max(last_sent_at) FROM contact_activity")));
        Assert.Equal(1, await Search.CountAsync(user, ContactFilter.All));
        Assert.Null(await Store.GetAsync(user, second));
        Assert.Equal([second, third], entries.Where(entry => entry.Kind == "merged").Select(entry => entry.Merged!.Value).OrderBy(id => id.Value));
        var record = entries.Single(entry => entry.Merged == second);
        Assert.Equal(("laptop", "ann@work.example", "DE"), (record.By, record.Changes["merged.email"].From, record.Changes["country"].To));
        Assert.Equal(3, entries.Count(entry => entry.Kind == "created"));
    }

    [Fact]
    public async Task An_address_that_was_merged_into_one_that_may_not_be_mailed_does_not_come_back()
    {
        var user = await AddUserAsync();
        var target = await AddAsync(user, "ann@example.com", new() { Email = "", Status = ContactStatus.Suppressed });
        var other = await AddAsync(user, "ann@work.example", new() { Email = "" });

        await Merge.MergeAsync(user, target, [other], "laptop", default);

        Assert.Equal(1, (await ImportAsync(user, "email\nann@work.example\n")).Suppressed);
    }

    [Fact]
    public async Task What_imports_brought_stays_in_the_history()
    {
        var user = await AddUserAsync();
        var import = await ImportAsync(user, "email\na@example.com\nb@example.com\n");
        var (a, b) = ((await Store.FindAsync(user, "a@example.com"))!.Id, (await Store.FindAsync(user, "b@example.com"))!.Id);

        await Merge.MergeAsync(user, a, [b], "laptop", default);
        var (entries, _) = (await new ContactHistory(Database).PageAsync(user, a, null, 100, default))!.Value;

        Assert.Equal(2, entries.Count(entry => entry.Kind == "created" && entry.Source == "import" && entry.By == import.Import.ToString()));
    }

    [Fact]
    public async Task What_cannot_be_merged_changes_nothing()
    {
        var (user, other) = (await AddUserAsync(), await AddUserAsync("other"));
        var a = await AddAsync(user, "a@example.com", new() { Email = "" });
        var b = await AddAsync(user, "b@example.com", new() { Email = "" });
        var foreign = await AddAsync(other, "c@example.com", new() { Email = "" });

        foreach (var from in new ContactId[][] { [], [a], [b, b], [b, foreign], [b, new(999_999)] })
        {
            Assert.Equal("from", (await Assert.ThrowsAsync<FieldException>(() => Merge.MergeAsync(user, a, from, "k", default))).Field);
        }

        Assert.Null(await Merge.MergeAsync(other, a, [foreign], "k", default));
        Assert.Equal((2L, 1L), (await Search.CountAsync(user, ContactFilter.All), await Search.CountAsync(other, ContactFilter.All)));
    }

    [Fact]
    public async Task Contacts_that_are_likely_one_person_are_found_in_pages()
    {
        var user = await AddUserAsync();
        await AddAsync(await AddUserAsync("other"), "jo.doe@gmail.com", new() { Email = "", Handle = "same" });
        await AddAsync(user, "jodoe@gmail.com", new() { Email = "", Handle = "Jo" });
        await AddAsync(user, "j.o.doe+x@googlemail.com", new() { Email = "" });
        await AddAsync(user, "j.doe@example.com", new() { Email = "", Nickname = "Team" });
        await AddAsync(user, "jdoe@example.com", new() { Email = "", Nickname = "team" });
        await AddAsync(user, "jo@example.org", new() { Email = "", Handle = "jO", Nickname = "team" });
        await AddAsync(user, "ann+a@example.org", new() { Email = "" });
        await AddAsync(user, "ann@example.org", new() { Email = "" });
        await AddAsync(user, "+odd@example.org", new() { Email = "" });

        var all = new List<string>();
        string? after = null;
        do
        {
            var (groups, next) = await new DuplicateSearch(Database).PageAsync(user, after, 1, default);
            all.AddRange(groups.Select(group => $"{group.Reason}: {string.Join(' ', group.Contacts.Select(contact => contact.Card.Email))} ({group.Count})"));
            after = next;
        }
        while (after is not null);

        Assert.Equal(
            [
                "Mailbox: jodoe@gmail.com j.o.doe+x@googlemail.com (2)", "Mailbox: ann+a@example.org ann@example.org (2)", "Handle: jodoe@gmail.com jo@example.org (2)",
                "NicknameAndDomain: j.doe@example.com jdoe@example.com (2)",
            ],
            all);
        Assert.Equal(4, (await new DuplicateSearch(Database).PageAsync(user, null, 100, default)).Groups.Count);
    }

    private async Task<ContactId> AddAsync(UserId user, string email, ContactDraft draft) => (await Store.CreateAsync(user, draft with { Email = email }, "k")).Id;

    private async Task TagAsync(UserId user, ContactId contact, params string[] tags) => await new TagApplication(Database, Selection, Time).ApplyAsync(
        new TagRequest(TagOperationKind.Add, [.. tags.Select(tag => TagName.Parse(tag, "tags"))], new TagTarget.Listed([contact]), new TagOrigin(TagSource.Person, "k")), user, default);

    private async Task<ImportSummary> ImportAsync(UserId user, string csv)
    {
        using var importer = ImportParts.Importer(Database, Time);
        return await importer.RunAsync(user, new MemoryStream(Encoding.UTF8.GetBytes(csv)), "a.csv", new ImportOptions(ImportFormat.Csv));
    }

    private async Task ActivityAsync(params (ContactId Contact, long At)[] rows)
    {
        foreach (var (contact, at) in rows)
        {
            await Database.RunAsync(connection => connection.ExecuteAsync(
                $"INSERT INTO contact_activity (user_id, ordinal, last_sent_at) SELECT user_id, ordinal, {at} FROM contacts WHERE id = {contact}"));
        }
    }

    private Task<long> CountAsync(string sql) => Database.RunAsync(connection => connection.ExecuteAsync<long>(sql));
}

public sealed class ContactMergeTestsOnSqlite() : ContactMergeTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class ContactMergeTestsOnPostgres(PostgresFixture postgres) : ContactMergeTests(new PostgresDatabases(postgres));
