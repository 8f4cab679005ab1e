using Edm.Contracts;
using Edm.Engine.Contacts.History;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using Edm.Engine.Tags;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;

namespace Edm.Engine.Contacts;

/// <summary>A user's contacts. Another user's contact is answered like one that does not exist. Every change is written into the contact's history, in its transaction.</summary>
public sealed class ContactStore(EdmDatabase database, SuppressionStore suppressions, TimeProvider time)
{
    public Task<Contact?> GetAsync(UserId user, ContactId contact, CancellationToken cancellation = default) =>
        database.RunAsync(async connection => (await FindAsync(connection, user, contact, cancellation))?.ToContact(), cancellation);

    /// <param name="email">In any spelling that <see cref="EmailAddress"/> reads.</param>
    public Task<Contact?> FindAsync(UserId user, string email, CancellationToken cancellation = default) =>
        EmailAddress.TryParse(email, out var address)
            ? database.RunAsync(
                async connection => (await connection.GetTable<ContactRow>().SingleOrDefaultAsync(c => c.UserId == user && c.EmailKey == address.Key, cancellation))?.ToContact(),
                cancellation)
            : Task.FromResult<Contact?>(null);

    /// <param name="by">The name of the person's key.</param>
    /// <exception cref="FieldException">A value can't be used.</exception>
    /// <exception cref="ConflictException">A contact with this address is there, or the address may not come back.</exception>
    public Task<Contact> CreateAsync(UserId user, ContactDraft draft, string by, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(draft);
        var wanted = draft.Onto(new ContactRow { UserId = user });
        return database.WriteAsync(
            async connection =>
            {
                var book = await ContactBook.OpenAsync(connection, user, cancellation);
                await RefuseAddressAsync(connection, wanted, cancellation);
                var now = Now;
                var row = wanted with { Ordinal = book.Take(1), CreatedAt = now, UpdatedAt = now };
                row = row with { Id = new ContactId(await connection.InsertWithInt64IdentityAsync(row, token: cancellation)) };
                var nothing = new ContactRow { Status = row.Status };
                await ChangeLine.AddAsync(connection, row, now, ContactChangeKinds.Created, by, ChangeLine.Of(nothing, row), cancellation);
                await book.CloseAsync(cancellation);
                return row.ToContact();
            },
            cancellation);
    }

    /// <summary>A change that changes nothing writes nothing.</summary>
    /// <param name="change">From what it is now to what it shall be. Called under the lock of the user's contacts.</param>
    /// <param name="by">The name of the person's key.</param>
    /// <returns>Null when the user has no such contact.</returns>
    /// <exception cref="FieldException">A value can't be used.</exception>
    /// <exception cref="ConflictException">Another contact has this address, or the address may not come back.</exception>
    public Task<Contact?> ChangeAsync(UserId user, ContactId contact, Func<Contact, ContactDraft> change, string by, CancellationToken cancellation = default) => database.WriteAsync(
        async connection =>
        {
            var book = await ContactBook.OpenAsync(connection, user, cancellation);
            if (await FindAsync(connection, user, contact, cancellation) is not { } row)
            {
                return null;
            }

            var wanted = change(row.ToContact()).Onto(row);
            var changes = ChangeLine.Of(row, wanted);
            if (changes.Count == 0)
            {
                return row.ToContact();
            }

            if (wanted.EmailKey != row.EmailKey)
            {
                await RefuseAddressAsync(connection, wanted, cancellation);
            }

            wanted = wanted with { UpdatedAt = Now };
            await connection.UpdateAsync(wanted, token: cancellation);
            await ChangeLine.AddAsync(connection, wanted, wanted.UpdatedAt, ContactChangeKinds.Changed, by, changes, cancellation);
            book.Touch(row.Ordinal);
            await book.CloseAsync(cancellation);
            return wanted.ToContact();
        },
        cancellation);

    /// <param name="by">The name of the person's key.</param>
    /// <returns>False when the user has no such contact.</returns>
    public async Task<bool> SetStatusAsync(UserId user, ContactId contact, ContactStatus status, string by, CancellationToken cancellation = default) =>
        await ChangeAsync(user, contact, now => ContactDraft.Of(now) with { Status = status }, by, cancellation) is not null;

    /// <summary>Gone for good, with its tags and its history; an audience that holds the contact skips it. An address that may not be mailed stays one, as a hash.</summary>
    /// <returns>False when the user has no such contact.</returns>
    public Task<bool> DeleteAsync(UserId user, ContactId contact, CancellationToken cancellation = default) => database.WriteAsync(
        async connection =>
        {
            var book = await ContactBook.OpenAsync(connection, user, cancellation);
            if (await FindAsync(connection, user, contact, cancellation) is not { } row)
            {
                return false;
            }

            if (SuppressionOf(row.Status) is { } reason)
            {
                await suppressions.AddAsync(connection, user, row.EmailKey, reason, cancellation);
            }

            await RemoveAsync(connection, book, row, erase: false, time, cancellation);
            await book.CloseAsync(cancellation);
            return true;
        },
        cancellation);

    /// <summary>All that belongs to the contact alone.</summary>
    /// <param name="erase">Also out of the history of tags.</param>
    internal static async Task RemoveAsync(EdmConnection connection, ContactBook book, ContactRow row, bool erase, TimeProvider time, CancellationToken cancellation)
    {
        book.Remove(row.Ordinal);
        await new TagWriter(connection, row.UserId, book, time).ForgetAsync(ContactSet.Of(row.Ordinal), erase, cancellation);
        await ChangeLine.ForgetAsync(connection, row.UserId, row.Id, cancellation);
        await connection.ExecuteAsync(
            "DELETE FROM contact_activity WHERE user_id = @user AND ordinal = @ordinal", cancellation,
            new DataParameter("user", row.UserId.Value), new DataParameter("ordinal", row.Ordinal));
        await connection.GetTable<ContactRow>().DeleteAsync(c => c.Id == row.Id, cancellation);
    }

    internal static Task<ContactRow?> FindAsync(EdmConnection connection, UserId user, ContactId contact, CancellationToken cancellation) =>
        connection.GetTable<ContactRow>().SingleOrDefaultAsync(c => c.Id == contact && c.UserId == user, cancellation);

    /// <returns>Null for a contact that may be mailed.</returns>
    internal static SuppressionReason? SuppressionOf(string status) => status switch
    {
        "active" => null,
        "unsubscribed" => SuppressionReason.Unsubscribed,
        "suppressed" => SuppressionReason.Suppressed,
        _ => throw new InvalidOperationException($"'{status}' is not the status of a contact."),
    };

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private async Task RefuseAddressAsync(EdmConnection connection, ContactRow wanted, CancellationToken cancellation)
    {
        var other = await connection.GetTable<ContactRow>().Where(c => c.UserId == wanted.UserId && c.EmailKey == wanted.EmailKey).Select(c => (long?)c.Id.Value).SingleOrDefaultAsync(cancellation);
        if (other is { } id)
        {
            throw new ConflictException($"Contact {id} has this address already.", "email");
        }

        if ((await suppressions.FindAsync(connection, wanted.UserId, [wanted.EmailKey], cancellation)).TryGetValue(wanted.EmailKey, out var reason))
        {
            throw new ConflictException(
                reason switch
                {
                    SuppressionReason.Unsubscribed => "The person with this address unsubscribed, and is not brought back.",
                    SuppressionReason.Suppressed => "This address was suppressed, and is not brought back.",
                    SuppressionReason.Erased => "The person with this address was erased, and is not brought back.",
                    _ => throw new InvalidOperationException($"{reason} is not a reason."),
                },
                "email");
        }
    }
}
