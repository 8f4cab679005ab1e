using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Search;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB;
using Xunit;

namespace Edm.Engine.Tests.Contacts;

public abstract class ContactStoreTests(IDatabases databases) : DatabaseTests(databases)
{
    private ContactStore Store => new(Database, ImportParts.Suppressions(Time), Time);

    [Fact]
    public async Task A_contact_comes_back_as_it_was_stored()
    {
        var user = await AddUserAsync();
        var id = await AddContactAsync(new ContactRow
        {
            UserId = user, Email = "Ann@example.com", EmailKey = "ann@example.com", Handle = "ann", Nickname = "Ann 🌷", Followers = 1_300_000,
            Country = "US", Language = "en", Category = "beauty", Bio = "hi\nthere", Attributes = """{"niche":"skin \"care\"","2022":"x"}""", CreatedAt = 1000, UpdatedAt = 2000,
        });

        var contact = (await Store.GetAsync(user, id))!;

        Assert.Equal(
            ("Ann@example.com", "ann", "Ann 🌷", 1_300_000L, "US", "en", "beauty", "hi\nthere"),
            (contact.Card.Email, contact.Card.Handle, contact.Card.Nickname, contact.Card.Followers, contact.Card.Country, contact.Card.Language, contact.Card.Category, contact.Card.Bio));
        Assert.Equal(new Dictionary<string, string> { ["niche"] = "skin \"care\"", ["2022"] = "x" }, contact.Card.Attributes);
        Assert.Equal((ContactStatus.Active, DateTimeOffset.FromUnixTimeMilliseconds(1000)), (contact.Status, contact.CreatedAt));
        Assert.Equal(id, (await Store.FindAsync(user, " ANN@Example.com"))!.Id);
    }

    [Fact]
    public async Task A_contact_with_letters_of_the_world_before_the_at_is_found_in_any_spelling()
    {
        var user = await AddUserAsync();
        Assert.True(EmailAddress.TryParse("Jörg@Bücher.example", out var address));
        var id = await AddContactAsync(new ContactRow { UserId = user, Email = address.Address, EmailKey = address.Key, CreatedAt = 1000, UpdatedAt = 1000 });

        Assert.Equal(id, (await Store.FindAsync(user, "JO\u0308RG@xn--bcher-kva.example"))!.Id);
        Assert.Equal("Jörg@xn--bcher-kva.example", (await Store.GetAsync(user, id))!.Card.Email);
    }

    [Fact]
    public async Task Another_users_contact_is_like_none()
    {
        var owner = await AddUserAsync("owner");
        var other = await AddUserAsync("other");
        var id = await AddContactAsync(Row(owner, "a@example.com"));

        Assert.Null(await Store.GetAsync(other, id));
        Assert.Null(await Store.FindAsync(other, "a@example.com"));
        Assert.False(await Store.SetStatusAsync(other, id, ContactStatus.Suppressed, "test"));
        Assert.False(await Store.DeleteAsync(other, id));
        Assert.Equal(0, await Search.CountAsync(other, ContactFilter.All));
        Assert.NotNull(await Store.GetAsync(owner, id));
    }

    [Fact]
    public async Task Pages_go_through_all_contacts_once()
    {
        var user = await AddUserAsync();
        for (var i = 0; i < 7; i++)
        {
            await AddContactAsync(Row(user, $"c{i}@example.com"));
        }

        List<string> seen = [];
        string? after = null;
        do
        {
            var page = await Search.PageAsync(user, ContactFilter.All, ContactOrder.Oldest, after, 3);
            seen.AddRange(page.Contacts.Select(c => c.Card.Email));
            after = page.Next;
        }
        while (after is not null);

        Assert.Equal(Enumerable.Range(0, 7).Select(i => $"c{i}@example.com"), seen);
    }

