using System.Data.Common;
using System.Text.Json;
using Npgsql;

namespace Edm.Engine.Storage;

/// <summary>
/// Several statements in the order in which they were added: on PostgreSQL one round trip, prepared once for each pooled connection; on SQLite, where a statement is a
/// call, one after the other. Parameters are <c>@name</c> and never null (a row of <see cref="AddRows"/> may have nulls: an array says its type). A list of numbers or texts is an array on PostgreSQL and a JSON array on SQLite: <see cref="In"/>.
/// Not thread-safe, used once.
/// </summary>
internal sealed class SqlBatch(EdmConnection connection)
{
    private readonly List<Statement> _statements = [];

    public bool IsEmpty => _statements.Count == 0;

    public bool IsPostgres => connection.IsPostgres;

    /// <summary>The right side of <c>x {In("@ids")}</c>: x is a member of the list.</summary>
    public string In(string parameter) => IsPostgres ? $"= ANY({parameter})" : $"IN (SELECT value FROM json_each({parameter}))";

    // Texts of statements are constants: each one is prepared for the life of a connection.
    public SqlBatch Add(string sql, params (string Name, object Value)[] parameters)
    {
        _statements.Add(new Statement(sql, parameters, null, null));
        return this;
    }

    /// <summary>A statement that answers rows.</summary>
    public SqlBatch Read(string sql, Action<DbDataReader> row, params (string Name, object Value)[] parameters)
    {
        _statements.Add(new Statement(sql, parameters, row, null));
        return this;
    }

    /// <summary>A statement for many rows, whose columns come as arrays of one length.</summary>
    /// <param name="postgres">Runs once and unnests the arrays.</param>
    /// <param name="sqlite">Runs once for each row.</param>
    public SqlBatch AddRows(string postgres, string sqlite, params (string Name, Array Values)[] columns)
    {
        var rows = columns[0].Values.Length;
        if (rows > 0)
        {
            _statements.Add(new Statement(IsPostgres ? postgres : sqlite, [.. columns.Select(c => (c.Name, (object)c.Values))], null, IsPostgres ? null : rows));
        }

        return this;
    }

    public async Task ExecuteAsync(CancellationToken cancellation)
    {
        if (IsEmpty)
        {
            return;
        }

        if (IsPostgres)
        {
            await ExecutePostgresAsync(cancellation);
        }
        else
        {
            ExecuteSqlite();
        }
    }

    private async Task ExecutePostgresAsync(CancellationToken cancellation)
    {
        var open = (NpgsqlConnection)await connection.OpenDbConnectionAsync(cancellation);
        await using var batch = new NpgsqlBatch(open, (NpgsqlTransaction?)connection.Transaction);
        foreach (var statement in _statements)
        {
            var command = new NpgsqlBatchCommand(statement.Sql);
            foreach (var (name, value) in statement.Parameters)
            {
                command.Parameters.Add(new NpgsqlParameter(name, value));
            }

            batch.BatchCommands.Add(command);
        }

        await batch.PrepareAsync(cancellation);
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        foreach (var statement in _statements.Where(s => s.Row is not null))
        {
            while (await reader.ReadAsync(cancellation))
            {
                statement.Row!(reader);
            }

            await reader.NextResultAsync(cancellation);
        }
    }

    // Called on the database's own threads, as all its calls block.
    private void ExecuteSqlite()
    {
        var open = connection.OpenDbConnection();
        foreach (var statement in _statements)
        {
            using var command = open.CreateCommand();
            command.Transaction = connection.Transaction;
            command.CommandText = statement.Sql;
            var parameters = statement.Parameters.Select(p =>
            {
                var parameter = command.CreateParameter();
                parameter.ParameterName = p.Name;
                parameter.Value = statement.Rows is null ? Sqlite(p.Value) : DBNull.Value;
                command.Parameters.Add(parameter);
                return parameter;
            }).ToArray();
            if (statement.Row is null)
            {
                for (var row = 0; row < (statement.Rows ?? 1); row++)
                {
                    for (var i = 0; statement.Rows is not null && i < parameters.Length; i++)
                    {
                        parameters[i].Value = ((Array)statement.Parameters[i].Value).GetValue(row) ?? DBNull.Value;
                    }

                    command.ExecuteNonQuery();
                }

                continue;
            }

            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                statement.Row(reader);
            }
        }
    }

    private static object Sqlite(object value) => value switch
    {
        long[] numbers => JsonSerializer.Serialize(numbers),
        int[] numbers => JsonSerializer.Serialize(numbers),
        string[] texts => JsonSerializer.Serialize(texts),
        _ => value,
    };

    private sealed record Statement(string Sql, (string Name, object Value)[] Parameters, Action<DbDataReader>? Row, int? Rows);
}
