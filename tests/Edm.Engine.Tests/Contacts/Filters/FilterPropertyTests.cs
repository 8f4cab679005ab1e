using System.Text.Json;
using CsCheck;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Filters.Columns;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Contacts.Filters;

public abstract class FilterPropertyTests(IDatabases databases) : DatabaseTests(databases)
{
    private const int Contacts = 60;
    private const int Filters = 120;
    private const int Changes = 4;

    private static readonly DateTimeOffset Now = new(2026, 2, 15, 12, 0, 0, TimeSpan.Zero);

    /// <summary>The evaluator, SQL and a plain model agree on random filters over random contacts and tags, also after the contacts changed under the columns in memory.</summary>
    [Fact]
    public Task All_ways_to_answer_a_filter_agree() => Gen.Int.SampleAsync(AgreeAsync, iter: 3, threads: 1);

    private async Task AgreeAsync(int seed)
    {
        var random = new Random(seed);
        var user = await AddUserAsync($"user{seed}-{Guid.NewGuid():N}");
        var world = await MakeAsync(random, user);
        var writer = new RandomFilter(random);
        var columns = new ContactColumns(random.Next(2) == 0 ? 1 << 20 : 4000);
        var selection = new ContactSelection(columns, ScanLimits.Default, new FixedTime(Now));
        for (var change = 0; change < Changes; change++)
        {
            for (var i = 0; i < Filters; i++)
            {
                await AgreeAsync(selection, user, world, writer.Next());
            }

            Assert.InRange(columns.Bytes, 0, 1 << 20);
            await ChangeAsync(random, user, world);
        }
    }

    private Task AgreeAsync(ContactSelection selection, UserId user, List<PlainContact> world, string text) => Database.RunAsync(async connection =>
    {
        await using var snapshot = await connection.BeginReadAsync();
        var filter = ContactFilter.Parse(text);
        var bound = await filter.BindAsync(connection, user, Now, default);
        var plain = world.Where(contact => PlainFilter.Passes(bound.Root, contact)).Select(contact => contact.Ordinal).Order().ToArray();

        var evaluated = await selection.EvaluateAsync(connection, user, filter, default);

        Assert.True(plain.SequenceEqual(evaluated.Ordinals), $"{text}: {string.Join(' ', evaluated.Ordinals)} instead of {string.Join(' ', plain)}");
        List<DataParameter> parameters = [new("user", user.Value)];
        var where = bound.ToSql(connection.IsPostgres, parameters);
        var selected = await connection.QueryToListAsync<int>($"SELECT ordinal FROM contacts WHERE user_id = @user AND {where} ORDER BY ordinal", default, [.. parameters]);
        Assert.True(plain.SequenceEqual(selected), $"{text} as SQL: {string.Join(' ', selected)} instead of {string.Join(' ', plain)}");
    });

    private Task<List<PlainContact>> MakeAsync(Random random, UserId user) => Database.WriteAsync(async connection =>
    {
        var book = await ContactBook.OpenAsync(connection, user, default);
        var world = new List<PlainContact>();
        for (var i = 0; i < Contacts; i++)
        {
            if (random.Next(10) == 0)
            {
                // A gap, so that there are several chunks.
                var gap = random.Next(6000);
                var first = book.Take(gap);
                Enumerable.Range(first, gap).ToList().ForEach(book.Remove);
            }

            var row = Row(random, user, i) with { Ordinal = book.Take(1) };
            await connection.InsertAsync(row);
            world.Add(new PlainContact(row.Ordinal, row, Parse(row), null, new HashSet<long>()));
        }

        await book.CloseAsync(default);
        foreach (var name in RandomFilter.Tags)
        {
            var tag = await connection.ExecuteAsync<long>(
                "INSERT INTO tags (user_id, name, name_key, contacts, created_at, updated_at) VALUES (@user, @name, @key, 0, 0, 0) RETURNING id", CancellationToken.None,
                new DataParameter("user", user.Value), new DataParameter("name", name), new DataParameter("key", NameKey.Of(name)));
            await TagAsync(connection, random, world, tag, name == "nobody" ? 0 : name == "rare" ? 0.05 : 0.5);
        }

        foreach (var (name, filter) in ((string, string)[])[("one", "tag:beauty or followers > 10k"), ("Second one", "not segment:one and country is not empty")])
        {
            await connection.ExecuteAsync(
                "INSERT INTO segments (user_id, name, name_key, filter, created_at, updated_at) VALUES (@user, @name, @key, @filter, 0, 0)", CancellationToken.None,
                new DataParameter("user", user.Value), new DataParameter("name", name), new DataParameter("key", NameKey.Of(name)), new DataParameter("filter", filter));
        }

        return world;
    });

