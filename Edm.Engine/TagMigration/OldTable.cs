using System.Text.Json;
using Npgsql;

namespace Edm.Engine.TagMigration;

/// <summary>
/// The old table as its server knows it. Names come from its catalogue and are quoted; values are parameters. Nothing that an operator or a row says becomes SQL.
/// </summary>
internal sealed class OldTable
{
    private readonly (string Name, string Type)[] _key;
    private readonly string? _owner;
    private readonly string _email;
    private readonly string[] _fields;

    private OldTable(uint oid, string name, string source, (string Name, string Type)[] key, (string Name, string Type) tags, string email, string? owner, (string Name, string Type)? changesBy, string[] fields)
    {
        (Oid, Name, Source, _key, Tags, TagsType, _email, _owner, ChangesBy, ChangesByType, _fields) =
            (oid, name, source, key, tags.Name, tags.Type, email, owner, changesBy?.Name, changesBy?.Type, fields);
    }

    public uint Oid { get; }

    /// <summary>Quoted, with its schema.</summary>
    public string Name { get; }

    /// <summary>Which column of which table of which database, without the way to get there; the same for every run.</summary>
    public string Source { get; }

    /// <summary>Quoted.</summary>
    public string Tags { get; }

    /// <summary>jsonb or json.</summary>
    public string TagsType { get; }

    /// <summary>Quoted.</summary>
    public string? ChangesBy { get; }

    public string? ChangesByType { get; }

    /// <summary>Quoted.</summary>
    public string? Owner => _owner;

    public IReadOnlyList<string> KeyTypes => [.. _key.Select(k => k.Type)];

    /// <summary>The columns that make a difference to EDM, quoted: those that the change of a row is told by.</summary>
    public IEnumerable<string> Watched => _key.Select(k => k.Name).Append(_email).Concat(_owner is null ? [] : [_owner]);

    /// <summary>The key of a row or record as the JSON array that names it everywhere.</summary>
    public string KeyJson(string of) => $"jsonb_build_array({string.Join(", ", _key.Select(k => $"{of}.{k.Name}::text"))})::text";

    public string KeyColumns(string of) => string.Join(", ", _key.Select(k => $"{of}.{k.Name}"));

    /// <summary>unnest of one text array a key column, in the order of the keys; gives w(k0, k1, ..., nr).</summary>
    public string KeysFrom => $"unnest({string.Join(", ", _key.Select((_, i) => $"@k{i}::text[]"))}) WITH ORDINALITY AS w({string.Join(", ", _key.Select((_, i) => $"k{i}"))}, nr)";

    public string KeysJoin => string.Join(" AND ", _key.Select((k, i) => $"t.{k.Name} = w.k{i}::{k.Type}"));

    public string After => $"({KeyColumns("t")}) > ({string.Join(", ", _key.Select((k, i) => $"@k{i}::text::{k.Type}"))})";

    /// <summary>What a row brings: owner, email, value, its size, then the mapped columns f0, f1, ...</summary>
    public string Values =>
        $"{(_owner is null ? "NULL::text" : $"t.{_owner}::text")} AS owner, t.{_email}::text AS email, t.{Tags}::text AS raw, coalesce(octet_length(t.{Tags}::text), 0)::bigint AS size" +
        string.Concat(_fields.Select((f, i) => $", t.{f}::text AS f{i}"));

    public string FieldNames => string.Concat(_fields.Select((_, i) => $", f{i}"));

    public int FieldCount => _fields.Length;

    public void AddKeys(NpgsqlCommand command, IReadOnlyList<string> keys)
    {
        var parts = keys.Select(OldRow.Parts).ToArray();
        for (var i = 0; i < _key.Length; i++)
        {
            var column = i;
            command.Parameters.AddWithValue($"k{i}", Array.ConvertAll(parts, p => p[column]));
        }
    }

    public void AddKey(NpgsqlCommand command, string key)
    {
        var parts = OldRow.Parts(key);
        for (var i = 0; i < _key.Length; i++)
        {
            command.Parameters.AddWithValue($"k{i}", parts[i]);
        }
    }

