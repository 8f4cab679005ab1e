using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.History;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Imports;
using Edm.Engine.Storage;
using Edm.Engine.Tags;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;

namespace Edm.Engine.Erasure;

/// <summary>
/// Erases a person from everything of one user (GDPR, article 17), in one transaction under the lock of the user's contacts. What is left: a keyed hash of each address, so
/// that nothing brings the person back; numbers that say nothing of anybody, so that tasks, imports and tags still add up; and who asked for it, when.
/// <see cref="ErasureCleaning"/> sees to what lies outside of the database's tables.
/// </summary>
public sealed class PersonErasure(EdmDatabase database, SuppressionStore suppressions, SuppressionKey key, TimeProvider time)
{
    /// <summary>What a recipient's row says instead of a server's words.</summary>
    public const string Reason = "the person was erased";

    public const int MaxPage = 1000;

    /// <summary>Each history, list of refused rows and so on of the user is read once through.</summary>
    private const int TimeoutSeconds = 600;

    /// <param name="by">The name of the person's key who asks for it.</param>
    /// <returns>Asked again, the erasure as it was; null when the user has and had no such contact.</returns>
    public Task<Erasure?> EraseAsync(UserId user, ContactId contact, string by, CancellationToken cancellation = default) => WriteAsync(
        user,
        async (connection, book) => await ContactStore.FindAsync(connection, user, contact, cancellation) is { } row
            ? await EraseAsync(connection, book, row, row.EmailKey, by, cancellation)
            : (await connection.GetTable<ErasureRow>().FirstOrDefaultAsync(e => e.UserId == user && e.ContactId == contact, cancellation))?.ToErasure(),
        cancellation);

    /// <summary>Also of a person who is no contact, or never was one: then nothing of that address comes in either. Asked again it looks again, and answers the erasure as it was.</summary>
    /// <exception cref="FieldException">This is not an address.</exception>
    public async Task<Erasure> EraseAsync(UserId user, string email, string by, CancellationToken cancellation = default)
    {
        if (!EmailAddress.TryParse(email, out var address, out var reason))
        {
            throw new FieldException("email", $"This is not an e-mail address: {reason}.");
        }

        return (await WriteAsync<Erasure?>(
            user,
            async (connection, book) =>
            {
                var row = await connection.GetTable<ContactRow>().SingleOrDefaultAsync(c => c.UserId == user && c.EmailKey == address.Key, cancellation);
                return await EraseAsync(connection, book, row, address.Address, by, cancellation);
            },
            cancellation))!;
    }

    public Task<Erasure?> GetAsync(UserId user, ErasureId id, CancellationToken cancellation = default) => database.RunAsync(
        async connection => (await connection.GetTable<ErasureRow>().SingleOrDefaultAsync(e => e.UserId == user && e.Id == id, cancellation))?.ToErasure(), cancellation);

