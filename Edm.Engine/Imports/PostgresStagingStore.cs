using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using Npgsql;
using NpgsqlTypes;

namespace Edm.Engine.Imports;

/// <summary>
/// Stages by COPY in temporary tables of one session, which are not logged and vanish with the session; so does the advisory lock that says that the import is
/// alive. The session is idle, and in no transaction, while the upload is slow.
/// </summary>
internal sealed class PostgresStagingStore : IStagingStore
{
    private const int ChunkRows = 20_000;

    /// <summary>"EDM" and a one, above the import's number: the key of the lock that its process holds.</summary>
    private const long ClaimSpace = 0x45444D01L << 32;

    /// <summary>A statement goes over 20 million rows at most, and a busy server is no reason to throw a long upload away.</summary>
    private const int PatientSeconds = 1800;

    private const string Columns = "email, email_key, handle, nickname, followers, country, language, category, bio, attributes";

    private const string CreateSql = """
        CREATE TEMP TABLE staged (nr bigint, email text, email_key text, handle text, nickname text, followers bigint, country text, language text,
          category text, bio text, attributes jsonb);
        CREATE TEMP TABLE staged_problem (nr bigint, line bigint, field text, value text, reason text);
        """;

    // For one sort or hash table at a time; one import at most doubles what a session may take by default.
    private const string DoublesSql = """
        SET work_mem = '64MB';
        CREATE TEMP TABLE staged_double AS SELECT email_key FROM staged GROUP BY email_key HAVING count(*) > 1;
        """;

    /// <summary>Folds the rows of one address in the order of the file, at constant memory.</summary>
    private static readonly string FoldSql = $"""
        CREATE OR REPLACE FUNCTION pg_temp.later(anyelement, anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE AS 'SELECT coalesce($2, $1)';
        CREATE OR REPLACE AGGREGATE pg_temp.newest(anyelement) (SFUNC = pg_temp.later, STYPE = anyelement);
        CREATE OR REPLACE FUNCTION pg_temp.merge(jsonb, jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT {Merged("$1", "$2")}';
        CREATE OR REPLACE AGGREGATE pg_temp.merged(jsonb) (SFUNC = pg_temp.merge, STYPE = jsonb, INITCOND = '{"{}"}');
        WITH doubled AS (DELETE FROM staged s USING staged_double d WHERE s.email_key = d.email_key RETURNING s.*)
        INSERT INTO staged (nr, email_key, email, {string.Join(", ", Staging.Fields)}, attributes)
        SELECT min(nr), email_key, pg_temp.newest(email ORDER BY nr), {string.Join(", ", Staging.Fields.Select(f => $"pg_temp.newest({f} ORDER BY nr)"))},
          pg_temp.merged(attributes ORDER BY nr)
        FROM doubled GROUP BY email_key;
        """;

    // Always through the unique index: a chunk is small against the contacts, and a plan from before the first chunks thinks there are none.
    private const string PlanSql = """
        CREATE INDEX ON staged (nr);
        ANALYZE staged;
        SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off;
        """;

    private static readonly string Newest = string.Join(", ", Staging.Fields.Select(f => $"{f} = coalesce(s.{f}, c.{f})"));

    private static readonly string Changes =
        string.Join(" OR ", Staging.Fields.Select(f => $"(s.{f} IS NOT NULL AND s.{f} IS DISTINCT FROM c.{f})")) + " OR NOT c.attributes @> s.attributes";

    /// <summary>No ON CONFLICT: whoever adds contacts of this user waits for the book, which the transaction holds.</summary>
    private static readonly string MergeSql = $"""
        WITH chunk AS MATERIALIZED (
          SELECT s.*, c.id AS contact, c.id IS NOT NULL AND ({Changes}) AS is_changed
          FROM staged s LEFT JOIN contacts c ON c.user_id = $1 AND c.email_key = s.email_key WHERE s.nr > $2 AND s.nr <= $3),
        updated AS (
          UPDATE contacts c SET {Newest}, attributes = {Merged("c.attributes", "s.attributes")}, updated_at = $4
          FROM chunk s WHERE c.id = s.contact AND s.is_changed RETURNING c.ordinal),
        created AS (
          INSERT INTO contacts (user_id, ordinal, {Columns}, status, created_at, updated_at)
          SELECT $1, $5 + row_number() OVER (ORDER BY nr) - 1, {Columns}, 'active', $4, $4 FROM chunk WHERE contact IS NULL ORDER BY nr RETURNING 1)
        SELECT (SELECT count(*) FROM chunk), (SELECT count(*) FROM created), (SELECT count(*) FROM updated), (SELECT array_agg(DISTINCT ordinal) FROM updated)
        """;

    private readonly EdmConnection _edm;
    private readonly NpgsqlConnection _connection;
    private readonly TimeProvider _time;

    private PostgresStagingStore(EdmConnection edm, NpgsqlConnection connection, TimeProvider time, ImportId import)
    {
        _edm = edm;
        _connection = connection;
        _time = time;
        Import = import;
    }

    public ImportId Import { get; }

    public static async Task<PostgresStagingStore> BeginAsync(EdmDatabase database, TimeProvider time, UserId user, string fileName, CancellationToken cancellation)
    {
        var edm = database.Open();
        try
        {
            var connection = (NpgsqlConnection)await edm.OpenDbConnectionAsync(cancellation);
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            await using var insert = new NpgsqlCommand(ImportStore.InsertSql, connection, transaction);
            foreach (var parameter in ImportStore.InsertParameters(user, fileName, time))
            {
                insert.Parameters.AddWithValue(parameter.Name!, parameter.Value!);
            }

            var import = new ImportId((long)(await insert.ExecuteScalarAsync(cancellation))!);
            // Before others can see the row, or they would take the import for a dead one.
            await ExecuteAsync(connection, $"SELECT pg_advisory_lock({ClaimOf(import)}); {CreateSql}", cancellation);
            // Not to be broken off: a commit that may have happened would leave an import that nobody marks as failed.
            await transaction.CommitAsync(CancellationToken.None);
            return new PostgresStagingStore(edm, connection, time, import);
        }
        catch
        {
            await edm.DisposeAsync();
            throw;
        }
    }

