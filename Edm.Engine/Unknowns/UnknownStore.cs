using Edm.Contracts;
using Edm.Engine.Dispatch;
using Edm.Engine.Services;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.Unknowns;

/// <summary>Unknown outcomes over all tasks of a user, as projected: a moment behind the queues.</summary>
public sealed class UnknownStore(EdmDatabase database, SecretBox secrets)
{
    /// <returns>At most <paramref name="limit"/> that stand after <paramref name="after"/>, by task and seq.</returns>
    public async Task<IReadOnlyList<UnknownOutcome>> PageAsync(UserId user, UnknownMark after, int limit, CancellationToken cancellation)
    {
        var rows = await database.RunAsync(
            connection => connection.QueryToListAsync<Row>(
                """
                SELECT d.task_id, d.seq, d.service_id, d.last_at, d.reason, k.name AS campaign, a.contact_id, c.email, s.name AS service_name, s.sender_address
                FROM deliveries d
                JOIN tasks t ON t.id = d.task_id
                JOIN campaigns k ON k.id = t.campaign_id
                LEFT JOIN audience a ON a.task_id = d.task_id AND a.seq = d.seq
                LEFT JOIN contacts c ON c.id = a.contact_id
                LEFT JOIN services s ON s.id = d.service_id
                WHERE d.user_id = @user AND d.state = 'unknown' AND (d.task_id, d.seq) > (@task, @seq)
                ORDER BY d.task_id, d.seq LIMIT @limit
                """,
                cancellation, new DataParameter("user", user.Value), new DataParameter("task", after.Task.Value), new DataParameter("seq", after.Seq), new DataParameter("limit", limit)),
            cancellation);
        return [.. rows.Select(row => row.ToOutcome(secrets.Mark))];
    }

    public Task<int> CountAsync(UserId user, CancellationToken cancellation) => database.RunAsync(
        connection => connection.ExecuteAsync<int>(
            "SELECT count(*) FROM deliveries WHERE user_id = @user AND state = 'unknown'", cancellation, new DataParameter("user", user.Value)),
        cancellation);

    /// <summary>The unknown recipients of a task that may have gone through one service.</summary>
    public async Task<IReadOnlyList<int>> ThroughAsync(UserId user, TaskId task, ServiceId service, CancellationToken cancellation) => await database.RunAsync(
        connection => connection.QueryToListAsync<int>(
            "SELECT seq FROM deliveries WHERE user_id = @user AND state = 'unknown' AND task_id = @task AND service_id = @service ORDER BY seq",
            cancellation, new DataParameter("user", user.Value), new DataParameter("task", task.Value), new DataParameter("service", service.Value)),
        cancellation);

    private sealed class Row
    {
        [Column] public long TaskId { get; init; }
        [Column] public int Seq { get; init; }
        [Column] public long? ServiceId { get; init; }
        [Column] public long LastAt { get; init; }
        [Column] public string? Reason { get; init; }
        [Column] public string Campaign { get; init; } = "";
        [Column] public long? ContactId { get; init; }
        [Column] public string? Email { get; init; }
        [Column] public string? ServiceName { get; init; }
        [Column] public string? SenderAddress { get; init; }

        public UnknownOutcome ToOutcome(string mark) => new(
            new TaskId(TaskId), Campaign, Seq, ContactId is { } contact ? new ContactId(contact) : null, Email, ServiceId is { } id ? new ServiceId(id) : null, ServiceName,
            DateTimeOffset.FromUnixTimeMilliseconds(LastAt), Reason, SenderAddress is null ? null : MessageIds.Of(new TaskId(TaskId), Seq, mark, SenderAddress));
    }
}
