using Edm.Contracts;
using Edm.Engine.Campaigns;
using LinqToDB;
using LinqToDB.Data;
using Npgsql;
using NpgsqlTypes;

namespace Edm.Engine.Storage.Projections;

/// <summary>An event of a UserQueue and its place in the journal.</summary>
public sealed record ProjectedEvent(UserId User, IUserQueueEvent Event, long Offset);

/// <summary>Writes what UserQueue events say into <c>deliveries</c> and <c>tasks</c>, together with how far it has read: each event counts exactly once.</summary>
public sealed class DeliveriesStore(EdmDatabase database)
{
    /// <summary>Its row in <c>projection_offsets</c>.</summary>
    public const string Name = "deliveries";

    /// <returns>The offset of the last event applied; 0 when there is none.</returns>
    public Task<long> OffsetAsync(CancellationToken cancellation) => database.RunAsync(
        connection => connection.ExecuteAsync<long>(
            "SELECT COALESCE((SELECT position FROM projection_offsets WHERE name = @name), 0)", cancellation, new DataParameter("name", Name)),
        cancellation);

    /// <param name="events">In the order of the journal. Those that were applied before, by another projection that was still running, change nothing.</param>
    /// <param name="position">How far the journal has been read: at or behind the last of the events.</param>
    public Task ApplyAsync(IReadOnlyList<ProjectedEvent> events, long position, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(events);
        return database.WriteAsync(
            async connection =>
            {
                var applied = await LockOffsetAsync(connection, cancellation);
                var changes = new DeliveryChanges();
                foreach (var fresh in events.Where(e => e.Offset > applied))
                {
                    changes.Add(fresh.User, fresh.Event);
                }

                await WriteAsync(connection, changes, cancellation);
                await connection.ExecuteAsync(
                    "UPDATE projection_offsets SET position = @position WHERE name = @name",
                    cancellation, new DataParameter("name", Name), new DataParameter("position", Math.Max(applied, position)));
            },
            cancellation);
    }

    private static async Task WriteAsync(EdmConnection connection, DeliveryChanges changes, CancellationToken cancellation)
    {
        var sent = await RowMoves.WriteAsync(connection, changes.Tasks.Select(t => (t.Key, (IReadOnlyList<RowMove>)t.Value.Moves)), cancellation);
        if (connection.IsPostgres)
        {
            await WriteDeliveriesPostgresAsync(connection, changes, cancellation);
        }
        else
        {
            WriteDeliveriesSqlite(connection, changes);
        }

        await LastSent.WriteAsync(
            connection,
            [.. sent, .. changes.Deliveries.Where(d => d.Value.Last.State == RecipientState.Sent).Select(d => (d.Key.Task, d.Key.Seq, d.Value.Last.Outcome.AtMs))],
            cancellation);
        await DeadAddresses.WriteAsync(connection, changes.Deliveries, cancellation);
        await TaskRows.WriteAsync(connection, changes.Tasks, cancellation);
    }

    /// <summary>Takes the offset's row, so that two projections that overlap for a moment follow each other.</summary>
    private static async Task<long> LockOffsetAsync(EdmConnection connection, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(
            "INSERT INTO projection_offsets (name, position) VALUES (@name, 0) ON CONFLICT (name) DO NOTHING", cancellation, new DataParameter("name", Name));
        return await connection.ExecuteAsync<long>(
            $"SELECT position FROM projection_offsets WHERE name = @name{(connection.IsPostgres ? " FOR UPDATE" : "")}", cancellation, new DataParameter("name", Name));
    }

    private const string Upsert = """
        ON CONFLICT (task_id, seq) DO UPDATE SET
          state = excluded.state, attempts = deliveries.attempts + excluded.attempts, service_id = excluded.service_id, reply_code = excluded.reply_code,
          enhanced = excluded.enhanced, reply = excluded.reply, reason = excluded.reason, class = excluded.class, last_at = excluded.last_at, due_at = excluded.due_at,
          score = excluded.score, runner_up_id = excluded.runner_up_id, runner_up_score = excluded.runner_up_score
        """;

