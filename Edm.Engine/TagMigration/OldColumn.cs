using Npgsql;

namespace Edm.Engine.TagMigration;

/// <summary>Writes the old column.</summary>
internal static class OldColumn
{
    /// <summary>One transaction; rows that have the value already, or are gone, are left alone.</summary>
    /// <returns>How many rows were changed.</returns>
    public static async Task<int> WriteAsync(OldTable table, NpgsqlConnection connection, IReadOnlyList<(string Key, string? Value)> rows, CancellationToken cancellation)
    {
        if (rows.Count == 0)
        {
            return 0;
        }

        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await OldDatabase.ExecuteAsync(connection, $"SET LOCAL {ChangeCapture.WritingBack} = 'on'", cancellation);
        await using var command = new NpgsqlCommand(
            $"""
            UPDATE {table.Name} t SET {table.Tags} = v.value::{table.TagsType}
            FROM {table.KeysFrom} JOIN unnest(@values::text[]) WITH ORDINALITY AS v(value, nr) ON v.nr = w.nr
            WHERE {table.KeysJoin} AND t.{table.Tags}::text IS DISTINCT FROM v.value
            """, connection)
        { CommandTimeout = 0, Parameters = { new("values", rows.Select(r => r.Value).ToArray()) } };
        table.AddKeys(command, [.. rows.Select(r => r.Key)]);
        var changed = await command.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return changed;
    }
}
