using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Filters.Columns;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Contacts.Search;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB;
using Xunit;

namespace Edm.Engine.Tests.Contacts.Search;

public sealed class ContactSearchTestsOnSqlite() : ContactSearchTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class ContactSearchTestsOnPostgres(PostgresFixture postgres) : ContactSearchTests(new PostgresDatabases(postgres));

public abstract class ContactSearchTests(IDatabases databases) : DatabaseTests(databases)
{
    private ContactStore Store => new(Database, ImportParts.Suppressions(Time), Time);

    [Theory]
    [InlineData("followers")]
    [InlineData("-followers")]
    [InlineData("country")]
    [InlineData("-country")]
    [InlineData("created_at")]
    [InlineData("-lastSent")]
    [InlineData("domain")]
    [InlineData("attr.score")]
    [InlineData("-attr.score")]
    public async Task Sorted_pages_hold_each_contact_once_in_order(string sort)
    {
        var user = await AddUserAsync();
        var rows = await FillAsync(user, 40);

        var seen = await PagesAsync(user, ContactFilter.All, ContactOrder.Parse(sort), 7);

        var expected = rows.Order(Comparer<ContactRow>.Create((a, b) => Compare(Key(a, sort), Key(b, sort), sort[0] == '-') is var c and not 0 ? c : a.Ordinal.CompareTo(b.Ordinal)));
        Assert.Equal(expected.Select(row => row.Email), seen);
    }

    [Fact]
    public async Task A_sorted_list_goes_on_where_it_was_when_contacts_come_go_and_change()
    {
        var user = await AddUserAsync();
        foreach (var (name, followers) in ((string, long?)[])[("a", 10), ("b", 20), ("c", 20), ("d", 30), ("e", null), ("f", 40)])
        {
            await AddAsync(user, name, followers);
        }

        var order = ContactOrder.Parse("followers");
        var first = await Search.PageAsync(user, ContactFilter.All, order, null, 2);
        await Store.DeleteAsync(user, (await Store.FindAsync(user, "b@example.com"))!.Id);
        await AddAsync(user, "early", 5);
        await AddAsync(user, "late", 35);
        var second = await Search.PageAsync(user, ContactFilter.All, order, first.Next, 3);
        var third = await Search.PageAsync(user, ContactFilter.All, order, second.Next, 3);

        Assert.Equal(["a", "b"], first.Contacts.Select(c => c.Card.Handle));
        Assert.Equal(["c", "d", "late"], second.Contacts.Select(c => c.Card.Handle));
        Assert.Equal(["f", "e"], third.Contacts.Select(c => c.Card.Handle));
        Assert.Null(third.Next);
    }

    [Theory]
    [InlineData("x", "")]
    [InlineData("-5", "")]
    [InlineData("12", "followers")]
    [InlineData("AAAA", "followers")]
    [InlineData("%%%", "followers")]
    public async Task What_is_no_mark_is_refused(string after, string sort)
    {
        var user = await AddUserAsync();

        Assert.Equal("after", (await Assert.ThrowsAsync<FieldException>(() => Search.PageAsync(user, ContactFilter.All, ContactOrder.Parse(sort), after, 5))).Field);
    }

