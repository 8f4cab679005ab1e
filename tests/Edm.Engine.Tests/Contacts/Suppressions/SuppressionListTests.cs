using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Suppressions;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using Xunit;

namespace Edm.Engine.Tests.Contacts.Suppressions;

public sealed class SuppressionListTestsOnSqlite() : SuppressionListTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class SuppressionListTestsOnPostgres(PostgresFixture postgres) : SuppressionListTests(new PostgresDatabases(postgres));

public abstract class SuppressionListTests(IDatabases databases) : DatabaseTests(databases)
{
    private ContactStore Contacts => new(Database, ImportParts.Suppressions(Time), Time);

    private SuppressionList List => new(Database, ImportParts.Suppressions(Time), Contacts);

    [Fact]
    public async Task A_contact_is_suppressed_by_its_address_and_let_go_again()
    {
        var user = await AddUserAsync();
        var id = (await Contacts.CreateAsync(user, new ContactDraft { Email = "ann@example.com" }, "me")).Id;

        await List.AddAsync(user, " ANN@example.com", "me", default);
        await List.AddAsync(user, "ann@example.com", "me", default);

        var only = Assert.Single((await List.PageAsync(user, null, 10, default)).Items);
        Assert.Equal(("ann@example.com", "suppressed", (ContactId?)id), (only.Email, only.Reason, only.Contact));
        Assert.True(await List.RemoveAsync(user, "Ann@example.com", "me", default));
        Assert.False(await List.RemoveAsync(user, "ann@example.com", "me", default));
        Assert.Equal(ContactStatus.Active, (await Contacts.GetAsync(user, id))!.Status);
        Assert.Empty((await List.PageAsync(user, null, 10, default)).Items);
    }

    [Fact]
    public async Task An_address_without_contact_can_not_come_in_until_it_is_let_go()
    {
        var user = await AddUserAsync();
        await List.AddAsync(user, "new@example.com", "me", default);

        var only = Assert.Single((await List.PageAsync(user, null, 10, default)).Items);
        Assert.Equal(((string?)null, "suppressed", 64), (only.Email, only.Reason, only.Hash!.Length));
        await Assert.ThrowsAsync<ConflictException>(() => Contacts.CreateAsync(user, new ContactDraft { Email = "new@example.com" }, "me"));
        Assert.True(await List.RemoveAsync(user, "new@example.com", "me", default));
        await Contacts.CreateAsync(user, new ContactDraft { Email = "new@example.com" }, "me");
    }

    [Fact]
    public async Task Who_unsubscribed_is_not_let_go_by_others()
    {
        var user = await AddUserAsync();
        var id = (await Contacts.CreateAsync(user, new ContactDraft { Email = "ann@example.com", Status = ContactStatus.Unsubscribed }, "me")).Id;

        await List.AddAsync(user, "ann@example.com", "me", default);
        Assert.Equal(ContactStatus.Unsubscribed, (await Contacts.GetAsync(user, id))!.Status);
        await Assert.ThrowsAsync<ConflictException>(() => List.RemoveAsync(user, "ann@example.com", "me", default));
        await Contacts.DeleteAsync(user, id);
        await Assert.ThrowsAsync<ConflictException>(() => List.RemoveAsync(user, "ann@example.com", "me", default));
    }

    [Fact]
    public async Task Pages_have_everybody_once_and_nobody_of_another_user()
    {
        var (user, other) = (await AddUserAsync(), await AddUserAsync("other"));
        for (var i = 0; i < 5; i++)
        {
            await Contacts.CreateAsync(user, new ContactDraft { Email = $"c{i}@example.com", Status = i == 2 ? ContactStatus.Active : ContactStatus.Suppressed }, "me");
            await List.AddAsync(user, $"h{i}@example.com", "me", default);
        }

        await List.AddAsync(other, "h1@example.com", "me", default);
        foreach (var limit in new[] { 1, 2, 3, 4, 9, 10 })
        {
            var (all, after) = (new List<Suppressed>(), (string?)null);
            do
            {
                var (items, next) = await List.PageAsync(user, after, limit, default);
                Assert.True(items.Count <= limit);
                all.AddRange(items);
                after = next;
            }
            while (after is not null);

            Assert.Equal(["c0@example.com", "c1@example.com", "c3@example.com", "c4@example.com"], all.Take(4).Select(one => one.Email));
            Assert.Equal(5, all.Skip(4).Select(one => one.Hash).Distinct().Count());
            Assert.Equal(9, all.Count);
        }
    }

    [Theory]
    [InlineData("x")]
    [InlineData("c-1")]
    [InlineData("hab1")]
    [InlineData("hAB")]
    public async Task A_mark_that_is_none_is_refused(string after) =>
        Assert.Equal("after", (await Assert.ThrowsAsync<FieldException>(() => List.PageAsync(new UserId(1), after, 10, default))).Field);

    [Fact]
    public async Task What_is_no_address_is_refused() =>
        Assert.Equal("email", (await Assert.ThrowsAsync<FieldException>(() => List.AddAsync(new UserId(1), "nobody", "me", default))).Field);
}
