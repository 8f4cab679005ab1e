using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Imports.Chunks;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;
using LinqToDB.Linq;

namespace Edm.Engine.Imports;

/// <summary>The imports of all users and their refused rows.</summary>
public sealed class ImportStore(EdmDatabase database, TimeProvider time)
{
    public const int MaxPage = 1000;

    /// <summary>More refused rows than this are counted and not kept: nobody mends them by hand, and a file of nothing else would fill the disk.</summary>
    public const int MaxErrors = 100_000;

    internal const string Interrupted = "The import was interrupted. Send the file again; what is stored already is not doubled.";

    /// <summary>Of those that lie in the staging folder of a node.</summary>
    internal const string GoesOn = "The import was interrupted. It goes on by itself when its node is back; the same file under the same Idempotency-Key goes on with it too.";

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
    public async Task<IReadOnlyList<RowProblem>> ErrorsAsync(UserId user, ImportId import, long skip, int limit, CancellationToken cancellation = default) =>
        [.. (await OriginalsAsync(user, import, skip, limit, cancellation)).Select(error => error.Problem)];

    /// <summary>As <see cref="ErrorsAsync"/>, each with the row as its owner wrote it (see <see cref="OriginalRow"/>); null where that is not kept.</summary>
    internal Task<IReadOnlyList<(RowProblem Problem, string? Original)>> OriginalsAsync(UserId user, ImportId import, long skip, int limit, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(skip);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage);
        return database.RunAsync<IReadOnlyList<(RowProblem, string?)>>(
            async connection =>
            [
                .. (await connection.GetTable<ImportErrorRow>()
                        .Where(e => e.ImportId == import && e.Nr > skip && e.Nr <= skip + limit)
                        .Where(_ => connection.GetTable<ImportRow>().Any(i => i.Id == import && i.UserId == user))
                        .OrderBy(e => e.Nr)
                        .ToListAsync(cancellation))
                    .Select(e => (new RowProblem(e.Line, e.Field, e.Value, e.Reason), e.Original)),
            ],
            cancellation);
    }

    internal static async Task<ImportId> InsertAsync(
        EdmConnection connection, UserId user, string fileName, ImportOptions options, TimeProvider time, CancellationToken cancellation)
    {
        var row = new ImportRow
        {
            UserId = user,
            FileName = NameOf(fileName),
            State = ImportState.Reading.Name(),
            Format = "unknown",
            IdempotencyKey = options.Key,
            Options = StoredOptions.Write(options),
            CreatedAt = time.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        return new ImportId(await connection.InsertWithInt64IdentityAsync(row, token: cancellation));
    }

    internal Task<Import?> FindAsync(UserId user, string key, CancellationToken cancellation) => database.RunAsync(
        async connection => (await connection.GetTable<ImportRow>().SingleOrDefaultAsync(i => i.UserId == user && i.IdempotencyKey == key, cancellation))?.ToImport(),
        cancellation);

    /// <summary>Whoever's they are: those that somebody is at, or should be.</summary>
    internal Task<List<Import>> OpenAsync(CancellationToken cancellation) => database.RunAsync(
        async connection => (await connection.GetTable<ImportRow>().Where(i => i.State == "reading" || i.State == "merging" || i.State == "interrupted").ToListAsync(cancellation))
            .ConvertAll(i => i.ToImport()),
        cancellation);

    internal Task<Import?> GetAsync(ImportId import, CancellationToken cancellation) => database.RunAsync(
        async connection => (await connection.GetTable<ImportRow>().SingleOrDefaultAsync(i => i.Id == import, cancellation))?.ToImport(),
        cancellation);

    /// <summary>An import under a key begins once more, from its first byte: no contact was touched before.</summary>
    internal Task BeginAgainAsync(ImportId import, string fileName, ImportOptions options, CancellationToken cancellation) => database.WriteAsync(
        async connection =>
        {
            await connection.ExecuteAsync("DELETE FROM import_errors WHERE import_id = @import", cancellation, new DataParameter("import", import.Value));
            await connection.GetTable<ImportRow>()
                .Where(i => i.Id == import)
                .Set(i => i.State, ImportState.Reading.Name())
                .Set(i => i.FileName, NameOf(fileName))
                .Set(i => i.Options, StoredOptions.Write(options))
                .Set(i => i.Rows, 0)
                .Set(i => i.Rejected, 0)
                .Set(i => i.Error, (string?)null)
                .Set(i => i.FinishedAt, (long?)null)
                .UpdateAsync(cancellation);
        },
        cancellation);

    internal Task ReadingAsync(ImportId import, ImportFormat format, ImportProgressNumbers so, CancellationToken cancellation) => UpdateAsync(
        import,
        row => row.Set(i => i.Format, format.Name()).Set(i => i.Bytes, so.Bytes).Set(i => i.Rows, so.Rows).Set(i => i.Rejected, so.Rejected),
        cancellation);

    /// <summary>From now on it can go on after a crash.</summary>
    internal Task ReadAsync(ImportId import, FileFacts facts, CancellationToken cancellation) => UpdateAsync(
        import,
        row => row
            .Set(i => i.State, ImportState.Merging.Name())
            .Set(i => i.Format, facts.Format.Name())
            .Set(i => i.Header, facts.Header is null ? null : JsonSerializer.Serialize(facts.Header))
            .Set(i => i.ContentHash, facts.Hash)
            .Set(i => i.TotalBytes, facts.Bytes)
            .Set(i => i.TotalRows, facts.Rows)
            .Set(i => i.Bytes, 0)
            .Set(i => i.Rows, 0)
            .Set(i => i.Rejected, 0)
            .Set(i => i.RunAt, Now),
        cancellation);

    /// <summary>
    /// Somebody is at it again. Also one that failed: what failed it will do so again, or not. A dry run, which stores nothing that it could go on with, begins again.
    /// </summary>
    /// <returns>Null when it has finished.</returns>
    internal async Task<Import?> ResumeAsync(Import import, CancellationToken cancellation)
    {
        if (import.Options.DryRun)
        {
            await ForgetAsync(import.Id, cancellation);
        }

        var resumed = await database.RunAsync(
            connection => connection.GetTable<ImportRow>()
                .Where(i => i.Id == import.Id && (i.State == "merging" || i.State == "interrupted" || i.State == "failed"))
                .Set(i => i.State, ImportState.Merging.Name())
                .Set(i => i.Error, (string?)null)
                .Set(i => i.FinishedAt, (long?)null)
                .Set(i => i.RunAt, Now)
                .Set(i => i.RunFrom, i => i.Rows)
                .Set(i => i.ProgressAt, (long?)null)
                .UpdateAsync(cancellation),
            cancellation);
        return resumed > 0 ? await GetAsync(import.Id, cancellation) : null;
    }

    /// <summary>What a dry run came to so far.</summary>
    private Task ForgetAsync(ImportId import, CancellationToken cancellation) => database.WriteAsync(
        async connection =>
        {
            if (await connection.GetTable<ImportRow>()
                .Where(i => i.Id == import && i.State != "finished")
                .Set(i => i.Bytes, 0)
                .Set(i => i.Rows, 0)
                .Set(i => i.Created, 0)
                .Set(i => i.Updated, 0)
                .Set(i => i.Unchanged, 0)
                .Set(i => i.Rejected, 0)
                .Set(i => i.Suppressed, 0)
                .UpdateAsync(cancellation) > 0)
            {
                await connection.ExecuteAsync("DELETE FROM import_errors WHERE import_id = @import", cancellation, new DataParameter("import", import.Value));
            }
        },
        cancellation);

    /// <summary>In the transaction that stores the chunk.</summary>
    internal static Task ProgressAsync(EdmConnection connection, ImportId import, ImportChunk chunk, ImportCounts counts, long now, CancellationToken cancellation) =>
        connection.GetTable<ImportRow>()
            .Where(i => i.Id == import)
            .Set(i => i.Bytes, chunk.BytesRead)
            .Set(i => i.Rows, chunk.LastNr)
            .Set(i => i.Created, counts.Created)
            .Set(i => i.Updated, counts.Updated)
            .Set(i => i.Unchanged, counts.Unchanged)
            .Set(i => i.Rejected, counts.Rejected)
            .Set(i => i.Suppressed, counts.Suppressed)
            .Set(i => i.ProgressAt, now)
            .UpdateAsync(cancellation);

    /// <summary>Of a file that was refused for its many errors.</summary>
    internal Task KeepErrorsAsync(ImportId import, IReadOnlyList<RefusedRow> rows, CancellationToken cancellation) => database.WriteAsync(
        async connection =>
        {
            for (var i = 0; i < rows.Count; i++)
            {
                var (_, problem, original) = rows[i];
                await connection.InsertAsync(
                    new ImportErrorRow { ImportId = import, Nr = i + 1, Line = problem.Line, Field = problem.Field, Value = problem.Value, Reason = problem.Reason, Original = original },
                    token: cancellation);
            }
        },
        cancellation);

    internal Task FinishAsync(ImportId import, CancellationToken cancellation) => UpdateAsync(
        import,
        row => row.Set(i => i.State, ImportState.Finished.Name()).Set(i => i.Bytes, i => i.TotalBytes ?? 0).Set(i => i.FinishedAt, Now),
        cancellation);

    /// <param name="state">Failed or interrupted.</param>
    /// <returns>False when it has ended otherwise.</returns>
    internal async Task<bool> EndAsync(ImportId import, ImportState state, string error, CancellationToken cancellation) => await database.RunAsync(
        connection => connection.GetTable<ImportRow>()
            .Where(i => i.Id == import && (i.State == "reading" || i.State == "merging" || i.State == "interrupted"))
            .Set(i => i.State, state.Name())
            // What is wrong with a file may quote it, and PostgreSQL can't hold NUL.
            .Set(i => i.Error, error.Replace('\0', '\uFFFD'))
            .Set(i => i.FinishedAt, Now)
            .UpdateAsync(cancellation),
        cancellation) > 0;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static string NameOf(string fileName)
    {
        var name = Path.GetFileName(fileName.Replace('\\', '/')).Replace('\0', '\uFFFD');
        // Never half of a surrogate pair.
        return name.Length == 0 ? "-" : name.Length > MaxFileName ? name[..(char.IsHighSurrogate(name[MaxFileName - 1]) ? MaxFileName - 1 : MaxFileName)] : name;
    }

    private Task<int> UpdateAsync(ImportId import, Func<IQueryable<ImportRow>, IUpdatable<ImportRow>> set, CancellationToken cancellation) =>
        database.RunAsync(connection => set(connection.GetTable<ImportRow>().Where(i => i.Id == import)).UpdateAsync(cancellation), cancellation);
}