    /// <summary>One statement for thousands of rows: the columns travel as arrays.</summary>
    private static async Task WriteDeliveriesPostgresAsync(EdmConnection connection, DeliveryChanges changes, CancellationToken cancellation)
    {
        if (changes.Deliveries.Count == 0)
        {
            return;
        }

        // The order of the key: two projections that overlap for a moment can't deadlock.
        var rows = changes.Deliveries.OrderBy(d => (d.Key.Task.Value, d.Key.Seq)).ToArray();
        await using var command = new NpgsqlCommand(
            $"""
            INSERT INTO deliveries (task_id, seq, user_id, state, attempts, service_id, reply_code, enhanced, reply, reason, class, first_at, last_at, due_at, score, runner_up_id, runner_up_score)
            SELECT * FROM unnest(@task, @seq, @user, @state, @attempts, @service, @code, @enhanced, @reply, @reason, @class, @first, @last, @due, @score, @runner, @runnerscore)
            {Upsert}
            """,
            (NpgsqlConnection)await connection.OpenDbConnectionAsync(cancellation),
            (NpgsqlTransaction?)connection.Transaction);
        void Add<T>(string name, NpgsqlDbType type, Func<KeyValuePair<(TaskId Task, int Seq), DeliveryChange>, T> column) =>
            command.Parameters.Add(new NpgsqlParameter(name, NpgsqlDbType.Array | type) { Value = rows.Select(column).ToArray() });

        Add("task", NpgsqlDbType.Bigint, r => r.Key.Task.Value);
        Add("seq", NpgsqlDbType.Integer, r => r.Key.Seq);
        Add("user", NpgsqlDbType.Bigint, r => r.Value.User.Value);
        Add("state", NpgsqlDbType.Text, r => r.Value.Last.State.Name());
        Add("attempts", NpgsqlDbType.Integer, r => r.Value.Attempts);
        Add("service", NpgsqlDbType.Bigint, r => r.Value.Last.Outcome.Service?.Value);
        Add("code", NpgsqlDbType.Integer, r => r.Value.Last.Outcome.ReplyCode);
        Add("enhanced", NpgsqlDbType.Text, r => r.Value.Last.Outcome.Enhanced);
        Add("reply", NpgsqlDbType.Text, r => r.Value.Last.Outcome.Reply);
        Add("reason", NpgsqlDbType.Text, r => r.Value.Last.Outcome.Reason);
        Add("class", NpgsqlDbType.Text, r => r.Value.Class);
        Add("first", NpgsqlDbType.Bigint, r => r.Value.FirstAtMs);
        Add("last", NpgsqlDbType.Bigint, r => r.Value.Last.Outcome.AtMs);
        Add("due", NpgsqlDbType.Bigint, r => r.Value.Last.DueMs);
        Add("score", NpgsqlDbType.Smallint, r => (short?)r.Value.Last.Outcome.Choice?.Score);
        Add("runner", NpgsqlDbType.Bigint, r => r.Value.Last.Outcome.Choice?.RunnerUp?.Value);
        Add("runnerscore", NpgsqlDbType.Smallint, r => (short?)r.Value.Last.Outcome.Choice?.RunnerUpScore);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private static readonly string[] SqliteParameters =
        ["$task", "$seq", "$user", "$state", "$attempts", "$service", "$code", "$enhanced", "$reply", "$reason", "$class", "$first", "$last", "$due",
         "$score", "$runner", "$runnerscore"];

    // One prepared statement; the transaction around it makes the rows cheap. Called on the database's own threads, as all its calls block.
    private static void WriteDeliveriesSqlite(EdmConnection connection, DeliveryChanges changes)
    {
        using var command = connection.OpenDbConnection().CreateCommand();
        command.Transaction = connection.Transaction;
        command.CommandText =
            $"""
            INSERT INTO deliveries (task_id, seq, user_id, state, attempts, service_id, reply_code, enhanced, reply, reason, class, first_at, last_at, due_at, score, runner_up_id, runner_up_score)
            VALUES ($task, $seq, $user, $state, $attempts, $service, $code, $enhanced, $reply, $reason, $class, $first, $last, $due, $score, $runner, $runnerscore)
            {Upsert}
            """;
        var parameters = SqliteParameters.Select(name =>
            {
                var parameter = command.CreateParameter();
                parameter.ParameterName = name;
                command.Parameters.Add(parameter);
                return parameter;
            }).ToArray();
        foreach (var (key, change) in changes.Deliveries)
        {
            var outcome = change.Last.Outcome;
            object?[] values =
            [
                key.Task.Value, key.Seq, change.User.Value, change.Last.State.Name(), change.Attempts, outcome.Service?.Value, outcome.ReplyCode, outcome.Enhanced,
                outcome.Reply, outcome.Reason, change.Class, change.FirstAtMs, outcome.AtMs, change.Last.DueMs,
                outcome.Choice?.Score, outcome.Choice?.RunnerUp?.Value, outcome.Choice?.RunnerUpScore,
            ];
            for (var i = 0; i < values.Length; i++)
            {
                parameters[i].Value = values[i] ?? DBNull.Value;
            }

            command.ExecuteNonQuery();
        }
    }
}
