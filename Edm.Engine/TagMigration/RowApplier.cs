using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using LinqToDB.Data;

namespace Edm.Engine.TagMigration;

/// <summary>What applying rows changed in EDM.</summary>
internal readonly record struct Applied(long Rows, long NewContacts, long Added, long Removed, long SetAside)
{
    public static Applied operator +(Applied a, Applied b) =>
        new(a.Rows + b.Rows, a.NewContacts + b.NewContacts, a.Added + b.Added, a.Removed + b.Removed, a.SetAside + b.SetAside);
}

/// <summary>
/// Makes EDM equal to some rows of the old table. Whatever was applied before and however often: a contact gets the tags of all its rows, and loses those that its rows gave it and
/// no row gives it any more. Each user is one transaction.
/// </summary>
internal sealed class RowApplier(EdmDatabase database, SuppressionStore suppressions, TimeProvider time, long migration, OwnerNames owners, MigrationSource source)
{
    private readonly TagNames _names = new(migration, source.Policy);
    private readonly ContactMaker _maker = new([.. source.Fields.Keys]);

    /// <param name="round">That of <see cref="MigrationState.NextRoundAsync"/>, begun before the rows were read.</param>
    public async Task<Applied> ApplyAsync(IReadOnlyCollection<OldRow> rows, long round, CancellationToken cancellation)
    {
        var read = rows.Select(row => ReadRow.Of(row, owners, source.Policy)).ToArray();
        var known = await KnownAsync([.. rows.Select(r => r.Key)], cancellation);

        // What leaves a user goes first: were it last, a kill between would forget where it was.
        var leaving = read.Where(r => known.TryGetValue(r.Key, out var k) && k.UserId is { } user && user != r.User?.Value).GroupBy(r => known[r.Key].UserId!.Value);
        var total = new Applied(rows.Count, 0, 0, 0, read.Count(r => r.SetAside is not null));
        foreach (var user in leaving.OrderBy(g => g.Key))
        {
            total += await UserAsync(new UserId(user.Key), [.. user.Select(r => r with { User = null, Names = [] })], round, cancellation);
        }

        foreach (var user in read.Where(r => r.User is not null).GroupBy(r => r.User!.Value.Value).OrderBy(g => g.Key))
        {
            total += await UserAsync(new UserId(user.Key), [.. user], round, cancellation);
        }

        await AsideAsync([.. read.Where(r => r.User is null)], round, cancellation);
        return total;
    }

    private Task<Dictionary<string, KeyRow>> KnownAsync(IReadOnlyCollection<string> keys, CancellationToken cancellation) =>
        database.RunAsync(connection => KnownAsync(connection, migration, keys, cancellation), cancellation);

    internal static async Task<Dictionary<string, KeyRow>> KnownAsync(EdmConnection connection, long migration, IReadOnlyCollection<string> keys, CancellationToken cancellation) =>
        (await connection.QueryToListAsync<KeyRow>(
            $"SELECT * FROM tag_migration_keys WHERE migration_id = @id AND old_key IN {MigrationSql.Texts(connection, "@keys")}",
            cancellation, new DataParameter("id", migration), MigrationSql.List("keys", keys))).ToDictionary(k => k.OldKey, StringComparer.Ordinal);

    private Task<Applied> UserAsync(UserId user, ReadRow[] rows, long round, CancellationToken cancellation) => database.WriteAsync(
        async connection =>
        {
            var book = await ContactBook.OpenAsync(connection, user, cancellation);
            await MigrationState.CheckRoundAsync(connection, migration, round, cancellation);
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            var step = new TagStep(connection, user, book, time);
            var known = await KnownAsync(connection, migration, [.. rows.Select(r => r.Key)], cancellation);
            var (contacts, created) = await _maker.ContactsAsync(
                connection, book, user, rows.Where(r => r.User is not null), keys => suppressions.FindAsync(connection, user, keys, cancellation), now, cancellation);
            var tags = await _names.ResolveAsync(connection, step, user, rows.Where(r => r.Email is not null && contacts.ContainsKey(r.Email.Key)).SelectMany(r => r.Names), cancellation);
            var next = rows.Select(r => Next(r, contacts, tags)).ToArray();
            var (added, removed) = await TagsAsync(connection, step, user, known, next, cancellation);
            await WriteKeysAsync(connection, next, cancellation);
            await book.CloseAsync(cancellation);
            return new Applied(0, created, added, removed, 0);
        },
        cancellation);

    private static KeyRow Next(ReadRow row, Dictionary<string, int> contacts, Dictionary<string, long> tags)
    {
        if (row.User is not { } user)
        {
            return new KeyRow { OldKey = row.Key };
        }

        // Who may not come back has no contact.
        return contacts.TryGetValue(row.Email!.Key, out var ordinal)
            ? new KeyRow { OldKey = row.Key, UserId = user.Value, Ordinal = ordinal, Tags = JsonSerializer.Serialize(row.Names.Select(n => tags[n]).Distinct().Order()) }
            : new KeyRow { OldKey = row.Key, Reason = Oddity.Suppressed.Name() };
    }

