using Edm.Contracts;
using Edm.Engine.Contacts.History;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;
using LinqToDB.Mapping;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Edm.Engine.Contacts.Suppressions;

/// <summary>
/// Suppresses the contacts whose mailbox does not exist, as the deliveries have noted: <c>dead_addresses</c>. What is noted is durable and is marked in the transaction that
/// changes the contact, so it happens once, also over a crash. Every node does it, which is harmless.
/// </summary>
public sealed partial class DeadAddressSuppression(EdmDatabase database, TimeProvider time, ILogger<DeadAddressSuppression> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    /// <summary>Contacts of one user in one transaction: imports wait for its lock.</summary>
    private const int Batch = 500;

    /// <summary>Users in one turn.</summary>
    private const int Users = 100;

    /// <summary>A mail that was refused was addressed no longer ago than this before.</summary>
    private const long LongestWay = 3_600_000;

    /// <summary>Does what is noted now.</summary>
    /// <returns>How many notes were dealt with.</returns>
    public async Task<int> ApplyAsync(CancellationToken cancellation)
    {
        var users = await database.RunAsync(
            connection => connection.QueryToListAsync<long>(
                "SELECT DISTINCT user_id FROM dead_addresses WHERE applied_at IS NULL ORDER BY user_id LIMIT @users", cancellation, new DataParameter("users", Users)),
            cancellation);
        var done = 0;
        foreach (var user in users)
        {
            done += await database.WriteAsync(connection => ApplyAsync(connection, new UserId(user), cancellation), cancellation);
        }

        return done;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var failing = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            var done = 0;
            try
            {
                done = await ApplyAsync(stoppingToken);
                failing = false;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The next turn tries again whatever it was; one line in the log tells of a row of failures.
                if (!failing)
                {
                    LogFailed(exception.Message);
                }

                failing = true;
            }

            if (done < Batch)
            {
                await Task.Delay(Every, time, stoppingToken);
            }
        }
    }

    private async Task<int> ApplyAsync(EdmConnection connection, UserId user, CancellationToken cancellation)
    {
        var book = await ContactBook.OpenAsync(connection, user, cancellation);
        var notes = await connection.QueryToListAsync<Note>(
            "SELECT task_id, seq, contact_id, at FROM dead_addresses WHERE user_id = @user AND applied_at IS NULL ORDER BY at LIMIT @batch",
            cancellation, new DataParameter("user", user.Value), new DataParameter("batch", Batch));
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var ids = notes.Select(note => new ContactId(note.ContactId)).Distinct().ToArray();
        var contacts = await connection.GetTable<ContactRow>().Where(c => c.UserId == user && ids.Contains(c.Id)).ToDictionaryAsync(c => c.Id.Value, cancellation);
        foreach (var note in notes)
        {
            if (contacts.TryGetValue(note.ContactId, out var contact) && contact.Status == ContactStatus.Active.Name() && !await HasNewAddressAsync(connection, contact, note, cancellation))
            {
                var suppressed = contact with { Status = ContactStatus.Suppressed.Name(), UpdatedAt = now };
                contacts[note.ContactId] = suppressed;
                await connection.UpdateAsync(suppressed, token: cancellation);
                await ChangeLine.AddAsync(
                    connection, suppressed, now, ContactChangeKinds.Changed, new TaskId(note.TaskId).ToString(), ChangeLine.Of(contact, suppressed), cancellation, source: ChangeLine.Mail);
                book.Touch(contact.Ordinal);
            }

            await connection.ExecuteAsync(
                "UPDATE dead_addresses SET applied_at = @now WHERE task_id = @task AND seq = @seq", cancellation,
                new DataParameter("now", now), new DataParameter("task", note.TaskId), new DataParameter("seq", note.Seq));
        }

        await book.CloseAsync(cancellation);
        return notes.Count;
    }

    /// <summary>The contact has another address by now: the one that is dead is not its own any more.</summary>
    private static async Task<bool> HasNewAddressAsync(EdmConnection connection, ContactRow contact, Note note, CancellationToken cancellation)
    {
        var since = note.At - LongestWay;
        return contact.UpdatedAt >= since && await connection.ExecuteAsync<long>(
            """
            SELECT count(*) FROM contact_changes
            WHERE user_id = @user AND contact_id = @contact AND at >= @since AND kind <> 'created' AND CAST(changes AS text) LIKE '%"email":%'
            """,
            cancellation, new DataParameter("user", contact.UserId.Value), new DataParameter("contact", contact.Id.Value), new DataParameter("since", since)) > 0;
    }

    [LoggerMessage(LogLevel.Warning, "Contacts whose mailbox does not exist can't be suppressed at the moment ({Reason}); tried again every few seconds")]
    private partial void LogFailed(string reason);

    private sealed record Note
    {
        [Column] public long TaskId { get; init; }
        [Column] public int Seq { get; init; }
        [Column] public long ContactId { get; init; }
        [Column] public long At { get; init; }
    }
}
