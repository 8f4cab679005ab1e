using Edm.Contracts;

namespace Edm.Engine.Storage.Projections;

/// <summary>Rows of one task that change without a try: those of these recipients, or all that are in one state.</summary>
/// <param name="Seqs">Ascending; null: all that are in <paramref name="From"/>.</param>
/// <param name="Note">Is put before the row's reason; null: the reason stays as it is.</param>
internal sealed record RowMove(SeqRange[]? Seqs, RecipientState? From, RecipientState To, string? Note = null)
{
    public bool Concerns(int seq, RecipientState state) => Seqs is null ? state == From : Contains(Seqs, seq);

    public string? Reason(string? before) => Note is null ? before : before is null ? Note : $"{Note}; before: {before}";

    private static bool Contains(SeqRange[] seqs, int seq)
    {
        var (low, high) = (0, seqs.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (seqs[middle].Contains(seq))
            {
                return true;
            }

            (low, high) = seqs[middle].Last < seq ? (middle + 1, high) : (low, middle - 1);
        }

        return false;
    }
}

/// <summary>
/// Writes moves into the rows that were there before this run of events, in the order of the moves and before the rows of the run are written. A recipient without a row
/// has had no outcome, and needs none.
/// </summary>
internal static class RowMoves
{
    /// <returns>Of recipients that are sent now, when that was: at their last try.</returns>
    public static async Task<IReadOnlyCollection<(TaskId Task, int Seq, long AtMs)>> WriteAsync(
        EdmConnection connection, IEnumerable<(TaskId Task, IReadOnlyList<RowMove> Moves)> tasks, CancellationToken cancellation)
    {
        var sent = new List<(TaskId, int, long)>();
        foreach (var (task, moves) in tasks.Where(t => t.Moves.Count > 0))
        {
            await WriteAsync(connection, task, moves, sent, cancellation);
        }

        return sent;
    }

    private static async Task WriteAsync(
        EdmConnection connection, TaskId task, IReadOnlyList<RowMove> moves, List<(TaskId Task, int Seq, long AtMs)> sent, CancellationToken cancellation)
    {
        var batch = new SqlBatch(connection);
        foreach (var move in moves)
        {
            if (move.Seqs is { } seqs)
            {
                Move(batch, task, seqs, move);
                if (move.To == RecipientState.Sent)
                {
                    ReadTimes(batch, task, seqs, sent);
                }
            }
            else if (move.From is { } from)
            {
                batch.Add(
                    "UPDATE deliveries SET state = @to, due_at = NULL WHERE task_id = @task AND state = @from",
                    ("@to", move.To.Name()), ("@task", task.Value), ("@from", from.Name()));
            }
        }

        await batch.ExecuteAsync(cancellation);
    }

    private static void Move(SqlBatch batch, TaskId task, SeqRange[] seqs, RowMove move) => batch.AddRows(
        """
        UPDATE deliveries d
        SET state = m.state, due_at = NULL, reason = CASE WHEN m.note = '' THEN reason WHEN reason IS NULL THEN m.note ELSE m.note || '; before: ' || reason END
        FROM unnest(@task, @first, @last, @to, @note) m (task, first_seq, last_seq, state, note)
        WHERE d.task_id = m.task AND d.seq BETWEEN m.first_seq AND m.last_seq
        """,
        """
        UPDATE deliveries
        SET state = @to, due_at = NULL, reason = CASE WHEN @note = '' THEN reason WHEN reason IS NULL THEN @note ELSE @note || '; before: ' || reason END
        WHERE task_id = @task AND seq BETWEEN @first AND @last
        """,
        ("@task", Same(task.Value, seqs)), ("@first", seqs.Select(r => r.First).ToArray()), ("@last", seqs.Select(r => r.Last).ToArray()),
        ("@to", Same(move.To.Name(), seqs)), ("@note", Same(move.Note ?? "", seqs)));

    private static void ReadTimes(SqlBatch batch, TaskId task, SeqRange[] seqs, List<(TaskId Task, int Seq, long AtMs)> sent)
    {
        foreach (var range in seqs)
        {
            batch.Read(
                "SELECT seq, last_at FROM deliveries WHERE task_id = @task AND seq BETWEEN @first AND @last",
                row => sent.Add((task, row.GetInt32(0), row.GetInt64(1))),
                ("@task", task.Value), ("@first", range.First), ("@last", range.Last));
        }
    }

    private static T[] Same<T>(T value, SeqRange[] seqs)
    {
        var values = new T[seqs.Length];
        Array.Fill(values, value);
        return values;
    }
}
