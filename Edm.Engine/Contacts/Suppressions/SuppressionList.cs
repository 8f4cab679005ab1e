using System.Buffers;
using System.Globalization;
using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.Contacts.Suppressions;

/// <summary>Somebody who is not mailed.</summary>
/// <param name="Email">Null when the contact is gone: only the hash is left.</param>
/// <param name="Hash">The keyed hash of an address without contact, in hexadecimal.</param>
/// <param name="Reason">unsubscribed, suppressed or erased.</param>
/// <param name="Cause">What a mail server said, where that is why.</param>
public sealed record Suppressed(string? Email, string? Hash, string Reason, ContactId? Contact, DateTimeOffset At, SuppressionCause? Cause);

/// <summary>The reply that said that there is no such mailbox.</summary>
public sealed record SuppressionCause(TaskId Task, int? ReplyCode, string? Enhanced, string? Reply);

/// <summary>
/// A user's addresses that are not mailed: the contacts that are not active, and the addresses without a contact that may not come back. The status of a contact is the
/// truth while there is one.
/// </summary>
public sealed class SuppressionList(EdmDatabase database, SuppressionStore store, ContactStore contacts)
{
    private const char OfContacts = 'c';
    private const char OfHashes = 'h';

    /// <summary>Contacts in the order in which they came, then hashes.</summary>
    /// <param name="after"><c>Next</c> of the page before; null for the first.</param>
    /// <exception cref="FieldException">The mark is none.</exception>
    public Task<(IReadOnlyList<Suppressed> Items, string? Next)> PageAsync(UserId user, string? after, int limit, CancellationToken cancellation)
    {
        var (contact, hash) = Parse(after);
        return database.RunAsync<(IReadOnlyList<Suppressed>, string?)>(
            async connection =>
            {
                await using var snapshot = await connection.BeginReadAsync(cancellation);
                List<Suppressed> items = [];
                if (contact is { } from)
                {
                    await AddContactsAsync(connection, user, from, limit, items, cancellation);
                    if (items.Count == limit)
                    {
                        return (items, $"{OfContacts}{items[^1].Contact}");
                    }
                }

                await AddHashesAsync(connection, user, hash, limit - items.Count, items, cancellation);
                return (items, items.Count < limit ? null : $"{OfHashes}{items[^1].Hash}");
            },
            cancellation);
    }

    /// <summary>The contact with this address is suppressed; without one, nobody with it can become one.</summary>
    /// <param name="by">The name of the person's key.</param>
    /// <exception cref="FieldException">That is not an address.</exception>
    public async Task AddAsync(UserId user, string? email, string by, CancellationToken cancellation)
    {
        var address = Read(email);
        var contact = await database.WriteAsync(
            async connection =>
            {
                // Under the lock of the contacts nobody with this address comes in meanwhile.
                var book = await ContactBook.OpenAsync(connection, user, cancellation);
                var found = await connection.GetTable<ContactRow>().Where(c => c.UserId == user && c.EmailKey == address.Key).Select(c => (long?)c.Id.Value).SingleOrDefaultAsync(cancellation);
                if (found is null)
                {
                    await store.AddAsync(connection, user, address.Key, SuppressionReason.Suppressed, cancellation);
                }

                await book.CloseAsync(cancellation);
                return found;
            },
            cancellation);
        if (contact is { } id)
        {
            await contacts.ChangeAsync(
                user, new ContactId(id), now => ContactDraft.Of(now) with { Status = now.Status == ContactStatus.Active ? ContactStatus.Suppressed : now.Status }, by, cancellation);
        }
    }

    /// <summary>The address may be mailed again.</summary>
    /// <param name="by">The name of the person's key.</param>
    /// <returns>False when it was not suppressed.</returns>
    /// <exception cref="FieldException">That is not an address.</exception>
    /// <exception cref="ConflictException">The person unsubscribed or was erased, which is not for others to take back.</exception>
    public async Task<bool> RemoveAsync(UserId user, string? email, string by, CancellationToken cancellation)
    {
        var address = Read(email);
        if (await contacts.FindAsync(user, address.Address, cancellation) is { } contact)
        {
            var was = ContactStatus.Active;
            await contacts.ChangeAsync(
                user, contact.Id,
                now =>
                {
                    was = now.Status;
                    return was != ContactStatus.Unsubscribed ? ContactDraft.Of(now) with { Status = ContactStatus.Active } : throw Refused("unsubscribed");
                },
                by, cancellation);
            return was == ContactStatus.Suppressed;
        }

        return await database.WriteAsync(
            async connection => (await store.FindAsync(connection, user, [address.Key], cancellation)).TryGetValue(address.Key, out var reason) && reason switch
            {
                SuppressionReason.Suppressed => await store.RemoveAsync(connection, user, address.Key, cancellation),
                SuppressionReason.Unsubscribed => throw Refused("unsubscribed"),
                SuppressionReason.Erased => throw Refused("was erased"),
                _ => throw new InvalidOperationException($"{reason} is not a reason."),
            },
            cancellation);

        static ConflictException Refused(string why) => new($"The person with this address {why}, and is not brought back here.", "email");
    }

