using System.Data.Common;
using System.Globalization;
using System.Text;
using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;

namespace Edm.Engine.Contacts.Filters.Columns;

/// <summary>Reads columns of contacts out of the database, many chunks in one statement. A million contacts take half a second to a second.</summary>
internal static class ColumnReader
{
    /// <summary>Stretches of chunks to read; past this many, what lies between is read too.</summary>
    private const int MaxRuns = 64;

    private const int TimeoutSeconds = 60;

    /// <param name="chunks">Ascending.</param>
    public static async Task<IReadOnlyList<ColumnChunk>> ReadAsync(
        EdmConnection connection, UserId user, FilterField field, IReadOnlyList<int> chunks, CancellationToken cancellation)
    {
        var builders = chunks.ToDictionary(chunk => chunk, _ => field.IsText ? (ColumnBuilder)new TextColumnBuilder() : new NumberColumnBuilder());
        var database = await connection.OpenDbConnectionAsync(cancellation);
        await using var command = database.CreateCommand();
        command.Transaction = (DbTransaction?)connection.Transaction;
        command.CommandTimeout = TimeoutSeconds;
        // PostgreSQL would compile each stretch first, since a million rows cost much: 5 s where reading them takes 0.4 s.
        command.CommandText = (connection.IsPostgres ? "SET LOCAL jit = off; " : "") + Sql(field, Runs(chunks));
        Add(command, "user", user.Value);
        if (field.IsAttribute)
        {
            Add(command, "name", field.Name);
        }

        await using var reader = await command.ExecuteReaderAsync(cancellation);
        if (field.IsText)
        {
            await TextsAsync(reader, field, builders, cancellation);
        }
        else
        {
            await NumbersAsync(reader, field, builders, cancellation);
        }

        return [.. chunks.Select(chunk => builders[chunk].Build())];
    }

    private static async Task TextsAsync(DbDataReader reader, FilterField field, Dictionary<int, ColumnBuilder> builders, CancellationToken cancellation)
    {
        // Few texts occur often: lowered once, and one string for all chunks.
        var lowered = new Dictionary<string, string>(StringComparer.Ordinal);
        var (last, builder) = (-1, (TextColumnBuilder?)null);
        while (await reader.ReadAsync(cancellation))
        {
            var ordinal = reader.GetInt32(0);
            var text = reader.GetString(1);
            if (field.Kind == FilterFieldKind.Domain)
            {
                text = text[(text.LastIndexOf('@') + 1)..];
            }

            if (text.Length == 0 || Builder(ordinal) is null)
            {
                continue;
            }

            if (!lowered.TryGetValue(text, out var lower))
            {
                lower = ContactFilterSql.AsciiLower(text);
                if (lowered.Count < ContactChunk.Size)
                {
                    lowered.Add(text, lower);
                }
            }

            builder!.Add(ordinal % ContactChunk.Size, lower);
        }

        TextColumnBuilder? Builder(int ordinal)
        {
            if (ContactChunk.Of(ordinal) is var chunk && chunk != last)
            {
                (last, builder) = (chunk, (TextColumnBuilder?)builders.GetValueOrDefault(chunk));
            }

            return builder;
        }
    }

    private static async Task NumbersAsync(DbDataReader reader, FilterField field, Dictionary<int, ColumnBuilder> builders, CancellationToken cancellation)
    {
        var (last, builder) = (-1, (NumberColumnBuilder?)null);
        while (await reader.ReadAsync(cancellation))
        {
            var ordinal = reader.GetInt32(0);
            if (ContactChunk.Of(ordinal) is var chunk && chunk != last)
            {
                (last, builder) = (chunk, (NumberColumnBuilder?)builders.GetValueOrDefault(chunk));
            }

            if (builder is not null && Number(reader, field) is { } number)
            {
                builder.Add(ordinal % ContactChunk.Size, number);
            }
        }
    }

    private static long? Number(DbDataReader reader, FilterField field) => field.Kind switch
    {
        FilterFieldKind.AttributeNumber => AttributeValue.TryNumber(reader.GetString(1), out var number) ? AttributeValue.Sortable(number) : null,
        FilterFieldKind.AttributeDay => AttributeValue.TryDay(reader.GetString(1), out var day) ? day : null,
        _ => reader.GetInt64(1),
    };

    private static string Sql(FilterField field, IReadOnlyList<(int First, int Last)> runs)
    {
        var table = field.IsActivity ? "contact_activity" : "contacts";
        var value = field.IsAttribute ? "attributes ->> @name" : field.Column;
        var sql = new StringBuilder();
        foreach (var (first, last) in runs)
        {
            // The numbers are ours.
            sql.Append(sql.Length == 0 ? "" : " UNION ALL ").Append(
                CultureInfo.InvariantCulture,
                $"SELECT ordinal, {value} FROM {table} WHERE user_id = @user AND ordinal >= {ContactChunk.First(first)} AND ordinal <= {ContactChunk.First(last) + ContactChunk.Size - 1} AND {value} IS NOT NULL");
        }

        return sql.ToString();
    }

    private static List<(int First, int Last)> Runs(IReadOnlyList<int> chunks)
    {
        for (var gap = 1; ; gap *= 4)
        {
            var runs = new List<(int First, int Last)>();
            foreach (var chunk in chunks)
            {
                if (runs.Count > 0 && chunk - runs[^1].Last <= gap)
                {
                    runs[^1] = (runs[^1].First, chunk);
                }
                else
                {
                    runs.Add((chunk, chunk));
                }
            }

            if (runs.Count <= MaxRuns)
            {
                return runs;
            }
        }
    }

    private static void Add(DbCommand command, string name, object value)
    {
        var parameter = command.CreateParameter();
        parameter.ParameterName = name;
        parameter.Value = value;
        command.Parameters.Add(parameter);
    }
}
