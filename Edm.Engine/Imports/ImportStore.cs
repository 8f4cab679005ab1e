using System.Globalization;
using System.Text;
using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;
using LinqToDB.Linq;
using LinqToDB.Mapping;

namespace Edm.Engine.Imports;

/// <summary>One import, running or past.</summary>
/// <param name="Format">csv, ndjson or json; <c>unknown</c> when it ended before that was found out.</param>
/// <param name="Error">For the user; null unless failed.</param>
public sealed record Import(
    ImportId Id, UserId User, string FileName, string Format, ImportState State, long Rows, long Created, long Updated, long Unchanged, long Rejected,
    string? Error, DateTimeOffset CreatedAt, DateTimeOffset? FinishedAt);

/// <summary>The imports of all users and their refused rows.</summary>
public sealed class ImportStore(EdmDatabase database, TimeProvider time)
{
    public const int MaxPage = 1000;

    /// <summary>More refused rows than this are counted and not kept: nobody mends them by hand, and a file of nothing else would fill the disk.</summary>
    public const int MaxErrors = 100_000;

    internal const string InsertSql = """
        INSERT INTO imports (user_id, file_name, format, state, created_at) VALUES (@user, @file, 'unknown', 'reading', @now) RETURNING id
        """;

    private const int MaxFileName = 255;

    public Task<Import?> GetAsync(UserId user, ImportId import, CancellationToken cancellation = default) =>
        database.RunAsync(
            async connection => (await connection.GetTable<ImportRow>().SingleOrDefaultAsync(i => i.Id == import && i.UserId == user, cancellation))?.ToImport(),
            cancellation);