    /// <exception cref="MigrationException">A name is not there, the column holds no JSON, or the key is not unique.</exception>
    public static async Task<OldTable> FindAsync(NpgsqlConnection connection, MigrationSource source, CancellationToken cancellation)
    {
        var oid = await OidAsync(connection, source.Table, cancellation);
        var (schema, table, database) = await NameAsync(connection, oid, source.Table, cancellation);
        var columns = await ColumnsAsync(connection, oid, cancellation);
        (string Name, string Type) Column(string name, string option) =>
            columns.TryGetValue(name, out var type) ? (Quote(name), type)
            : columns.TryGetValue(name.ToLowerInvariant(), out type) ? (Quote(name.ToLowerInvariant()), type)
            : name is ['"', .., '"'] && columns.TryGetValue(name[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal), out type) ? (Quote(name[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal)), type)
            : throw new MigrationException($"{option}: the table {schema}.{table} has no column '{name}'. It has: {string.Join(", ", columns.Keys.Take(40))}.");
        var tags = Column(source.Column, "--column");
        if (tags.Type is not ("jsonb" or "json"))
        {
            throw new MigrationException($"--column: '{source.Column}' is of the type {tags.Type}. Expected jsonb or json.");
        }

        var key = source.Key.Select(k => Column(k, "--key")).ToArray();
        await RefuseLooseKeyAsync(connection, oid, key, source, cancellation);
        var host = $"{connection.Host}:{connection.Port}/{database}/{schema}.{table}.{JsonSerializer.Serialize(tags.Name.Trim('"')).Trim('"')}";
        return new OldTable(
            oid, $"{Quote(schema)}.{Quote(table)}", host, key, tags, Column(source.Email, "--email").Name,
            source.UserColumn is { } owner ? Column(owner, "--user-column").Name : null,
            source.ChangesBy is { } by ? Column(by, "--changes-by") : null,
            [.. source.Fields.Values.Select(f => Column(f, "--map").Name)]);
    }

    internal static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static async Task<uint> OidAsync(NpgsqlConnection connection, string table, CancellationToken cancellation)
    {
        // As SQL reads the name; else exactly as written, for those who leave out the quotes of a name with capitals.
        await using var command = new NpgsqlCommand(
            "SELECT coalesce(to_regclass($1)::oid, (SELECT c.oid FROM pg_class c WHERE c.relname = $1 AND pg_table_is_visible(c.oid) AND c.relkind IN ('r', 'p')))", connection)
        { Parameters = { new() { Value = table } } };
        try
        {
            return await command.ExecuteScalarAsync(cancellation) is uint oid ? oid : throw new MigrationException($"--table: there is no table {table} in the database, or this login may not see it.");
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.InvalidName or PostgresErrorCodes.SyntaxError or PostgresErrorCodes.FeatureNotSupported)
        {
            throw new MigrationException($"--table: '{table}' is no name of a table. Expected NAME, SCHEMA.NAME or \"Schema\".\"Name\".", exception);
        }
    }

    private static async Task<(string Schema, string Table, string Database)> NameAsync(NpgsqlConnection connection, uint oid, string given, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            "SELECT n.nspname::text, c.relname::text, current_database()::text, c.relkind::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1", connection)
        { Parameters = { new() { Value = oid, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Oid } } };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return reader.GetString(3) is "r" or "p"
            ? (reader.GetString(0), reader.GetString(1), reader.GetString(2))
            : throw new MigrationException($"--table: {given} is a view, or something else that is not a table. Name the table itself.");
    }

    private static async Task<Dictionary<string, string>> ColumnsAsync(NpgsqlConnection connection, uint oid, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum", connection)
        { Parameters = { new() { Value = oid, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Oid } } };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var columns = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellation))
        {
            columns[reader.GetString(0)] = reader.GetString(1);
        }

        return columns;
    }

    /// <summary>A key that is not unique would mix rows, and one without an index would read the whole table for each.</summary>
    private static async Task RefuseLooseKeyAsync(NpgsqlConnection connection, uint oid, (string Name, string Type)[] key, MigrationSource source, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT EXISTS (
              SELECT FROM pg_index i WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
                AND (SELECT array_agg(quote_ident(a.attname::text) ORDER BY a.attname) FROM pg_attribute a WHERE a.attrelid = $1 AND a.attnum = ANY((i.indkey::int2[])[0:i.indnkeyatts - 1]))
                  = (SELECT array_agg(quote_ident(k) ORDER BY k) FROM unnest($2::text[]) k)
                AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = $1 AND a.attnum = ANY((i.indkey::int2[])[0:i.indnkeyatts - 1]) AND NOT a.attnotnull))
            """, connection)
        {
            Parameters =
            {
                new() { Value = oid, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Oid },
                new() { Value = key.Select(k => k.Name[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal)).ToArray() },
            },
        };
        if (await command.ExecuteScalarAsync(cancellation) is not true)
        {
            throw new MigrationException(
                $"--key: {string.Join(", ", source.Key)} is not a key of {source.Table}: there is no unique index over exactly these columns, all NOT NULL. Name the columns of its primary key.");
        }
    }
}