    private static EmailAddress Read(string? email) =>
        EmailAddress.TryParse(email, out var address) ? address : throw new FieldException("email", $"'{email}' is not an e-mail address.");

    private static async Task AddContactsAsync(EdmConnection connection, UserId user, long after, int limit, List<Suppressed> items, CancellationToken cancellation)
    {
        var rows = await connection.QueryToListAsync<ContactLine>(
            "SELECT id, email, status, updated_at FROM contacts WHERE user_id = @user AND status <> 'active' AND id > @after ORDER BY id LIMIT @limit",
            cancellation, new DataParameter("user", user.Value), new DataParameter("after", after), new DataParameter("limit", limit));
        Dictionary<long, CauseLine> causes = [];
        if (rows.Count > 0)
        {
            var batch = new SqlBatch(connection);
            batch.Read(
                $"""
                SELECT contact_id, task_id, reply_code, enhanced, reply, at FROM dead_addresses
                WHERE contact_id {batch.In("@ids")} AND user_id = @user AND applied_at IS NOT NULL ORDER BY at
                """,
                row => causes[row.GetInt64(0)] = new CauseLine(
                    new SuppressionCause(
                        new TaskId(row.GetInt64(1)), row.IsDBNull(2) ? null : row.GetInt32(2), row.IsDBNull(3) ? null : row.GetString(3), row.IsDBNull(4) ? null : row.GetString(4)),
                    row.GetInt64(5)),
                ("@ids", rows.Select(row => row.Id).ToArray()), ("@user", user.Value));
            await batch.ExecuteAsync(cancellation);
        }

        foreach (var row in rows)
        {
            var cause = row.Status == ContactStatus.Suppressed.Name() ? causes.GetValueOrDefault(row.Id) : null;
            items.Add(new Suppressed(row.Email, null, row.Status, new ContactId(row.Id), At(cause?.At ?? row.UpdatedAt), cause?.Cause));
        }
    }

    private static async Task AddHashesAsync(EdmConnection connection, UserId user, byte[] after, int limit, List<Suppressed> items, CancellationToken cancellation)
    {
        var rows = await connection.QueryToListAsync<HashLine>(
            "SELECT hash, reason, created_at FROM suppressions WHERE user_id = @user AND hash > @after ORDER BY hash LIMIT @limit",
            cancellation, new DataParameter("user", user.Value), new DataParameter("after", after, DataType.VarBinary), new DataParameter("limit", limit));
        items.AddRange(rows.Select(row => new Suppressed(null, Convert.ToHexStringLower(row.Hash), row.Reason, null, At(row.CreatedAt), null)));
    }

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    /// <returns>The last contact, null when the contacts are over; and the last hash.</returns>
    private static (long? Contact, byte[] Hash) Parse(string? after)
    {
        if (after is null)
        {
            return (0, []);
        }

        if (after is [OfContacts, ..] && long.TryParse(after.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var contact))
        {
            return (contact, []);
        }

        return after is [OfHashes, ..] && after.Length <= 129 && after.Length % 2 == 1 && !after.AsSpan(1).ContainsAnyExcept(HexDigits)
            ? (null, Convert.FromHexString(after.AsSpan(1)))
            : throw new FieldException("after", $"'{after}' is not where a page ended.");
    }

    private static DateTimeOffset At(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private sealed record CauseLine(SuppressionCause Cause, long At);

    private sealed record ContactLine
    {
        [Column] public long Id { get; init; }
        [Column] public string Email { get; init; } = "";
        [Column] public string Status { get; init; } = "";
        [Column] public long UpdatedAt { get; init; }
    }

    private sealed record HashLine
    {
        [Column] public byte[] Hash { get; init; } = [];
        [Column] public string Reason { get; init; } = "";
        [Column] public long CreatedAt { get; init; }
    }
}
