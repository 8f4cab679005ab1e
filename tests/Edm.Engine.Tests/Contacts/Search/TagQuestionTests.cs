using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Filters.Columns;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Contacts.Search;
using Edm.Engine.Tags;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Contacts.Search;

public abstract class TagQuestionTests(IDatabases databases) : DatabaseTests(databases)
{
    [Theory]
    [InlineData("tag:a", "0 1 2 3")]
    [InlineData("tag:a and tag:B", "2 3")]
    [InlineData("tag:a and not tag:b", "0 1")]
    [InlineData("not tag:a and not tag:b", "6 7")]
    [InlineData("not tag:b and tag:a and not tag:c", "0")]
    [InlineData("tag:b or not tag:a", "2 3 4 5 6 7")]
    [InlineData("not (tag:a or tag:b)", "6 7")]
    [InlineData("tag in (a, empty)", "0 1 2 3")]
    [InlineData("tag:empty", "")]
    [InlineData("tag:c and not (tag:a and not tag:b)", "3 5 7")]
    public async Task One_statement_answers_what_evaluating_answers(string text, string expected)
    {
        var user = await FillAsync();
        var (filter, selection) = (ContactFilter.Parse(text), Selection);

        var asked = (await Database.RunAsync(connection => TagQuestion.Of(filter)!.AskAsync(connection, user, default)))!;
        var evaluated = await Database.RunAsync(async connection =>
        {
            await using var snapshot = await connection.BeginReadAsync();
            return await selection.EvaluateAsync(connection, user, filter, default);
        });

        Assert.Equal(expected, string.Join(' ', asked.Ordinals));
        Assert.Equal(expected, string.Join(' ', evaluated.Ordinals));
        var search = new ContactSearch(Database, selection);
        Assert.Equal(asked.Count, await search.CountAsync(user, filter));
        var first = await search.PageAsync(user, filter, ContactOrder.Oldest, null, 2);
        var second = first.Next is null ? null : await search.PageAsync(user, filter, ContactOrder.Oldest, first.Next, 100);
        Assert.Equal(asked.Count, first.Contacts.Count + (second?.Contacts.Count ?? 0));
    }

    [Fact]
    public async Task Pages_of_any_size_hold_each_contact_once_over_chunks_and_holes()
    {
        var user = await AddUserAsync();
        var expected = new List<int>();
        await AddAsync(9);
        await Database.WriteAsync(async connection =>
        {
            // Nobody ever was at these; the next chunk begins among them.
            var book = await ContactBook.OpenAsync(connection, user, default);
            var first = book.Take(ContactChunk.Size);
            Enumerable.Range(first, ContactChunk.Size).ToList().ForEach(book.Remove);
            await book.CloseAsync(default);
        });
        await AddAsync(6);
        await Database.WriteAsync(async connection =>
        {
            var book = await ContactBook.OpenAsync(connection, user, default);
            var writer = new TagWriter(connection, user, book, Time);
            var tags = await writer.ResolveAsync([TagName.Parse("a", "name")], default);
            await writer.ApplyAsync(TagOperationKind.Add, new TagOrigin(TagSource.Person, "test"), new TagChanges().Add(tags["a"], ContactSet.Of([.. expected])), default);
            await book.CloseAsync(default);
        });
        var search = new ContactSearch(Database, Selection);

        foreach (var limit in Enumerable.Range(1, expected.Count + 1))
        {
            var (emails, after) = (new List<string>(), (string?)null);
            do
            {
                var page = await search.PageAsync(user, ContactFilter.Parse("tag:a"), ContactOrder.Oldest, after, limit);
                Assert.True(page.Next is null || page.Contacts.Count == limit);
                emails.AddRange(page.Contacts.Select(contact => contact.Card.Email));
                after = page.Next;
            }
            while (after is not null);

            Assert.Equal(expected.Select(ordinal => $"c{ordinal}@example.com"), emails);
        }

        async Task AddAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                var ordinal = await Database.RunAsync(connection => connection.ExecuteAsync<int>($"SELECT next_ordinal FROM contact_books WHERE user_id = {user}"));
                await AddContactAsync(new ContactRow { UserId = user, Email = $"c{ordinal}@example.com", EmailKey = $"c{ordinal}@example.com" });
                expected.Add(ordinal);
            }
        }
    }

    [Fact]
    public async Task A_tag_that_is_not_there_is_refused_with_the_nearest()
    {
        var user = await FillAsync();

        var refused = await Assert.ThrowsAsync<ContactFilterException>(() => new ContactSearch(Database, Selection).CountAsync(user, ContactFilter.Parse("tag:a and tag:empti")));

        Assert.Contains("'empty'", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("tag:a and followers > 5")]
    [InlineData("untagged")]
    public void Other_questions_are_not_for_it(string text) => Assert.Null(TagQuestion.Of(ContactFilter.Parse(text)));

    // Bit 0 of a number is tag c, bit 1 and above make a and b.
    private async Task<UserId> FillAsync()
    {
        var user = await AddUserAsync();
        for (var i = 0; i < 8; i++)
        {
            await AddContactAsync(new ContactRow { UserId = user, Email = $"c{i}@example.com", EmailKey = $"c{i}@example.com" });
        }

        await Database.WriteAsync(async connection =>
        {
            var book = await ContactBook.OpenAsync(connection, user, default);
            var writer = new TagWriter(connection, user, book, Time);
            var tags = await writer.ResolveAsync(new[] { "a", "b", "c", "empty" }.Select(name => TagName.Parse(name, "name")), default);
            await writer.ApplyAsync(
                TagOperationKind.Add, new TagOrigin(TagSource.Person, "test"),
                new TagChanges().Add(tags["a"], ContactSet.Of(0, 1, 2, 3)).Add(tags["b"], ContactSet.Of(2, 3, 4, 5)).Add(tags["c"], ContactSet.Of(1, 3, 5, 7)), default);
            await book.CloseAsync(default);
        });
        return user;
    }
}

public sealed class TagQuestionTestsOnSqlite() : TagQuestionTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class TagQuestionTestsOnPostgres(PostgresFixture postgres) : TagQuestionTests(new PostgresDatabases(postgres));
