using Edm.Contracts;

namespace Edm.Engine.Storage.Projections;

/// <summary>
/// Notes the contacts of whom a server said for good that there is no such mailbox. Their suppression comes a moment later, from what is noted here: it needs the lock of
/// the user's contacts, which a long import may hold, and the counts of tasks must not wait for that.
/// </summary>
internal static class DeadAddresses
{
    // A task that is gone by now has no audience, and nothing is noted.
    private const string Columns = "INSERT INTO dead_addresses (task_id, seq, user_id, contact_id, reply_code, enhanced, reply, at)";
    private const string Upsert = """
        ON CONFLICT (task_id, seq) DO UPDATE SET
          reply_code = excluded.reply_code, enhanced = excluded.enhanced, reply = excluded.reply, at = excluded.at, applied_at = NULL
        """;

    public static Task WriteAsync(EdmConnection connection, IReadOnlyDictionary<(TaskId Task, int Seq), DeliveryChange> deliveries, CancellationToken cancellation)
    {
        var dead = deliveries.Where(d => d.Value.Last is { State: RecipientState.Failed, Outcome.Suppress: true }).OrderBy(d => (d.Key.Task.Value, d.Key.Seq)).ToArray();
        return new SqlBatch(connection).AddRows(
            $"""
            {Columns}
            SELECT a.task_id, a.seq, n.by_user, a.contact_id, n.code, n.enhanced, n.reply, n.at
            FROM unnest(@task, @seq, @user, @code, @enhanced, @reply, @at) n (task, seq, by_user, code, enhanced, reply, at)
            CROSS JOIN LATERAL (SELECT task_id, seq, contact_id FROM audience WHERE task_id = n.task AND seq = n.seq OFFSET 0) a
            {Upsert}
            """,
            $"""
            {Columns}
            SELECT a.task_id, a.seq, @user, a.contact_id, @code, @enhanced, @reply, @at FROM audience a WHERE a.task_id = @task AND a.seq = @seq
            {Upsert}
            """,
            ("@task", dead.Select(d => d.Key.Task.Value).ToArray()), ("@seq", dead.Select(d => d.Key.Seq).ToArray()), ("@user", dead.Select(d => d.Value.User.Value).ToArray()),
            ("@code", dead.Select(d => d.Value.Last.Outcome.ReplyCode).ToArray()), ("@enhanced", dead.Select(d => d.Value.Last.Outcome.Enhanced).ToArray()),
            ("@reply", dead.Select(d => d.Value.Last.Outcome.Reply).ToArray()), ("@at", dead.Select(d => d.Value.Last.Outcome.AtMs).ToArray())).ExecuteAsync(cancellation);
    }
}
