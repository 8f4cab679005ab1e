using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Data;

namespace Edm.Engine.Contacts.Ordinals;

/// <summary>
/// The one place that gives out ordinals and keeps <c>contact_books</c> and <c>contact_chunks</c>. Opening it locks the user's row until the transaction
/// ends, so all who write contacts or tags of one user follow each other, in every process: what they read under the lock stays true. Call
/// <see cref="CloseAsync"/> once, as the last thing before the commit.
/// </summary>
internal sealed class ContactBook
{
    private readonly EdmConnection _connection;
    private readonly UserId _user;
    private readonly ContactSet _added = new();
    private readonly ContactSet _removed = new();
    private readonly HashSet<int> _touched = [];
    private readonly int _firstFree;
    private int _next;
    private bool _closed;

    private ContactBook(EdmConnection connection, UserId user, int next)
    {
        _connection = connection;
        _user = user;
        _firstFree = next;
        _next = next;
    }

    /// <summary>Inside of a write transaction, and before anything else in it: two who lock in another order would wait for each other.</summary>
    public static async Task<ContactBook> OpenAsync(EdmConnection connection, UserId user, CancellationToken cancellation)
    {
        var parameter = new DataParameter("user", user.Value);
        if (await NextAsync() is not { } next)
        {
            await connection.ExecuteAsync(
                "INSERT INTO contact_books (user_id, next_ordinal, contacts) VALUES (@user, 0, 0) ON CONFLICT (user_id) DO NOTHING", cancellation, parameter);
            next = await NextAsync() ?? throw new InvalidOperationException($"User {user} has no book of contacts.");
        }

        return new ContactBook(connection, user, next);

        Task<int?> NextAsync() => connection.ExecuteAsync<int?>(
            $"SELECT next_ordinal FROM contact_books WHERE user_id = @user{(connection.IsPostgres ? " FOR UPDATE" : "")}", cancellation, parameter);
    }

    public EdmConnection Connection => _connection;

    public UserId User => _user;

    /// <summary>Contacts were changed under this lock, or were said to be.</summary>
    public bool HasChanges => _closed || _next != _firstFree || !_removed.IsEmpty || _touched.Count > 0;

    /// <summary>The ordinal that the next new contact gets.</summary>
    public int Next => _next;

    /// <summary>Takes ordinals for new contacts: the first of <paramref name="count"/> consecutive ones. Each must get a contact.</summary>
    public int Take(int count)
    {
        var first = _next;
        _next = checked(_next + count);
        _added.AddRange(first, count);
        return first;
    }

    /// <summary>Says that a contact was changed.</summary>
    public void Touch(int ordinal) => _touched.Add(ContactChunk.Of(ordinal));

    /// <summary>Says that a contact was deleted. Its tags are the caller's.</summary>
    public void Remove(int ordinal)
    {
        if (!_added.Remove(ordinal))
        {
            _removed.Add(ordinal);
        }
    }

    /// <summary>Makes of the stored live contacts of some chunks those that will be live when this transaction commits.</summary>
    /// <param name="live">Of the chunks that the caller asks about, and of no other ones.</param>
    public void Amend(ContactSet live, IEnumerable<int> chunks)
    {
        foreach (var chunk in chunks)
        {
            var added = _added.Bits(chunk);
            var removed = _removed.Bits(chunk);
            if (added.IsEmpty && removed.IsEmpty)
            {
                continue;
            }

            var words = live.Bits(chunk) is { IsEmpty: false } stored ? stored.ToArray() : new ulong[ContactChunk.Words];
            Merge(words, added, static (ours, theirs) => ours | theirs);
            Merge(words, removed, static (ours, theirs) => ours & ~theirs);
            live.SetBits(chunk, words);
        }
    }

    /// <summary>Writes what was said.</summary>
    public async Task CloseAsync(CancellationToken cancellation)
    {
        _closed = true;
        if (_next != _firstFree || !_removed.IsEmpty)
        {
            await _connection.ExecuteAsync(
                "UPDATE contact_books SET next_ordinal = @next, contacts = contacts + @more WHERE user_id = @user",
                cancellation, new DataParameter("next", _next), new DataParameter("more", _added.Count - _removed.Count), new DataParameter("user", _user.Value));
        }

        foreach (var chunk in _added.Chunks.Union(_removed.Chunks).Union(_touched).Order())
        {
            await WriteAsync(chunk, cancellation);
        }
    }

    private async Task WriteAsync(int chunk, CancellationToken cancellation)
    {
        DataParameter[] key = [new("user", _user.Value), new("chunk", chunk)];
        if (_added.Bits(chunk).IsEmpty && _removed.Bits(chunk).IsEmpty)
        {
            await _connection.ExecuteAsync("UPDATE contact_chunks SET version = version + 1 WHERE user_id = @user AND chunk = @chunk", cancellation, key);
            return;
        }

        var stored = await _connection.ExecuteAsync<byte[]?>("SELECT live FROM contact_chunks WHERE user_id = @user AND chunk = @chunk", cancellation, key);
        var live = stored is null ? new ulong[ContactChunk.Words] : ContactChunk.FromBytes(stored);
        Merge(live, _added.Bits(chunk), static (ours, theirs) => ours | theirs);
        Merge(live, _removed.Bits(chunk), static (ours, theirs) => ours & ~theirs);
        await _connection.ExecuteAsync(
            """
            INSERT INTO contact_chunks (user_id, chunk, live, version, activity) VALUES (@user, @chunk, @live, 1, 0)
            ON CONFLICT (user_id, chunk) DO UPDATE SET live = excluded.live, version = contact_chunks.version + 1
            """,
            cancellation,
            [.. key, new DataParameter("live", ContactChunk.ToBytes(live), DataType.VarBinary)]);
    }

    private static void Merge(ulong[] live, ReadOnlySpan<ulong> change, Func<ulong, ulong, ulong> merge)
    {
        for (var i = 0; i < change.Length; i++)
        {
            live[i] = merge(live[i], change[i]);
        }
    }
}