    private static async Task TagAsync(EdmConnection connection, Random random, List<PlainContact> world, long tag, double share)
    {
        var members = new ContactSet();
        foreach (var contact in world.Where(_ => random.NextDouble() < share))
        {
            members.Add(contact.Ordinal);
            ((HashSet<long>)contact.Tags).Add(tag);
        }

        foreach (var chunk in members.Chunks)
        {
            await connection.ExecuteAsync(
                "INSERT INTO tag_members (tag_id, chunk, bits) VALUES (@tag, @chunk, @bits)", CancellationToken.None,
                new DataParameter("tag", tag), new DataParameter("chunk", chunk), new DataParameter("bits", ContactChunk.ToBytes(members.Bits(chunk)), DataType.VarBinary));
        }
    }

    /// <summary>Some contacts change, some go, some get mail.</summary>
    private Task ChangeAsync(Random random, UserId user, List<PlainContact> world) => Database.WriteAsync(async connection =>
    {
        var book = await ContactBook.OpenAsync(connection, user, default);
        for (var i = world.Count - 1; i >= 0; i--)
        {
            var contact = world[i];
            switch (random.Next(8))
            {
                case 0:
                    book.Remove(contact.Ordinal);
                    await connection.GetTable<ContactRow>().DeleteAsync(row => row.UserId == user && row.Ordinal == contact.Ordinal);
                    world.RemoveAt(i);
                    break;
                case 1:
                    book.Touch(contact.Ordinal);
                    var id = await connection.GetTable<ContactRow>().Where(row => row.UserId == user && row.Ordinal == contact.Ordinal).Select(row => row.Id).SingleAsync();
                    var changed = Row(random, user, 1000 + random.Next(1_000_000)) with { Id = id, Ordinal = contact.Ordinal };
                    await connection.UpdateAsync(changed);
                    world[i] = contact with { Row = changed, Attributes = Parse(changed) };
                    break;
                case 2:
                    var at = Moment(random);
                    await connection.ExecuteAsync(
                        "INSERT INTO contact_activity (user_id, ordinal, last_sent_at) VALUES (@user, @ordinal, @at) ON CONFLICT (user_id, ordinal) DO UPDATE SET last_sent_at = excluded.last_sent_at",
                        CancellationToken.None, new DataParameter("user", user.Value), new DataParameter("ordinal", contact.Ordinal), new DataParameter("at", at));
                    await connection.ExecuteAsync(
                        "UPDATE contact_chunks SET activity = activity + 1 WHERE user_id = @user AND chunk = @chunk", CancellationToken.None,
                        new DataParameter("user", user.Value), new DataParameter("chunk", ContactChunk.Of(contact.Ordinal)));
                    world[i] = contact with { LastSent = at };
                    break;
                default:
                    break;
            }
        }

        await book.CloseAsync(default);
    });

    private static ContactRow Row(Random random, UserId user, int number)
    {
        var email = $"c{number}@{Pick("example.org", "example.com", "a.us")}";
        var attributes = new Dictionary<string, string>();
        if (random.Next(4) > 0)
        {
            attributes["x"] = Pick(RandomFilter.Values);
        }

        if (random.Next(4) > 0)
        {
            attributes["y"] = Pick(RandomFilter.Words);
        }

        return new ContactRow
        {
            UserId = user,
            Email = email,
            EmailKey = email,
            Handle = Maybe(RandomFilter.Words),
            Nickname = Maybe(RandomFilter.Words),
            Country = Maybe(RandomFilter.Words),
            Language = Maybe(RandomFilter.Words),
            Category = Maybe(RandomFilter.Words),
            Bio = Maybe(RandomFilter.Words),
            Followers = random.Next(5) == 0 ? null : Pick(0L, 5, 10_000, 20_000, 1_500_000, long.MaxValue),
            Attributes = JsonSerializer.Serialize(attributes),
            Status = Pick("active", "active", "unsubscribed", "suppressed"),
            CreatedAt = Moment(random),
            UpdatedAt = Moment(random),
        };

        string? Maybe(string[] from) => random.Next(4) == 0 ? null : random.Next(10) == 0 ? "" : Pick(from);

        T Pick<T>(params T[] from) => from[random.Next(from.Length)];
    }

    // Often at the very edge of a day.
    private static long Moment(Random random) =>
        new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddDays(random.Next(60)).ToUnixTimeMilliseconds() + (random.Next(4) switch { 0 => 0, 1 => -1, _ => random.Next(86_400_000) });

    private static Dictionary<string, string> Parse(ContactRow row) => JsonSerializer.Deserialize<Dictionary<string, string>>(row.Attributes)!;

    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}

public sealed class FilterPropertyTestsOnSqlite() : FilterPropertyTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class FilterPropertyTestsOnPostgres(PostgresFixture postgres) : FilterPropertyTests(new PostgresDatabases(postgres));