    [Fact]
    public async Task A_mark_of_another_order_is_refused()
    {
        var user = await AddUserAsync();
        await FillAsync(user, 5);
        var page = await Search.PageAsync(user, ContactFilter.All, ContactOrder.Parse("followers"), null, 2);

        Assert.Contains("sorted by 'followers'", (await Assert.ThrowsAsync<FieldException>(
            () => Search.PageAsync(user, ContactFilter.All, ContactOrder.Parse("-followers"), page.Next, 2))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("folowers", "did you mean 'followers'")]
    [InlineData("bio", "can't be sorted by 'bio'")]
    [InlineData("attr.", "after 'attr.'")]
    public void What_can_not_be_sorted_by_is_refused(string sort, string part) =>
        Assert.Contains(part, Assert.Throws<FieldException>(() => ContactOrder.Parse(sort)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task The_same_seed_chooses_the_same_contacts_and_another_one_others()
    {
        var user = await AddUserAsync();
        await FillAsync(user, 60);

        var first = await SampleAsync(1);
        Assert.Equal(10, first.Distinct().Count());
        Assert.Equal(first, await SampleAsync(1));
        Assert.NotEqual(first, await SampleAsync(2));
        Assert.Equal(60, (await Search.SampleAsync(user, ContactFilter.All, 1, 100)).Count);

        async Task<string[]> SampleAsync(long seed) => [.. (await Search.SampleAsync(user, ContactFilter.All, seed, 10)).Select(c => c.Card.Email)];
    }

    [Fact]
    public async Task An_explanation_says_how_it_was_read_and_what_each_test_matches()
    {
        var user = await AddUserAsync();
        await AddAsync(user, "a", 10);
        await AddAsync(user, "b", 2000);

        var explained = await Search.ExplainAsync(user, ContactFilter.Parse("followers > 1k and not bio contains X or created_at < 2020-01-31"));

        Assert.Equal("((followers >= 1001 and not bio contains \"x\") or createdAt <= 2020-01-30T23:59:59.999Z)", explained.Read);
        Assert.Equal(2, explained.Contacts);
        Assert.Equal(
            [("followers >= 1001", "column", true, 1), ("bio contains \"x\"", "contacts", false, 0), ("createdAt <= 2020-01-30T23:59:59.999Z", "column", true, 2)],
            explained.Parts.Select(part => (part.Test, part.By, part.Quick, part.Contacts!.Value)));
    }

    [Fact]
    public async Task A_test_that_would_read_too_many_contacts_is_refused_with_what_to_add()
    {
        var user = await AddUserAsync();
        await FillAsync(user, 30);
        var search = new ContactSearch(Database, new ContactSelection(Columns, new ScanLimits(20, TimeSpan.FromSeconds(5)), Time));

        var refused = await Assert.ThrowsAsync<ContactFilterException>(() => search.CountAsync(user, ContactFilter.Parse("followers > 0 and bio contains x")));

        Assert.Equal(19, refused.Position);
        Assert.Contains("Add a test joined by 'and'", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, await search.CountAsync(user, ContactFilter.Parse("followers < 5 and bio contains x")));
    }

    [Fact]
    public async Task A_filter_is_evaluated_under_the_lock_of_the_book_and_before_anything_changes()
    {
        var user = await AddUserAsync();
        await FillAsync(user, 5);

        await Database.WriteAsync(async connection =>
        {
            var book = await ContactBook.OpenAsync(connection, user, default);
            Assert.Equal(5, (await Selection.EvaluateAsync(book, ContactFilter.All, default)).Count);
            book.Touch(1);
            await Assert.ThrowsAsync<InvalidOperationException>(() => Selection.EvaluateAsync(book, ContactFilter.All, default));
        });
    }

    [Fact]
    public async Task Columns_of_many_different_texts_are_answered_by_reading()
    {
        var user = await AddUserAsync();
        await Database.WriteAsync(async connection =>
        {
            var book = await ContactBook.OpenAsync(connection, user, default);
            var rows = Enumerable.Range(0, 5000).Select(n => new ContactRow
            {
                UserId = user, Ordinal = book.Take(1), Email = $"{n}@example.com", EmailKey = $"{n}@example.com", Attributes = $$"""{"name":"Name {{n}}"}""",
            }).ToList();
            foreach (var row in rows)
            {
                await connection.InsertAsync(row);
            }

            await book.CloseAsync(default);
        });

        Assert.Equal(1, await Search.CountAsync(user, ContactFilter.Parse("attr.name = 'name 4711'")));
        Assert.Equal(5000, await Search.CountAsync(user, ContactFilter.Parse("attr.name starts with name")));
        Assert.Equal(0, await Search.CountAsync(user, ContactFilter.Parse("attr.name is empty")));
    }

    private async Task<List<string>> PagesAsync(UserId user, ContactFilter filter, ContactOrder order, int limit)
    {
        var (seen, after) = (new List<string>(), (string?)null);
        do
        {
            var page = await Search.PageAsync(user, filter, order, after, limit);
            seen.AddRange(page.Contacts.Select(c => c.Card.Email));
            after = page.Next;
        }
        while (after is not null);
        return seen;
    }

    private Task<ContactId> AddAsync(UserId user, string name, long? followers) => AddContactAsync(
        new ContactRow { UserId = user, Email = $"{name}@example.com", EmailKey = $"{name}@example.com", Handle = name, Followers = followers, Bio = "b" });

    private async Task<List<ContactRow>> FillAsync(UserId user, int count)
    {
        var (random, rows) = (new Random(7), new List<ContactRow>());
        for (var n = 0; n < count; n++)
        {
            var email = $"c{n}@d{random.Next(5)}.example.com";
            var row = new ContactRow
            {
                UserId = user, Ordinal = n, Email = email, EmailKey = email, Followers = random.Next(4) == 0 ? null : random.Next(5, 12) * 1000L,
                Country = random.Next(4) == 0 ? null : ((string[])["US", "de", "Ünal", "GB"])[random.Next(4)], CreatedAt = random.Next(100),
                Attributes = random.Next(3) == 0 ? "{}" : $$"""{"score":"{{random.Next(-5, 5)}}.5"}""",
            };
            rows.Add(row);
            await AddContactAsync(row);
        }

        return rows;
    }

    private static object? Key(ContactRow row, string sort) => sort.TrimStart('-') switch
    {
        "followers" => row.Followers,
        "country" => row.Country is { } country ? string.Concat(country.Select(c => char.IsAsciiLetterUpper(c) ? char.ToLowerInvariant(c) : c)) : null,
        "created_at" => row.CreatedAt,
        "lastSent" => null,
        "domain" => row.EmailKey.Split('@')[1],
        _ => row.Attributes == "{}" ? null : double.Parse(row.Attributes.Split('"')[3], System.Globalization.CultureInfo.InvariantCulture),
    };

    // Those without a value come last in both directions.
    private static int Compare(object? a, object? b, bool descending) => (a, b) switch
    {
        (null, null) => 0,
        (null, _) => 1,
        (_, null) => -1,
        (string x, string y) => string.CompareOrdinal(x, y) * (descending ? -1 : 1),
        _ => ((IComparable)a).CompareTo(b) * (descending ? -1 : 1),
    };
}
