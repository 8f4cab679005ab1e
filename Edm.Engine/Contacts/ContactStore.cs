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
    /// <summary>A page is held in memory, and a contact may have 64 attributes of 4,000 characters.</summary>
    public const int MaxPage = 1000;

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

    /// <summary>In the order of the ids: stable while contacts come and go.</summary>
    /// <param name="after">The last id of the page before; null for the first page.</param>
    /// <param name="limit">At most <see cref="MaxPage"/>.</param>
    public Task<IReadOnlyList<Contact>> PageAsync(UserId user, ContactFilter filter, ContactId? after, int limit, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage);
        List<DataParameter> parameters = [new("user", user.Value), new("after", after?.Value ?? 0), new("limit", limit)];
        var where = filter.ToSql(database.IsPostgres, parameters);
        return database.RunAsync<IReadOnlyList<Contact>>(
            async connection =>
            {
                var rows = await connection.QueryToListAsync<ContactRow>(
                    $"SELECT * FROM contacts WHERE user_id = @user AND id > @after AND {where} ORDER BY id LIMIT @limit", cancellation, [.. parameters]);
                return [.. rows.Select(row => row.ToContact())];
            },
            cancellation);
    }

    public Task<long> CountAsync(UserId user, ContactFilter filter, CancellationToken cancellation = default)
    {
        List<DataParameter> parameters = [new("user", user.Value)];
        var where = filter.ToSql(database.IsPostgres, parameters);
        return database.RunAsync(
            connection => connection.ExecuteAsync<long>($"SELECT count(*) FROM contacts WHERE user_id = @user AND {where}", cancellation, [.. parameters]),
            cancellation);
    }

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