    public static long ClaimOf(ImportId import) => ClaimSpace | (import.Value & uint.MaxValue);

    public async Task WriteAsync(IReadOnlyList<StagedContact> rows, IReadOnlyList<RowProblem> problems, long firstProblem, CancellationToken cancellation)
    {
        if (rows.Count > 0)
        {
            await using var copy = await _connection.BeginBinaryImportAsync($"COPY staged (nr, {Columns}) FROM STDIN (FORMAT BINARY)", cancellation);
            foreach (var row in rows)
            {
                await copy.StartRowAsync(cancellation);
                await copy.WriteAsync(row.Nr, NpgsqlDbType.Bigint, cancellation);
                await copy.WriteAsync(row.Email, NpgsqlDbType.Text, cancellation);
                await copy.WriteAsync(row.EmailKey, NpgsqlDbType.Text, cancellation);
                await TextAsync(copy, row.Handle, cancellation);
                await TextAsync(copy, row.Nickname, cancellation);
                await (row.Followers is { } followers ? copy.WriteAsync(followers, NpgsqlDbType.Bigint, cancellation) : copy.WriteNullAsync(cancellation));
                await TextAsync(copy, row.Country, cancellation);
                await TextAsync(copy, row.Language, cancellation);
                await TextAsync(copy, row.Category, cancellation);
                await TextAsync(copy, row.Bio, cancellation);
                await copy.WriteAsync(row.Attributes, NpgsqlDbType.Jsonb, cancellation);
            }

            await copy.CompleteAsync(cancellation);
        }

        if (problems.Count > 0)
        {
            await using var copy = await _connection.BeginBinaryImportAsync("COPY staged_problem (nr, line, field, value, reason) FROM STDIN (FORMAT BINARY)", cancellation);
            for (var i = 0; i < problems.Count; i++)
            {
                await copy.StartRowAsync(cancellation);
                await copy.WriteAsync(firstProblem + i, NpgsqlDbType.Bigint, cancellation);
                await copy.WriteAsync(problems[i].Line, NpgsqlDbType.Bigint, cancellation);
                await copy.WriteAsync(problems[i].Field, NpgsqlDbType.Text, cancellation);
                await copy.WriteAsync(problems[i].Value, NpgsqlDbType.Text, cancellation);
                await copy.WriteAsync(problems[i].Reason, NpgsqlDbType.Text, cancellation);
            }

            await copy.CompleteAsync(cancellation);
        }
    }

    public async Task<MergeCounts> MergeAsync(UserId user, Func<MergeCounts, Task> merged, CancellationToken cancellation)
    {
        await ExecuteAsync(_connection, $"INSERT INTO import_errors SELECT {Import}, nr, line, field, value, reason FROM staged_problem", cancellation);
        await ExecuteAsync(_connection, DoublesSql, cancellation);
        if (await ScalarAsync("SELECT count(*) FROM staged_double", cancellation) > 0)
        {
            await ExecuteAsync(_connection, FoldSql, cancellation);
        }

        await ExecuteAsync(_connection, PlanSql, cancellation);
        var last = await ScalarAsync("SELECT coalesce(max(nr), 0) FROM staged", cancellation);
        var total = default(MergeCounts);
        for (long after = 0; after < last; after += ChunkRows)
        {
            total += await ChunkAsync(user, after, cancellation);
            await merged(total);
        }

        return total;
    }

    // The pool's reset (DISCARD ALL) drops the tables, the settings and the lock.
    public ValueTask DisposeAsync() => _edm.DisposeAsync();

    private static string Merged(string old, string fresh) =>
        $"CASE WHEN (SELECT count(*) FROM jsonb_object_keys({old} || {fresh})) > {Staging.MaxMergedAttributes} THEN {fresh} ELSE {old} || {fresh} END";

    private async Task<MergeCounts> ChunkAsync(UserId user, long after, CancellationToken cancellation)
    {
        await using var transaction = await _edm.BeginWriteAsync(cancellation);
        var book = await ContactBook.OpenAsync(_edm, user, cancellation);
        await using var merge = new NpgsqlCommand(MergeSql, _connection, (NpgsqlTransaction?)_edm.Transaction)
        {
            CommandTimeout = PatientSeconds,
            Parameters =
            {
                new() { Value = user.Value },
                new() { Value = after },
                new() { Value = after + ChunkRows },
                new() { Value = _time.GetUtcNow().ToUnixTimeMilliseconds() },
                new() { Value = book.Next },
            },
        };
        MergeCounts counts;
        await using (var reader = await merge.ExecuteReaderAsync(cancellation))
        {
            await reader.ReadAsync(cancellation);
            counts = new MergeCounts(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2));
            foreach (var ordinal in await reader.IsDBNullAsync(3, cancellation) ? [] : reader.GetFieldValue<int[]>(3))
            {
                book.Touch(ordinal);
            }
        }

        book.Take((int)counts.Created);
        await book.CloseAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return counts;
    }

    private static Task TextAsync(NpgsqlBinaryImporter copy, string? text, CancellationToken cancellation) =>
        text is null ? copy.WriteNullAsync(cancellation) : copy.WriteAsync(text, NpgsqlDbType.Text, cancellation);

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = PatientSeconds };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private async Task<long> ScalarAsync(string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, _connection) { CommandTimeout = PatientSeconds };
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }
}
