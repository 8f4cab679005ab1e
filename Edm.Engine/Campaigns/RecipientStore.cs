using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.Campaigns;

/// <summary>The recipients of a task with the person and the last outcome. Whether the task is the user's own is the caller's to know.</summary>
public sealed class RecipientStore(EdmDatabase database)
{
    private const string Columns =
        """
        SELECT a.seq, a.contact_id, c.email, d.state, coalesce(d.attempts, 0) AS attempts, d.service_id, d.reply_code, d.enhanced, d.reply, d.reason, d.class,
          d.first_at, d.last_at, d.due_at, d.score, d.runner_up_id, d.runner_up_score
        FROM audience a
        LEFT JOIN contacts c ON c.id = a.contact_id
        LEFT JOIN deliveries d ON d.task_id = a.task_id AND d.seq = a.seq
        """;

    /// <returns>By seq; one that is not in the audience is not there.</returns>
    public async Task<IReadOnlyDictionary<int, RecipientRecord>> FindAsync(TaskId task, IReadOnlyList<int> seqs, CancellationToken cancellation)
    {
        if (seqs.Count == 0)
        {
            return new Dictionary<int, RecipientRecord>();
        }

        var rows = await database.RunAsync(
            connection => connection.QueryToListAsync<RecipientRow>(
                $"{Columns} WHERE a.task_id = @task AND a.seq {SeqList.In(connection)}",
                cancellation, new DataParameter("task", task.Value), SeqList.Parameter(connection, seqs)),
            cancellation);
        return rows.ToDictionary(row => row.Seq, row => row.ToRecord());
    }

    /// <summary>For a task whose UserQueue does not know it: one that is not launched yet, or that was archived.</summary>
    /// <param name="state">Null for all.</param>
    /// <param name="without">The state of recipients that have had no outcome.</param>
    /// <returns>At most <paramref name="limit"/> with seqs above <paramref name="after"/>, ascending.</returns>
    public async Task<IReadOnlyList<RecipientRecord>> PageAsync(
        TaskId task, RecipientState? state, RecipientState without, int after, int limit, CancellationToken cancellation)
    {
        var rows = await database.RunAsync(
            connection => connection.QueryToListAsync<RecipientRow>(
                $"""
                 {Columns}
                 WHERE a.task_id = @task AND a.seq > @after AND (@state = '' OR coalesce(d.state, @without) = @state)
                 ORDER BY a.seq LIMIT @limit
                 """,
                cancellation,
                new DataParameter("task", task.Value), new DataParameter("after", after), new DataParameter("limit", limit),
                new DataParameter("state", state?.Name() ?? "", DataType.Text), new DataParameter("without", without.Name(), DataType.Text)),
            cancellation);
        return [.. rows.Select(row => row.ToRecord())];
    }

    private sealed class RecipientRow
    {
        [Column] public int Seq { get; init; }
        [Column] public long ContactId { get; init; }
        [Column] public string? Email { get; init; }
        [Column] public string? State { get; init; }
        [Column] public int Attempts { get; init; }
        [Column] public long? ServiceId { get; init; }
        [Column] public int? ReplyCode { get; init; }
        [Column] public string? Enhanced { get; init; }
        [Column] public string? Reply { get; init; }
        [Column] public string? Reason { get; init; }
        [Column] public string? Class { get; init; }
        [Column] public long? FirstAt { get; init; }
        [Column] public long? LastAt { get; init; }
        [Column] public long? DueAt { get; init; }
        [Column] public int? Score { get; init; }
        [Column] public long? RunnerUpId { get; init; }
        [Column] public int? RunnerUpScore { get; init; }

        public RecipientRecord ToRecord() => new(
            Seq, new ContactId(ContactId), Email, StateOf(), Attempts, ServiceId is { } id ? new ServiceId(id) : null, ReplyCode, Enhanced, Reply, Reason, Class,
            At(FirstAt), At(LastAt), At(DueAt),
            Score is { } score ? new Choice(score, RunnerUpId is { } runnerUp ? new ServiceId(runnerUp) : null, RunnerUpScore) : null);

        private RecipientState? StateOf() => State is null ? null
            : RecipientStates.TryParse(State, out var state) ? state
            : throw new InvalidOperationException($"A delivery has the unknown state '{State}'.");

        private static DateTimeOffset? At(long? milliseconds) => milliseconds is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;
    }
}
