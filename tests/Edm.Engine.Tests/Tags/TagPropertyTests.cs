using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Filters.Columns;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using Edm.Engine.Tags;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Tags;

/// <summary>Random operations on bitmaps and on a plain set of pairs come to the same.</summary>
public abstract class TagPropertyTests(IDatabases databases) : DatabaseTests(databases)
{
    private const int Contacts = 40;

    // Some in each of four chunks, on their edges too.
    private const int Distance = 745;

    private static readonly TagOrigin Person = new(TagSource.Person, "test");
    private static readonly string[] NamePool = ["a", "b", "c", "d", "e", "F", "G", "h"];

    private readonly Dictionary<int, ContactId> _contacts = [];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Whatever_one_person_does_is_what_a_plain_set_would_do(int seed)
    {
        var (user, random) = (await AddUserAsync(), new Random(seed));
        var plain = new PlainTags();
        plain.Live.UnionWith(await AddContactsAsync(user));
        for (var step = 0; step < 150; step++)
        {
            if (random.Next(8) == 0)
            {
                await CrashAsync(user, random);
            }
            else
            {
                await StepAsync(user, plain, random);
            }

            if (step % 10 == 9)
            {
                await AssertSameAsync(user, plain.Names, plain.Pairs);
            }
        }

        await AssertSameAsync(user, plain.Names, plain.Pairs);
    }

