using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Contacts.Ordinals;

public abstract class ContactBookTests(IDatabases databases) : DatabaseTests(databases)
{
    [Fact]
    public async Task Ordinals_are_dense_and_never_given_out_twice()
    {
        var (user, store) = (await AddUserAsync(), new ContactStore(Database, ImportParts.Suppressions(Time), Time));
        var first = await AddContactAsync(Row(user, "a@example.com"));
        var second = await AddContactAsync(Row(user, "b@example.com"));
        Assert.True(await store.DeleteAsync(user, second));
        await AddContactAsync(Row(user, "c@example.com"));

        Assert.Equal([0, 2], await OrdinalsAsync(user));
        Assert.Equal([0, 2], (await LiveAsync(user)).Ordinals);
        Assert.Equal(2, await ScalarAsync($"SELECT contacts FROM contact_books WHERE user_id = {user}"));
        Assert.True(await store.DeleteAsync(user, first));
        Assert.Equal([2], (await LiveAsync(user)).Ordinals);
    }

    [Fact]
    public async Task Every_change_of_a_contact_grows_the_version_of_its_chunk()
    {
        var (user, store) = (await AddUserAsync(), new ContactStore(Database, ImportParts.Suppressions(Time), Time));
        var contact = await AddContactAsync(Row(user, "a@example.com"));
        var before = await VersionAsync();
        await store.SetStatusAsync(user, contact, ContactStatus.Unsubscribed, "test");

        Assert.True(await VersionAsync() > before);

        Task<long> VersionAsync() => ScalarAsync($"SELECT version FROM contact_chunks WHERE user_id = {user} AND chunk = 0");
    }

    [Fact]
    public async Task Writers_of_one_user_follow_each_other()
    {
        var user = await AddUserAsync();

        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => AddContactAsync(Row(user, $"c{i}@example.com"))));

        Assert.Equal(Enumerable.Range(0, 40), await OrdinalsAsync(user));
        Assert.Equal(Enumerable.Range(0, 40), (await LiveAsync(user)).Ordinals);
    }

    [Fact]
    public async Task A_million_ordinals_fill_their_chunks()
    {
        var user = await AddUserAsync();
        await Database.WriteAsync(async connection =>
        {
            var book = await ContactBook.OpenAsync(connection, user, default);
            book.Take(1_000_000);
            await book.CloseAsync(default);
        });

        Assert.Equal(1_000_000, (await LiveAsync(user)).Count);
    }

    private static ContactRow Row(UserId user, string email) => new() { UserId = user, Email = email, EmailKey = email };

    private Task<List<int>> OrdinalsAsync(UserId user) => Database.RunAsync(c => c.QueryToListAsync<int>($"SELECT ordinal FROM contacts WHERE user_id = {user} ORDER BY ordinal"));

    private Task<long> ScalarAsync(string sql) => Database.RunAsync(c => c.ExecuteAsync<long>(sql));

    private async Task<ContactSet> LiveAsync(UserId user)
    {
        var set = new ContactSet();
        foreach (var row in await Database.RunAsync(c => c.GetTable<ContactChunkRow>().Where(row => row.UserId == user).ToListAsync()))
        {
            set.SetBits(row.Chunk, ContactChunk.FromBytes(row.Live));
        }

        return set;
    }
}

public sealed class ContactBookTestsOnSqlite() : ContactBookTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class ContactBookTestsOnPostgres(PostgresFixture postgres) : ContactBookTests(new PostgresDatabases(postgres));
