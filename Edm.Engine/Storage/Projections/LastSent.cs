using Edm.Contracts;

namespace Edm.Engine.Storage.Projections;

/// <summary>
/// Writes when a contact was last mailed into contact_activity, and says so in contact_chunks.activity, whose columns in memory are stale then. Rows are taken in the order of
/// their keys, activity before chunks: so do all who write both (a book's chunks are written at its end), and nobody waits in a circle. The book itself isn't opened:
/// a long import would hold up the counts of tasks.
/// </summary>
internal static class LastSent
{
    private const string Upsert = "ON CONFLICT (user_id, ordinal) DO UPDATE SET last_sent_at = excluded.last_sent_at WHERE contact_activity.last_sent_at < excluded.last_sent_at";

    // A contact that is gone by now has no row to join, and one that goes at this very moment leaves a row that no set of contacts holds. Each one is looked up by its key
    // (OFFSET 0 keeps PostgreSQL from making a join of it): for two thousand it would read the whole audience of all tasks instead.
    private const string Postgres = $"""
        WITH sent AS (
          SELECT c.user_id, c.ordinal, max(s.at) AS at
          FROM unnest(@task, @seq, @at) s (task, seq, at)
          CROSS JOIN LATERAL (SELECT contact_id FROM audience WHERE task_id = s.task AND seq = s.seq OFFSET 0) a
          CROSS JOIN LATERAL (SELECT user_id, ordinal FROM contacts WHERE id = a.contact_id OFFSET 0) c
          GROUP BY c.user_id, c.ordinal),
        written AS (
          INSERT INTO contact_activity (user_id, ordinal, last_sent_at) SELECT user_id, ordinal, at FROM sent ORDER BY user_id, ordinal
          {Upsert}
          RETURNING user_id, ordinal)
        SELECT DISTINCT user_id, ordinal / 8192 FROM written ORDER BY 1, 2
        """;

    private const string Sqlite = $"""
        INSERT INTO contact_activity (user_id, ordinal, last_sent_at)
        SELECT c.user_id, c.ordinal, max(s.value ->> 2)
        FROM json_each(@sent) s
        JOIN audience a ON a.task_id = s.value ->> 0 AND a.seq = s.value ->> 1
        JOIN contacts c ON c.id = a.contact_id
        WHERE true
        GROUP BY c.user_id, c.ordinal
        {Upsert}
        RETURNING user_id, ordinal / 8192
        """;

    public static async Task WriteAsync(EdmConnection connection, IReadOnlyCollection<(TaskId Task, int Seq, long AtMs)> sent, CancellationToken cancellation)
    {
        if (sent.Count == 0)
        {
            return;
        }

        var touched = new HashSet<(long User, int Chunk)>();
        var batch = new SqlBatch(connection);
        _ = connection.IsPostgres
            ? batch.Read(
                Postgres, row => touched.Add((row.GetInt64(0), row.GetInt32(1))),
                ("@task", sent.Select(s => s.Task.Value).ToArray()), ("@seq", sent.Select(s => s.Seq).ToArray()), ("@at", sent.Select(s => s.AtMs).ToArray()))
            : batch.Read(
                Sqlite, row => touched.Add((row.GetInt64(0), row.GetInt32(1))),
                ("@sent", $"[{string.Join(',', sent.Select(s => $"[{s.Task.Value},{s.Seq},{s.AtMs}]"))}]"));
        await batch.ExecuteAsync(cancellation);

        // One after the other, and not in one statement, which may take the rows in any order.
        var bump = new SqlBatch(connection);
        foreach (var (user, chunk) in touched.Order())
        {
            bump.Add("UPDATE contact_chunks SET activity = activity + 1 WHERE user_id = @user AND chunk = @chunk", ("@user", user), ("@chunk", chunk));
        }

        await bump.ExecuteAsync(cancellation);
    }
}