    [Fact]
    public async Task Eight_at_once_come_to_what_the_record_says_one_after_the_other()
    {
        var user = await AddUserAsync();
        await AddContactsAsync(user);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            var random = new Random(100 + writer);
            for (var step = 0; step < 25; step++)
            {
                try
                {
                    await AnythingAsync(user, random);
                }
                catch (Exception exception) when (exception is ConflictException or FieldException)
                {
                    // Somebody was quicker: refused as a whole, and so not in the record.
                }
            }
        })));

        var plain = await ReplayAsync(user);
        await AssertSameAsync(user, plain.Names, plain.Pairs);
    }

    private async Task StepAsync(UserId user, PlainTags plain, Random random)
    {
        var (store, names) = (new TagStore(Database, Time), new Dictionary<long, (string? Before, string? After)>());
        var tag = plain.Names.Keys.Order().ElementAtOrDefault(random.Next(Math.Max(plain.Names.Count, 1)));
        switch (random.Next(12))
        {
            case 0 when FreeName(plain, random) is { } free:
                var made = await store.CreateAsync(user, TagName.Parse(free, "name"), null, Person, default);
                names[made.Id.Value] = (null, free);
                plain.Do(new PlainOperation(await NewestAsync(user), [], [], names));
                break;
            case 1 when tag != 0 && FreeName(plain, random) is { } free:
                await store.ChangeAsync(user, new TagId(tag), now => now with { Name = free }, Person, default);
                names[tag] = (plain.Names[tag], free);
                plain.Do(new PlainOperation(await NewestAsync(user), [], [], names));
                break;
            case 2 when plain.Names.Count > 1:
                var other = plain.Names.Keys.Where(one => one != tag).Order().First();
                var theirs = plain.Pairs.Where(pair => pair.Tag == other).ToArray();
                await store.MergeAsync(user, new TagId(tag), [new TagId(other)], Person, default);
                names[other] = (plain.Names[other], null);
                plain.Do(new PlainOperation(
                    await NewestAsync(user), [.. theirs.Select(pair => (tag, pair.Contact)).Where(pair => !plain.Pairs.Contains(pair))], theirs, names));
                break;
            case 3 when tag != 0:
                await store.DeleteAsync(user, new TagId(tag), Person, default);
                names[tag] = (plain.Names[tag], null);
                plain.Do(new PlainOperation(await NewestAsync(user), [], [.. plain.Pairs.Where(pair => pair.Tag == tag)], names));
                break;
            case 4 when plain.Live.Count > 10:
                var gone = plain.Live.Order().ElementAt(random.Next(plain.Live.Count));
                Assert.True(await new ContactStore(Database, ImportParts.Suppressions(Time), Time).DeleteAsync(user, _contacts[gone]));
                plain.Delete(gone);
                break;
            case 5 or 6 or 7 when plain.Operations.Count > 0:
                await UndoAsync(user, plain, plain.Operations[random.Next(Math.Max(0, plain.Operations.Count - 6), plain.Operations.Count)]);
                break;
            default:
                await ApplyAsync(user, plain, random);
                break;
        }
    }

    private async Task UndoAsync(UserId user, PlainTags plain, PlainOperation operation)
    {
        var refused = plain.Contradicts(operation);
        try
        {
            await new TagUndo(Database, Time).UndoAsync(user, new TagOperationId(operation.Id), Person, default);
            Assert.False(refused, $"Operation {operation.Id} was undone although something newer stands against it.");
            plain.Do(plain.Reverse(operation, await NewestAsync(user)));
        }
        catch (ConflictException exception)
        {
            Assert.True(refused, exception.Message);
        }
    }

    private async Task ApplyAsync(UserId user, PlainTags plain, Random random)
    {
        var kind = (TagOperationKind)random.Next((int)TagOperationKind.Add, (int)TagOperationKind.Replace + 1);
        var names = new Dictionary<long, (string? Before, string? After)>();
        string[] chosen = kind == TagOperationKind.Remove
            ? [.. plain.Names.Values.Order(StringComparer.Ordinal).Take(2)]
            : [.. NamePool.Where(_ => random.Next(4) == 0)];
        var contacts = plain.Live.Order().Where(_ => random.Next(3) == 0).ToArray();
        await Application().ApplyAsync(
            new TagRequest(kind, [.. chosen.Select(name => TagName.Parse(name, "tags"))], new TagTarget.Listed([.. contacts.Select(contact => _contacts[contact])]), Person), user, default);
        var ids = new List<long>();
        foreach (var name in chosen)
        {
            if (plain.Names.FirstOrDefault(one => PlainTags.Same(one.Value, name)) is { Key: not 0 } known)
            {
                ids.Add(known.Key);
                continue;
            }

            var made = (await new TagStore(Database, Time).ListAsync(user, default)).Single(one => one.Name == name);
            names[made.Id.Value] = (null, name);
            ids.Add(made.Id.Value);
        }

        var meant = ids.SelectMany(tag => contacts.Select(contact => (tag, contact))).ToHashSet();
        HashSet<(long, int)> added = kind == TagOperationKind.Remove ? [] : [.. meant.Where(pair => !plain.Pairs.Contains(pair))];
        HashSet<(long, int)> removed = kind switch
        {
            TagOperationKind.Remove => [.. meant.Where(plain.Pairs.Contains)],
            TagOperationKind.Replace => [.. plain.Pairs.Where(pair => contacts.Contains(pair.Contact) && !ids.Contains(pair.Tag))],
            _ => [],
        };
        plain.Do(new PlainOperation(await NewestAsync(user), added, removed, names));
    }

    /// <summary>A transaction that ends somewhere between its first statement and its commit.</summary>
    private async Task CrashAsync(UserId user, Random random)
    {
        var end = random.Next(4);
        await Assert.ThrowsAsync<CrashException>(() => Database.WriteAsync(async connection =>
        {
            var book = await ContactBook.OpenAsync(connection, user, default);
            End(0);
            var writer = new TagWriter(connection, user, book, Time);
            var tags = await writer.ResolveAsync([TagName.Parse("crash", "name"), TagName.Parse("a", "name")], default);
            End(1);
            await writer.ApplyAsync(TagOperationKind.Add, Person, new TagChanges().Add(tags["crash"], ContactSet.Of(0, Distance)).Add(tags["a"], ContactSet.Of(Distance)), default);
            End(2);
            await writer.ForgetAsync(ContactSet.Of(0), erase: true, default);
            book.Remove(0);
            await book.CloseAsync(default);
            End(3);
        }));

        void End(int point)
        {
            if (point == end)
            {
                throw new CrashException();
            }
        }
    }

    private async Task AnythingAsync(UserId user, Random random)
    {
        var (store, tags) = (new TagStore(Database, Time), await new TagStore(Database, Time).ListAsync(user, default));
        var tag = tags.Count == 0 ? new TagId(0) : tags[random.Next(tags.Count)].Id;
        var name = TagName.Parse(NamePool[random.Next(NamePool.Length)] + random.Next(2), "name");
        switch (random.Next(12))
        {
            case 0:
                await store.CreateAsync(user, name, null, Person, default);
                break;
            case 1:
                await store.ChangeAsync(user, tag, now => now with { Name = name.Text }, Person, default);
                break;
            case 2 when tags.Count > 1:
                await store.MergeAsync(user, tag, [tags.First(one => one.Id != tag).Id], Person, default);
                break;
            case 3:
                await store.DeleteAsync(user, tag, Person, default);
                break;
            case 4:
                await new ContactStore(Database, ImportParts.Suppressions(Time), Time).DeleteAsync(user, _contacts[Distance * random.Next(Contacts)], default);
                break;
            case 5 or 6:
                await new TagUndo(Database, Time).UndoAsync(user, new TagOperationId(Math.Max(1, await NewestAsync(user) - random.Next(5))), Person, default);
                break;
            default:
                var kind = (TagOperationKind)random.Next((int)TagOperationKind.Add, (int)TagOperationKind.Replace + 1);
                await Application().ApplyAsync(
                    new TagRequest(kind, [name], new TagTarget.Listed([.. _contacts.Values.Where(_ => random.Next(3) == 0)]), Person), user, default);
                break;
        }
    }

    /// <summary>The record, one operation after the other, done to a plain set.</summary>
    private Task<PlainTags> ReplayAsync(UserId user) => Database.RunAsync(async connection =>
    {
        var plain = new PlainTags();
        await new SqlBatch(connection)
            .Read("SELECT ordinal FROM contacts WHERE user_id = @user", row => plain.Live.Add(row.GetInt32(0)), ("@user", user.Value)).ExecuteAsync(default);
        foreach (var id in await connection.QueryToListAsync<long>($"SELECT id FROM tag_operations WHERE user_id = {user} ORDER BY id"))
        {
            var (delta, names) = (new TagChanges(), new Dictionary<long, (string? Before, string? After)>());
            await new SqlBatch(connection)
                .Read("SELECT tag_id, chunk, added, removed FROM tag_deltas WHERE operation_id = @id", row => TagStatements.Put(delta, row), ("@id", id))
                .ReadChanges(new TagOperationId(id), change => names[change.Tag.Value] = (change.Before?.Name, change.After?.Name)).ExecuteAsync(default);
            foreach (var (tag, (before, _)) in names)
            {
                Assert.Equal(before, plain.Names.GetValueOrDefault(tag));
            }

            plain.Do(new PlainOperation(
                id,
                [.. delta.Tags.SelectMany(change => change.Added.Ordinals.Select(contact => (change.Tag.Value, contact)))],
                [.. delta.Tags.SelectMany(change => change.Removed.Ordinals.Select(contact => (change.Tag.Value, contact)))],
                names));
        }

        return plain;
    });

    private async Task AssertSameAsync(UserId user, Dictionary<long, string> names, HashSet<(long Tag, int Contact)> pairs)
    {
        var tags = await new TagStore(Database, Time).ListAsync(user, default);
        Assert.Equal(names.OrderBy(name => name.Key), tags.Select(tag => KeyValuePair.Create(tag.Id.Value, tag.Name)).OrderBy(tag => tag.Key));
        var (members, view, empty) = (new HashSet<(long, int)>(), new HashSet<(long, int)>(), 0L);
        await Database.RunAsync(connection => new SqlBatch(connection)
            .Read(
                "SELECT m.tag_id, m.chunk, m.bits FROM tag_members m JOIN tags t ON t.id = m.tag_id WHERE t.user_id = @user",
                row =>
                {
                    var set = new ContactSet();
                    set.SetBits(row.GetInt32(1), ContactChunk.FromBytes((byte[])row.GetValue(2)));
                    empty += set.IsEmpty ? 1 : 0;
                    members.UnionWith(set.Ordinals.Select(contact => (row.GetInt64(0), contact)));
                },
                ("@user", user.Value))
            .Read(
                "SELECT v.tag_id, c.ordinal FROM contact_tags v JOIN contacts c ON c.id = v.contact_id WHERE v.user_id = @user",
                row => Assert.True(view.Add((row.GetInt64(0), row.GetInt32(1)))),
                ("@user", user.Value))
            .ExecuteAsync(default));
        Assert.Equal(pairs.Order(), members.Order());
        Assert.Equal(pairs.Order(), view.Order());
        Assert.Equal(0, empty);
        Assert.All(tags, tag => Assert.Equal(pairs.Count(pair => pair.Tag == tag.Id.Value), tag.Contacts));
    }

    private async Task<IEnumerable<int>> AddContactsAsync(UserId user)
    {
        await Database.WriteAsync(async connection =>
        {
            var book = await ContactBook.OpenAsync(connection, user, default);
            book.Take((Contacts - 1) * Distance + 1);
            for (var ordinal = 0; ordinal < book.Next; ordinal++)
            {
                if (ordinal % Distance != 0)
                {
                    book.Remove(ordinal);
                    continue;
                }

                var email = $"c{ordinal}@example.com";
                _contacts[ordinal] = new ContactId(await connection.InsertWithInt64IdentityAsync(new ContactRow { UserId = user, Ordinal = ordinal, Email = email, EmailKey = email }));
            }

            await book.CloseAsync(default);
        });
        return _contacts.Keys;
    }

    private TagApplication Application() => new(Database, new ContactSelection(new ContactColumns(1 << 20), ScanLimits.Default, Time), Time);

    private static string? FreeName(PlainTags plain, Random random)
    {
        var name = NamePool[random.Next(NamePool.Length)];
        return plain.Names.Values.Any(other => PlainTags.Same(other, name)) ? null : name;
    }

    private Task<long> NewestAsync(UserId user) =>
        Database.RunAsync(connection => connection.ExecuteAsync<long>($"SELECT coalesce(max(id), 0) FROM tag_operations WHERE user_id = {user}"));

    private sealed class CrashException : Exception;
}

public sealed class TagPropertyTestsOnSqlite() : TagPropertyTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class TagPropertyTestsOnPostgres(PostgresFixture postgres) : TagPropertyTests(new PostgresDatabases(postgres));