    private async Task<(long Added, long Removed)> TagsAsync(
        EdmConnection connection, TagStep step, UserId user, Dictionary<string, KeyRow> known, KeyRow[] next, CancellationToken cancellation)
    {
        // All rows of the contacts concerned, also those that did not change: what one of them gives, another one's change must not take.
        var ordinals = known.Values.Concat(next).Where(k => k.UserId == user.Value && k.Ordinal is not null).Select(k => k.Ordinal!.Value).ToHashSet();
        var siblings = await connection.QueryToListAsync<KeyRow>(
            $"SELECT * FROM tag_migration_keys WHERE migration_id = @id AND user_id = @user AND ordinal IN {MigrationSql.Numbers(connection, "@ordinals")}",
            cancellation, new DataParameter("id", migration), new DataParameter("user", user.Value), MigrationSql.List("ordinals", ordinals));
        var changed = next.Select(k => k.OldKey).ToHashSet(StringComparer.Ordinal);
        var before = ByContact(siblings);
        var after = ByContact(siblings.Where(s => !changed.Contains(s.OldKey)).Concat(next.Where(k => k.UserId is not null)));

        Dictionary<long, ContactSet> add = [], remove = [];
        foreach (var ordinal in ordinals)
        {
            var (was, @is) = (before.GetValueOrDefault(ordinal) ?? [], after.GetValueOrDefault(ordinal) ?? []);
            foreach (var tag in @is.Except(was))
            {
                Set(add, tag).Add(ordinal);
            }

            foreach (var tag in was.Except(@is))
            {
                Set(remove, tag).Add(ordinal);
            }
        }

        await KeepAsync(connection, migration, remove, cancellation);
        return await step.ApplyAsync(add, remove, cancellation);
    }

    /// <summary>What a contact had in EDM before the migration stays, whatever its row loses.</summary>
    private static async Task KeepAsync(EdmConnection connection, long migration, Dictionary<long, ContactSet> remove, CancellationToken cancellation)
    {
        if (remove.Count == 0)
        {
            return;
        }

        foreach (var (tag, members) in await MemberBits.KeptAsync(connection, migration, remove.Keys, cancellation))
        {
            remove[tag].ExceptWith(members);
        }
    }

    private static Dictionary<int, HashSet<long>> ByContact(IEnumerable<KeyRow> keys)
    {
        Dictionary<int, HashSet<long>> contacts = [];
        foreach (var key in keys.Where(k => k.Ordinal is not null))
        {
            if (!contacts.TryGetValue(key.Ordinal!.Value, out var tags))
            {
                contacts[key.Ordinal.Value] = tags = [];
            }

            tags.UnionWith(key.TagIds);
        }

        return contacts;
    }

    private static ContactSet Set(Dictionary<long, ContactSet> sets, long tag)
    {
        if (!sets.TryGetValue(tag, out var set))
        {
            sets[tag] = set = new ContactSet();
        }

        return set;
    }

    private async Task AsideAsync(ReadRow[] rows, long round, CancellationToken cancellation)
    {
        if (rows.Length == 0)
        {
            return;
        }

        var aside = rows.Where(r => r.SetAside is not null).Select(r => new KeyRow { OldKey = r.Key, Reason = r.SetAside!.Value.Name(), Value = r.Value }).ToArray();
        var gone = rows.Where(r => r.SetAside is null).Select(r => r.Key).ToArray();
        await database.WriteAsync(
            async connection =>
            {
                await MigrationState.CheckRoundAsync(connection, migration, round, cancellation);
                await WriteKeysAsync(connection, aside, cancellation);
                await connection.ExecuteAsync(
                    $"DELETE FROM tag_migration_keys WHERE migration_id = @id AND user_id IS NULL AND old_key IN {MigrationSql.Texts(connection, "@keys")}",
                    cancellation, new DataParameter("id", migration), MigrationSql.List("keys", gone));
            },
            cancellation);
    }

    private Task WriteKeysAsync(EdmConnection connection, KeyRow[] keys, CancellationToken cancellation) => keys.Length == 0 ? Task.CompletedTask : connection.ExecuteAsync(
        $"""
        INSERT INTO tag_migration_keys (migration_id, old_key, user_id, ordinal, tags, reason, value)
        SELECT @id, c0, c1, c2, c3, c4, c5 FROM {MigrationSql.Rows(connection, "@rows", "text", "bigint", "int", "text", "text", "text")} WHERE true
        ON CONFLICT (migration_id, old_key) DO UPDATE SET user_id = excluded.user_id, ordinal = excluded.ordinal, tags = excluded.tags, reason = excluded.reason, value = excluded.value
        """,
        cancellation, new DataParameter("id", migration), MigrationSql.List("rows", keys.Select(k => new object?[] { k.OldKey, k.UserId, k.Ordinal, k.Tags, k.Reason, k.Value })));
}
