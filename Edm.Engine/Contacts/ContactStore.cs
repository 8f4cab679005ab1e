using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using Edm.Engine.Tags;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;

namespace Edm.Engine.Contacts;

/// <summary>A user's contacts. Another user's contact is answered like one that does not exist.</summary>
public sealed class ContactStore(EdmDatabase database, TimeProvider time)
{
    public Task<Contact?> GetAsync(UserId user, ContactId contact, CancellationToken cancellation = default) =>
        database.RunAsync(
            async connection => (await connection.GetTable<ContactRow>().SingleOrDefaultAsync(c => c.Id == contact && c.UserId == user, cancellation))?.ToContact(),
            cancellation);

    /// <param name="email">In any spelling that <see cref="EmailAddress"/> reads.</param>
    public Task<Contact?> FindAsync(UserId user, string email, CancellationToken cancellation = default) =>
        EmailAddress.TryParse(email, out var address)
            ? database.RunAsync(
                async connection => (await connection.GetTable<ContactRow>().SingleOrDefaultAsync(c => c.UserId == user && c.EmailKey == address.Key, cancellation))?.ToContact(),
                cancellation)
            : Task.FromResult<Contact?>(null);

    /// <returns>False when the user has no such contact.</returns>
    public Task<bool> SetStatusAsync(UserId user, ContactId contact, ContactStatus status, CancellationToken cancellation = default) =>
        ChangeAsync(
            user,
            contact,
            async (connection, book, ordinal) =>
            {
                book.Touch(ordinal);
                await connection.GetTable<ContactRow>()
                    .Where(c => c.Id == contact && c.UserId == user)
                    .Set(c => c.Status, status.Name())
                    .Set(c => c.UpdatedAt, time.GetUtcNow().ToUnixTimeMilliseconds())
                    .UpdateAsync(cancellation);
            },
            cancellation);

    /// <summary>Gone for good; an audience that holds the contact skips it.</summary>
    /// <returns>False when the user has no such contact.</returns>
    public Task<bool> DeleteAsync(UserId user, ContactId contact, CancellationToken cancellation = default) =>
        ChangeAsync(
            user,
            contact,
            async (connection, book, ordinal) =>
            {
                book.Remove(ordinal);
                await new TagWriter(connection, user, book, time).ForgetAsync(ContactSet.Of(ordinal), erase: false, cancellation);
                await connection.GetTable<ContactRow>().DeleteAsync(c => c.Id == contact && c.UserId == user, cancellation);
            },
            cancellation);

    private Task<bool> ChangeAsync(
        UserId user, ContactId contact, Func<EdmConnection, ContactBook, int, Task> change, CancellationToken cancellation) =>
        database.WriteAsync(
            async connection =>
            {
                var book = await ContactBook.OpenAsync(connection, user, cancellation);
                var ordinal = await connection.GetTable<ContactRow>().Where(c => c.Id == contact && c.UserId == user).Select(c => (int?)c.Ordinal).SingleOrDefaultAsync(cancellation);
                if (ordinal is { } found)
                {
                    await change(connection, book, found);
                    await book.CloseAsync(cancellation);
                }

                return ordinal is not null;
            },
            cancellation);
}
