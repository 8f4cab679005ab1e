using Edm.Contracts;
using Edm.Engine.Campaigns;

namespace Edm.Engine.Storage.Projections;

/// <summary>Writes what a run of events did to each task: one statement for all of them, as with many users a run is about many tasks.</summary>
internal static class TaskRows
{
    // What stays as it is has no value in its column. A cap or a time that is taken away is -1, a task that is not finished any more was finished at 0.
    private const string Changes = """
        sent = sent + n_sent, failed = failed + n_failed, skipped = skipped + n_skipped, unknown = unknown + n_unknown,
        state = CASE
          WHEN n_state = '' OR (state = 'cancelled' AND n_state = 'finished' AND n_reopened = 0) THEN state
          WHEN n_state = 'reopened' THEN CASE WHEN state = 'finished' THEN 'running' ELSE state END
          ELSE n_state END,
        finished_at = CASE WHEN n_finished = 0 THEN NULL ELSE coalesce(n_finished, finished_at) END,
        priority = coalesce(n_priority, priority),
        cap = CASE WHEN n_cap = -1 THEN NULL ELSE coalesce(n_cap, cap) END,
        unknown_policy = coalesce(n_policy, unknown_policy),
        max_attempts = coalesce(n_attempts, max_attempts), max_age = coalesce(n_age, max_age),
        send_within = CASE WHEN n_within = -1 THEN NULL ELSE coalesce(n_within, send_within) END,
        wanted_nr = coalesce(n_wanted, wanted_nr)
        """;

    private const string Columns = "n_id, n_sent, n_failed, n_skipped, n_unknown, n_state, n_reopened, n_finished, n_priority, n_cap, n_policy, n_attempts, n_age, n_within, n_wanted";

    private const string Parameters = "@id, @sent, @failed, @skipped, @unknown, @state, @reopened, @finished, @priority, @cap, @policy, @attempts, @age, @within, @wanted";

    private const string Postgres = $"UPDATE tasks SET {Changes} FROM unnest({Parameters}) n ({Columns}) WHERE id = n_id";

    private const string Sqlite = $"WITH n ({Columns}) AS (VALUES ({Parameters})) UPDATE tasks SET {Changes} FROM n WHERE id = n_id";

    public static Task WriteAsync(EdmConnection connection, IReadOnlyDictionary<TaskId, TaskChange> changes, CancellationToken cancellation)
    {
        var tasks = changes.OrderBy(t => t.Key.Value).ToArray();
        return new SqlBatch(connection).AddRows(
            Postgres,
            Sqlite,
            ("@id", Column(t => t.Key.Value)), ("@sent", Column(t => t.Value.Sent)), ("@failed", Column(t => t.Value.Failed)), ("@skipped", Column(t => t.Value.Skipped)),
            ("@unknown", Column(t => t.Value.Unknown)), ("@state", Column(t => t.Value.State ?? "")), ("@reopened", Column(t => t.Value.IsReopened ? 1 : 0)),
            ("@finished", Column(t => t.Value.FinishedAtMs)), ("@priority", Column(t => t.Value.Priority)), ("@cap", Column(t => t.Value.Cap is { } cap ? cap.Most ?? -1 : (int?)null)),
            ("@policy", Column(t => UnknownPolicies.Name(t.Value.Policy))), ("@attempts", Column(t => t.Value.Retry?.MaxAttempts)), ("@age", Column(t => t.Value.Retry?.MaxAgeSeconds)),
            ("@within", Column(t => t.Value.Retry is { } retry ? retry.SendWithinSeconds ?? -1 : (int?)null)), ("@wanted", Column(t => t.Value.WantedNr))).ExecuteAsync(cancellation);

        T[] Column<T>(Func<KeyValuePair<TaskId, TaskChange>, T> of) => [.. tasks.Select(of)];
    }
}