    /// <summary>The newest first.</summary>
    /// <param name="before">The last id of the page before; null for the first page.</param>
    public Task<IReadOnlyList<Import>> PageAsync(UserId user, ImportId? before, int limit, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage);
        return database.RunAsync<IReadOnlyList<Import>>(
            async connection =>
            {
                var imports = connection.GetTable<ImportRow>().Where(i => i.UserId == user);
                if (before is { } id)
                {
                    imports = imports.Where(i => i.Id.Value < id.Value);
                }

                return [.. (await imports.OrderByDescending(i => i.Id).Take(limit).ToListAsync(cancellation)).Select(i => i.ToImport())];
            },
            cancellation);
    }

    /// <summary>The refused rows in the order of the file, from <paramref name="skip"/> on.</summary>
    public Task<IReadOnlyList<RowProblem>> ErrorsAsync(UserId user, ImportId import, long skip, int limit, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(skip);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage);
        return database.RunAsync<IReadOnlyList<RowProblem>>(
            async connection => await connection.GetTable<ImportErrorRow>()
                .Where(e => e.ImportId == import && e.Nr > skip && e.Nr <= skip + limit)
                .Where(_ => connection.GetTable<ImportRow>().Any(i => i.Id == import && i.UserId == user))
                .OrderBy(e => e.Nr)
                .Select(e => new RowProblem(e.Line, e.Field, e.Value, e.Reason))
                .ToListAsync(cancellation),
            cancellation);
    }

    /// <summary>
    /// Writes the refused rows as CSV (RFC 4180, UTF-8): <c>line,field,value,reason</c>. A page at a time, so that a slow reader holds no connection. What a
    /// spreadsheet would run as a formula gets an apostrophe before it.
    /// </summary>
    /// <returns>False when the user has no such import; then nothing was written.</returns>
    public async Task<bool> ErrorsAsCsvAsync(UserId user, ImportId import, Stream output, CancellationToken cancellation = default)
    {
        if (await GetAsync(user, import, cancellation) is null)
        {
            return false;
        }

        await using var writer = new StreamWriter(output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\r\n" };
        await writer.WriteLineAsync("line,field,value,reason".AsMemory(), cancellation);
        for (long skip = 0; await ErrorsAsync(user, import, skip, MaxPage, cancellation) is { Count: > 0 } page; skip += MaxPage)
        {
            foreach (var error in page)
            {
                var line = string.Create(CultureInfo.InvariantCulture, $"{error.Line},{Quoted(error.Field)},{Quoted(error.Value)},{Quoted(error.Reason)}");
                await writer.WriteLineAsync(line.AsMemory(), cancellation);
            }

            await writer.FlushAsync(cancellation);
        }

        return true;
    }

    /// <summary>
    /// Imports whose process died are marked as failed, and their staging is removed. At the start of a node; imports that another living process runs are
    /// left alone.
    /// </summary>
    /// <returns>How many.</returns>
    public async Task<int> FailInterruptedAsync(CancellationToken cancellation = default)
    {
        var open = await database.RunAsync(
            connection => connection.GetTable<ImportRow>().Where(i => i.State == "reading" || i.State == "merging").Select(i => i.Id).ToListAsync(cancellation),
            cancellation);
        var failed = 0;
        foreach (var import in open)
        {
            failed += await (database.IsPostgres ? FailUnclaimedOnPostgresAsync(import, cancellation) : FailUnclaimedOnSqliteAsync(import, cancellation)) ? 1 : 0;
        }

        foreach (var import in database.IsPostgres ? [] : SqliteStagingStore.Leftovers(database))
        {
            using var claim = SqliteStagingStore.TryClaim(database, import);
            if (claim is not null)
            {
                SqliteStagingStore.RemoveLeftovers(database, import);
            }
        }

        return failed;
    }

    internal static async Task<ImportId> InsertAsync(EdmConnection connection, UserId user, string fileName, TimeProvider time, CancellationToken cancellation) =>
        new(await connection.ExecuteAsync<long>(InsertSql, cancellation, InsertParameters(user, fileName, time)));

    internal static DataParameter[] InsertParameters(UserId user, string fileName, TimeProvider time)
    {
        var name = Path.GetFileName(fileName.Replace('\\', '/')).Replace('\0', '\uFFFD');
        name = name.Length == 0 ? "-" : name.Length > MaxFileName ? name[..MaxFileName] : name;
        return [new("user", user.Value), new("file", name), new("now", time.GetUtcNow().ToUnixTimeMilliseconds())];
    }

    internal Task ReadingAsync(ImportId import, ImportFormat format, long rows, long rejected, CancellationToken cancellation) =>
        UpdateAsync(import, row => row.Set(i => i.Format, format.Name()).Set(i => i.Rows, rows).Set(i => i.Rejected, rejected), cancellation);

    internal Task MergingAsync(ImportId import, MergeCounts counts, CancellationToken cancellation) =>
        UpdateAsync(
            import,
            row => row.Set(i => i.State, ImportState.Merging.Name()).Set(i => i.Created, counts.Created).Set(i => i.Updated, counts.Updated).Set(i => i.Unchanged, counts.Unchanged),
            cancellation);

    internal Task FinishAsync(ImportSummary summary, CancellationToken cancellation) =>
        UpdateAsync(
            summary.Import,
            row => row
                .Set(i => i.State, ImportState.Finished.Name())
                .Set(i => i.Created, summary.Created)
                .Set(i => i.Updated, summary.Updated)
                .Set(i => i.Unchanged, summary.Unchanged)
                .Set(i => i.FinishedAt, time.GetUtcNow().ToUnixTimeMilliseconds()),
            cancellation);

    internal Task FailAsync(ImportId import, string error, CancellationToken cancellation) =>
        UpdateAsync(
            import,
            row => row.Set(i => i.State, ImportState.Failed.Name()).Set(i => i.Error, error).Set(i => i.FinishedAt, time.GetUtcNow().ToUnixTimeMilliseconds()),
            cancellation);

    private Task<int> UpdateAsync(ImportId import, Func<IQueryable<ImportRow>, IUpdatable<ImportRow>> set, CancellationToken cancellation) =>
        database.RunAsync(connection => set(connection.GetTable<ImportRow>().Where(i => i.Id == import)).UpdateAsync(cancellation), cancellation);

    private async Task<bool> FailUnclaimedOnSqliteAsync(ImportId import, CancellationToken cancellation)
    {
        using var claim = SqliteStagingStore.TryClaim(database, import);
        return claim is not null && await database.RunAsync(connection => FailInterruptedAsync(connection, import, cancellation), cancellation);
    }

    private Task<bool> FailUnclaimedOnPostgresAsync(ImportId import, CancellationToken cancellation) =>
        database.RunAsync(
            async connection =>
            {
                var claim = PostgresStagingStore.ClaimOf(import);
                if (!await connection.ExecuteAsync<bool>($"SELECT pg_try_advisory_lock({claim})", cancellation))
                {
                    return false;
                }

                try
                {
                    return await FailInterruptedAsync(connection, import, cancellation);
                }
                finally
                {
                    await connection.ExecuteAsync($"SELECT pg_advisory_unlock({claim})", CancellationToken.None);
                }
            },
            cancellation);

    // It may have ended between our look and our claim.
    private async Task<bool> FailInterruptedAsync(EdmConnection connection, ImportId import, CancellationToken cancellation) =>
        await connection.GetTable<ImportRow>()
            .Where(i => i.Id == import && (i.State == "reading" || i.State == "merging"))
            .Set(i => i.State, ImportState.Failed.Name())
            .Set(i => i.Error, Interrupted)
            .Set(i => i.FinishedAt, time.GetUtcNow().ToUnixTimeMilliseconds())
            .UpdateAsync(cancellation) > 0;

    internal const string Interrupted = "The import was interrupted. Send the file again; what is stored already is not doubled.";

    private static string Quoted(string text)
    {
        if (text is ['=' or '+' or '-' or '@' or '\t' or '\r', ..])
        {
            text = "'" + text;
        }

        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    [Table("imports")]
    private sealed record ImportRow
    {
        [PrimaryKey, Identity] public ImportId Id { get; init; }
        [Column] public UserId UserId { get; init; }
        [Column] public string FileName { get; init; } = "";
        [Column] public string Format { get; init; } = "";
        [Column] public string State { get; init; } = "";
        [Column] public long Rows { get; init; }
        [Column] public long Created { get; init; }
        [Column] public long Updated { get; init; }
        [Column] public long Unchanged { get; init; }
        [Column] public long Rejected { get; init; }
        [Column] public string? Error { get; init; }
        [Column] public long CreatedAt { get; init; }
        [Column] public long? FinishedAt { get; init; }

        public Import ToImport() => new(
            Id, UserId, FileName, Format, ImportStates.Parse(State), Rows, Created, Updated, Unchanged, Rejected, Error,
            DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt),
            FinishedAt is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null);
    }

    [Table("import_errors")]
    private sealed record ImportErrorRow
    {
        [Column] public ImportId ImportId { get; init; }
        [Column] public long Nr { get; init; }
        [Column] public long Line { get; init; }
        [Column] public string Field { get; init; } = "";
        [Column] public string Value { get; init; } = "";
        [Column] public string Reason { get; init; } = "";
    }
}