    [Fact]
    public async Task Status_and_deletion_are_kept()
    {
        var user = await AddUserAsync();
        var id = await AddContactAsync(Row(user, "a@example.com"));

        Assert.True(await Store.SetStatusAsync(user, id, ContactStatus.Unsubscribed, "test"));
        Assert.Equal(ContactStatus.Unsubscribed, (await Store.GetAsync(user, id))!.Status);
        Assert.True(await Store.DeleteAsync(user, id));
        Assert.Null(await Store.GetAsync(user, id));
    }

    [Theory]
    [InlineData("", "ann bob cem dan")]
    [InlineData("country = us", "ann")]
    [InlineData("country != us", "bob cem dan")]
    [InlineData("not country = us", "bob cem dan")]
    [InlineData("country in (US, de)", "ann bob")]
    [InlineData("country not in (US, de)", "cem dan")]
    [InlineData("country is empty", "dan")]
    [InlineData("country is not empty", "ann bob cem")]
    [InlineData("followers >= 10k", "ann bob")]
    [InlineData("followers > 10000", "ann")]
    [InlineData("followers < 10k", "cem")]
    [InlineData("followers = 10K", "bob")]
    [InlineData("followers in (10k, 1.5m)", "ann bob")]
    [InlineData("followers != 10k", "ann cem dan")]
    [InlineData("followers is empty", "dan")]
    [InlineData("country = US and followers >= 10k and category in (beauty, fashion)", "ann")]
    [InlineData("country = US or country = DE and followers < 1", "ann")]
    [InlineData("(country = US or country = DE) and followers < 20k", "bob")]
    [InlineData("handle = @ANN", "ann")]
    [InlineData("nickname = 'Bob Ross'", "bob")]
    [InlineData("nickname contains ÜL", "")]
    [InlineData("nickname contains ül", "cem")]
    [InlineData("nickname not contains ross", "ann cem dan")]
    [InlineData("domain = EXAMPLE.org", "bob cem")]
    [InlineData("domain contains example", "ann bob cem dan")]
    [InlineData("email = BOB@example.org", "bob")]
    [InlineData("status = active", "ann bob cem")]
    [InlineData("status != active", "dan")]
    [InlineData("attr.niche = SKIN", "ann")]
    [InlineData("attr.Niche is empty", "bob cem dan")]
    [InlineData("attr.niche contains i", "ann")]
    [InlineData("attr.views >= 5", "ann bob cem")]
    [InlineData("attr.views > 5", "bob cem")]
    [InlineData("attr.views < 5", "")]
    [InlineData("attr.2022 = x", "dan")]
    public async Task A_filter_chooses(string filter, string expected)
    {
        var user = await AddUserAsync();
        await AddContactAsync(Row(user, "ann@example.com") with { Handle = "ann", Country = "US", Followers = 1_500_000, Category = "Beauty", Attributes = """{"niche":"Skin","views":"5"}""" });
        await AddContactAsync(Row(user, "bob@example.org") with { Handle = "bob", Nickname = "Bob Ross", Country = "DE", Followers = 10_000, Attributes = """{"views":"12.5"}""" });
        await AddContactAsync(Row(user, "\"a@b\"@example.org") with { Handle = "cem", Nickname = "cem gül", Country = "TR", Followers = 5, Attributes = """{"views":"1.2M"}""" });
        await AddContactAsync(Row(user, "dan@sub.example.com") with { Handle = "dan", Status = "suppressed", Attributes = """{"2022":"x","views":"--4"}""" });

        var parsed = ContactFilter.Parse(filter);
        var page = (await Search.PageAsync(user, parsed, ContactOrder.Oldest, null, 100)).Contacts;

        Assert.Equal(expected, string.Join(' ', page.Select(c => c.Card.Handle)));
        Assert.Equal(page.Count, await Search.CountAsync(user, parsed));
    }

    private static ContactRow Row(UserId user, string email) => new() { UserId = user, Email = email, EmailKey = email };
}

public sealed class ContactStoreTestsOnSqlite() : ContactStoreTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class ContactStoreTestsOnPostgres(PostgresFixture postgres) : ContactStoreTests(new PostgresDatabases(postgres));
