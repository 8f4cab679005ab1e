using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Imports;
using Edm.Engine.Services.Sandbox;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Data;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Edm.Engine.Erasure;

/// <summary>
/// The part of an erasure that no transaction can do: this node's sandbox, the bytes that SQLite leaves behind in its files, and the wait for imports that began before. Each
/// step can be done again, and what is still to be done is known from the database, so that a crash only delays it. On every node: each has a sandbox of its own.
/// </summary>
public sealed partial class ErasureCleaning(
    EdmDatabase database, SuppressionKey key, ISandboxStore sandbox, TimeProvider time, ILogger<ErasureCleaning> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(15);

    /// <summary>
    /// A mail that a lane had in its hands when its person was erased may still arrive: the sandbox is looked through again for so long. The deadlines of SMTP bound it.
    /// </summary>
    public static readonly TimeSpan Late = TimeSpan.FromMinutes(15);

    /// <summary>Rewriting a large database file takes its writers' time: a twentieth of it at most.</summary>
    private const int RestFactor = 20;

    private readonly SemaphoreSlim _asked = new(0, 1);
    private DateTimeOffset? _sandboxDone;
    private DateTimeOffset _restUntil = DateTimeOffset.MinValue;

    /// <summary>Somebody was erased just now: no need to wait.</summary>
    public void Ask()
    {
        try
        {
            _asked.Release();
        }
        catch (SemaphoreFullException)
        {
            // Asked already.
        }
    }

    /// <summary>One look at all that is to be done.</summary>
    /// <returns>How many erasures are finished now that were not before.</returns>
    public async Task<int> RunAsync(CancellationToken cancellation = default)
    {
        await CleanSandboxAsync(cancellation);
        return await CleanFilesAsync(cancellation);
    }

    public override void Dispose()
    {
        _asked.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RunAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // Whatever it was, nothing is lost: the next look comes soon.
                LogFailed(exception);
            }

            await _asked.WaitAsync(Every, stoppingToken);
        }
    }

    /// <summary>By the keyed hashes: nobody knows the addresses any more. After a start everybody who was ever erased is looked for once.</summary>
    private async Task CleanSandboxAsync(CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var since = _sandboxDone is { } done ? done - Late : DateTimeOffset.MinValue;
        var erased = new Dictionary<UserId, HashSet<string>>();
        await database.RunAsync(
            connection => new SqlBatch(connection).Read(
                "SELECT user_id, hash FROM suppressions WHERE reason = 'erased' AND created_at >= @since",
                row =>
                {
                    var user = new UserId(row.GetInt64(0));
                    _ = erased.TryGetValue(user, out var hashes) || erased.TryAdd(user, hashes = []);
                    hashes!.Add(Convert.ToHexString((byte[])row.GetValue(1)));
                },
                ("@since", since.ToUnixTimeMilliseconds())).ExecuteAsync(cancellation),
            cancellation);
        if (erased.Count > 0)
        {
            var gone = await sandbox.ForgetAsync(
                recipient => EmailAddress.TryParse(recipient, out var address) && erased.Any(user => user.Value.Contains(Convert.ToHexString(key.HashOf(user.Key, address.Key)))),
                cancellation);
            if (gone > 0)
            {
                LogSandbox(gone);
            }
        }

        _sandboxDone = now;
    }

    private async Task<int> CleanFilesAsync(CancellationToken cancellation)
    {
        // An import that began before may hold the person in its file, and write what it refuses of it. It ends by itself; one that waits for its owner holds no file.
        var ready = new List<long>();
        await database.RunAsync(
            connection => new SqlBatch(connection).Read(
                """
                SELECT e.id FROM erasures e
                WHERE e.finished_at IS NULL AND NOT EXISTS (
                  SELECT 1 FROM imports i
                  WHERE i.user_id = e.user_id AND i.created_at <= e.at AND (i.state IN ('reading', 'merging') OR (i.state = 'interrupted' AND i.error = @goesOn)))
                ORDER BY e.id
                """,
                row => ready.Add(row.GetInt64(0)),
                ("@goesOn", ImportStore.GoesOn)).ExecuteAsync(cancellation),
            cancellation);
        if (ready.Count == 0 || (!database.IsPostgres && !await CompactAsync(cancellation)))
        {
            return 0;
        }

        var ids = ready.ToArray();
        return await database.WriteAsync(
            async connection =>
            {
                var batch = new SqlBatch(connection);
                await batch.Add(
                    $"UPDATE erasures SET finished_at = @now WHERE id {batch.In("@ids")}", ("@now", time.GetUtcNow().ToUnixTimeMilliseconds()), ("@ids", ids)).ExecuteAsync(cancellation);
                return ids.Length;
            },
            cancellation);
    }

    private async Task<bool> CompactAsync(CancellationToken cancellation)
    {
        var began = time.GetUtcNow();
        if (began < _restUntil)
        {
            return false;
        }

        var done = await database.CompactAsync(cancellation);
        var took = time.GetUtcNow() - began;
        _restUntil = time.GetUtcNow() + (RestFactor * took);
        LogCompacted(took.TotalSeconds, done);
        return done;
    }

    [LoggerMessage(LogLevel.Information, "People who were erased left the sandbox: {Addresses} addresses")]
    private partial void LogSandbox(int addresses);

    [LoggerMessage(LogLevel.Information, "The database file was written anew in {Seconds:0.0} s, so that nothing of erased people is left in it (log emptied: {Done})")]
    private partial void LogCompacted(double seconds, bool done);

    [LoggerMessage(LogLevel.Warning, "What erased people left outside of the tables can't be cleaned at the moment; tried again soon")]
    private partial void LogFailed(Exception exception);
}