    /// <summary>The newest first.</summary>
    /// <param name="before">The last id of the page before; null for the first page.</param>
    public Task<IReadOnlyList<Erasure>> PageAsync(UserId user, ErasureId? before, int limit, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage);
        var below = before?.Value ?? long.MaxValue;
        return database.RunAsync<IReadOnlyList<Erasure>>(
            async connection =>
            [
                .. (await connection.GetTable<ErasureRow>().Where(e => e.UserId == user && e.Id.Value < below).OrderByDescending(e => e.Id).Take(limit).ToListAsync(cancellation))
                    .Select(e => e.ToErasure()),
            ],
            cancellation);
    }

    private Task<T> WriteAsync<T>(UserId user, Func<EdmConnection, ContactBook, Task<T>> work, CancellationToken cancellation) => database.WriteAsync(
        async connection =>
        {
            connection.CommandTimeout = TimeoutSeconds;
            var book = await ContactBook.OpenAsync(connection, user, cancellation);
            var result = await work(connection, book);
            await book.CloseAsync(cancellation);
            return result;
        },
        cancellation);

    private async Task<Erasure> EraseAsync(EdmConnection connection, ContactBook book, ContactRow? row, string address, string by, CancellationToken cancellation)
    {
        var words = new PersonWords();
        words.AddAddress(address);
        if (row is not null)
        {
            await LearnAsync(connection, row, words, cancellation);
            await EraseDeliveriesAsync(connection, row, cancellation);
            await EraseBitsAsync(connection, row, cancellation);
            await ContactStore.RemoveAsync(connection, book, row, erase: true, time, cancellation);
        }

        await RefuseReturnAsync(connection, book.User, words, address, cancellation);
        await new PersonTexts(connection, book, words).CutAsync(cancellation);
        return await RecordAsync(connection, book.User, row?.Id, KeyOf(address), by, cancellation);
    }

    /// <summary>All that the contact was called and reached by, today and before.</summary>
    private static async Task LearnAsync(EdmConnection connection, ContactRow row, PersonWords words, CancellationToken cancellation)
    {
        words.AddAddress(row.Email);
        words.AddAddress(row.EmailKey);
        words.AddName(row.Handle);
        words.AddName(row.Nickname);
        foreach (var other in (row.ReadAttributes().GetValueOrDefault(RowMapper.OtherAddresses) ?? "").Split(';'))
        {
            words.AddAddress(other.Trim());
        }

        var lines = await connection.GetTable<ContactChangeRow>().Where(c => c.UserId == row.UserId && c.ContactId == row.Id).Select(c => c.Changes).ToListAsync(cancellation);
        foreach (var (field, change) in lines.SelectMany(ChangeLine.Read))
        {
            foreach (var value in (ReadOnlySpan<string?>)[change.From, change.To])
            {
                switch (field)
                {
                    case "email" or ChangeLine.MergedEmail: words.AddAddress(value); break;
                    case "handle" or "nickname": words.AddName(value); break;
                    default: break;
                }
            }
        }
    }

    /// <summary>The ledger keeps its rows: state, counts and codes are not about anybody once the contact is gone.</summary>
    private static Task<int> EraseDeliveriesAsync(EdmConnection connection, ContactRow row, CancellationToken cancellation) => connection.ExecuteAsync(
        """
        UPDATE deliveries SET reply = NULL, reason = @reason
        FROM tasks t JOIN audience a ON a.campaign_id = t.campaign_id AND a.round = t.round AND a.task_id = t.id
        WHERE t.user_id = @user AND a.contact_id = @contact AND deliveries.task_id = a.task_id AND deliveries.seq = a.seq
        """,
        cancellation, new DataParameter("reason", Reason, DataType.Text), new DataParameter("user", row.UserId.Value), new DataParameter("contact", row.Id.Value));

    /// <summary>Which imports met the contact, and which row of an old table it came from.</summary>
    private static async Task EraseBitsAsync(EdmConnection connection, ContactRow row, CancellationToken cancellation)
    {
        var (chunk, set) = (ContactChunk.Of(row.Ordinal), ContactSet.Of(row.Ordinal));
        var changed = new List<(long Import, byte[]? Created, byte[]? Changed, byte[]? Seen)>();
        await new SqlBatch(connection).Read(
            "SELECT m.import_id, m.created, m.changed, m.seen FROM import_contacts m JOIN imports i ON i.id = m.import_id WHERE i.user_id = @user AND m.chunk = @chunk",
            bits =>
            {
                var (created, updated, seen) = (
                    TagStatements.Without(bits, 1, set.Bits(chunk)), TagStatements.Without(bits, 2, set.Bits(chunk)), TagStatements.Without(bits, 3, set.Bits(chunk)));
                if (seen.Changed || created.Changed || updated.Changed)
                {
                    changed.Add((bits.GetInt64(0), created.Bits, updated.Bits, seen.Bits));
                }
            },
            ("@user", row.UserId.Value), ("@chunk", chunk)).ExecuteAsync(cancellation);
        foreach (var (import, created, updated, seen) in changed)
        {
            DataParameter[] place = [new("import", import), new("chunk", chunk)];
            _ = seen is null
                ? await connection.ExecuteAsync("DELETE FROM import_contacts WHERE import_id = @import AND chunk = @chunk", cancellation, place)
                : await connection.ExecuteAsync(
                    "UPDATE import_contacts SET created = @created, changed = @changed, seen = @seen WHERE import_id = @import AND chunk = @chunk", cancellation,
                    [.. place, new("created", created, DataType.VarBinary), new("changed", updated, DataType.VarBinary), new("seen", seen, DataType.VarBinary)]);
        }

        await connection.ExecuteAsync(
            "UPDATE tag_migration_keys SET user_id = NULL, ordinal = NULL, tags = '[]', reason = @reason, value = NULL WHERE user_id = @user AND ordinal = @ordinal", cancellation,
            new DataParameter("reason", Reason, DataType.Text), new DataParameter("user", row.UserId.Value), new DataParameter("ordinal", row.Ordinal));
    }

    /// <summary>None of the person's addresses comes back, but one that is another contact's by now: then it was a mistake in this one's.</summary>
    private async Task RefuseReturnAsync(EdmConnection connection, UserId user, PersonWords words, string address, CancellationToken cancellation)
    {
        foreach (var one in words.Addresses.Append(address).Select(KeyOf).Distinct().ToArray())
        {
            if (!await connection.GetTable<ContactRow>().AnyAsync(c => c.UserId == user && c.EmailKey == one, cancellation))
            {
                await suppressions.AddAsync(connection, user, one, SuppressionReason.Erased, cancellation);
            }
        }
    }

    private async Task<Erasure> RecordAsync(EdmConnection connection, UserId user, ContactId? contact, string emailKey, string by, CancellationToken cancellation)
    {
        var hash = key.HashOf(user, emailKey);
        if (contact is null
            && await connection.GetTable<ErasureRow>().Where(e => e.UserId == user && e.Hash == hash).OrderBy(e => e.Id).FirstOrDefaultAsync(cancellation) is { } before)
        {
            return before.ToErasure();
        }

        var row = new ErasureRow { UserId = user, ContactId = contact, Hash = hash, RequestedBy = by, At = time.GetUtcNow().ToUnixTimeMilliseconds() };
        return (row with { Id = new ErasureId(await connection.InsertWithInt64IdentityAsync(row, token: cancellation)) }).ToErasure();
    }

    private static string KeyOf(string address) => EmailAddress.TryParse(address, out var known) ? known.Key : address.ToLowerInvariant();
}
