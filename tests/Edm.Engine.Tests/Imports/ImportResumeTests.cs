using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Edm.Contracts;
using Edm.Engine.Imports;
using Edm.Engine.Storage;
using Edm.Testing;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Xunit;
using Xunit.Abstractions;

namespace Edm.Engine.Tests.Imports;

/// <summary>An import that is cut off and goes on ends as one that nobody disturbed.</summary>
public abstract class ImportResumeTests(IDatabases databases, ITestOutputHelper output) : DatabaseTests(databases)
{
    private const int Rows = 40_000;

    private const int PatientSeconds = 300;

    /// <summary>One takes a second or two; a busy machine may need many times that, and one that hangs is to say so itself.</summary>
    private static readonly TimeSpan LongestRun = TimeSpan.FromMinutes(2);

    private ImportStore Store => new(Database, Time);

    [Fact]
    public async Task Forty_imports_cut_off_at_random_moments_end_as_one_undisturbed_one()
    {
        const int Cuts = 40;
        // More than half of the runs are cut. Without a bound, one whose cuts always miss would try for ever.
        const int MostRuns = 5 * Cuts;
        var file = File(Rows);
        var undisturbed = await AddUserAsync("undisturbed");
        await RunAsync(undisturbed, Before(), new ImportOptions());
        var started = Time.GetTimestamp();
        var summary = await RunAsync(undisturbed, file, Options("k"));
        var whole = Time.GetElapsedTime(started);
        var expected = await StateAsync(undisturbed, summary);
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);

        // Several files' worth of cuts: one import is cut until it ends, and the next one is another user's, who has nothing of it yet.
        for (int cuts = 0, runs = 0; cuts < Cuts;)
        {
            var user = await AddUserAsync($"cut {Guid.NewGuid()}");
            await RunAsync(user, Before(), new ImportOptions());
            for (var isFirst = true; ; isFirst = false)
            {
                Assert.True(++runs <= MostRuns, $"{cuts} of {runs} runs were cut off: the import does not come on, or the cuts miss it.");
                started = Time.GetTimestamp();
                // By time within a chunk, or at a chunk's end. As long as a whole one takes at the moment, so that the cuts fall into it on a busy machine and on a quiet one.
                var ended = random.Next(2) == 0
                    ? await CutAsync(user, file, whole * 1.2 * random.NextDouble(), rows: null)
                    : await CutAsync(user, file, Timeout.InfiniteTimeSpan, random.Next(1, Rows));
                if (ended is not null)
                {
                    whole = isFirst ? Time.GetElapsedTime(started) : whole;
                    Assert.Equal(expected, await StateAsync(user, ended));
                    break;
                }

                cuts++;
            }
        }
    }

    [Fact]
    public async Task A_dry_run_that_was_cut_off_begins_again()
    {
        var user = await AddUserAsync();
        var undisturbed = await RunAsync(user, File(Rows), Options(null) with { DryRun = true });
        using (var stop = new CancellationTokenSource())
        {
            using var importer = ImportParts.Importer(Database, Time);
            using var stream = new MemoryStream(File(Rows));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(
                () => importer.RunAsync(user, stream, "list.csv", Options("dry") with { DryRun = true }, new StopAfter(1, stop), stop.Token));
        }

        var again = await RunAsync(user, File(Rows), Options("dry") with { DryRun = true });

        Assert.Equal(undisturbed with { Import = again.Import }, again);
        Assert.Equal(await Store.ErrorsAsync(user, undisturbed.Import, 0, ImportStore.MaxPage), await Store.ErrorsAsync(user, again.Import, 0, ImportStore.MaxPage));
    }

    [Fact]
    public async Task Another_node_that_has_the_file_goes_on_by_itself()
    {
        var user = await AddUserAsync();
        using (var importer = ImportParts.Importer(Database, Time))
        {
            using var stream = new PieceStream(File(Rows), 64 * 1024);
            var started = await importer.StartAsync(user, stream, "list.csv", Options(null));
            await importer.StopAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => started.Completion);
            Assert.Equal(ImportState.Interrupted, (await Store.GetAsync(user, started.Import))!.State);
        }

        using var next = ImportParts.Importer(Database, Time);
        using var recovery = ImportParts.Recovery(Database, Time, next);
        Assert.Equal(1, await recovery.ResumeAsync());
        await Eventually.Async(async () => (await Store.PageAsync(user, null, 1))[0].State == ImportState.Finished, TimeSpan.FromSeconds(60), "the import has gone on to its end");

        Assert.Equal((long)Rows, (await Store.PageAsync(user, null, 1))[0].Rows);
        Assert.Equal(0, await recovery.ResumeAsync());
        // The copy goes just after the state says that it is finished.
        var staging = Path.Combine(Database.Settings.DataFolder, "staging");
        await Eventually.Async(() => !Directory.EnumerateFiles(staging).Any(), TimeSpan.FromSeconds(20), "the copy of the file is deleted");
    }

    [Fact]
    public async Task One_that_died_while_it_merged_is_marked_and_goes_on()
    {
        var user = await AddUserAsync();
        using var importer = ImportParts.Importer(Database, Time);
        using var stream = new PieceStream(File(Rows), 64 * 1024);
        var started = await importer.StartAsync(user, stream, "list.csv", Options(null));
        await importer.StopAsync();
        // As a process leaves it that is killed.
        await Database.RunAsync(c => c.ExecuteAsync("UPDATE imports SET state = 'merging', error = NULL, finished_at = NULL"));

        using var next = ImportParts.Importer(Database, Time);
        using var recovery = ImportParts.Recovery(Database, Time, next);
        Assert.Equal(1, await recovery.MarkAsync());
        Assert.Equal((ImportState.Interrupted, ImportStore.GoesOn), (await Store.GetAsync(user, started.Import)) is { } import ? (import.State, import.Error) : default);
        Assert.Equal(1, await recovery.ResumeAsync());
        await Eventually.Async(async () => (await Store.PageAsync(user, null, 1))[0].State == ImportState.Finished, TimeSpan.FromSeconds(60), "the import has gone on to its end");
    }

    [Fact]
    public async Task The_same_key_and_file_answer_the_same_result_and_another_file_or_another_wish_is_refused()
    {
        var user = await AddUserAsync();
        var file = "email\na@example.com\nbad\n"u8.ToArray();
        var first = await RunAsync(user, file, Options("key"));

        var again = await RunAsync(user, file, Options("key"));

        Assert.Equal(first, again);
        Assert.Single(await Store.PageAsync(user, null, 10));
        var other = await Assert.ThrowsAsync<ConflictException>(() => RunAsync(user, "email\nb@example.com\n"u8.ToArray(), Options("key")));
        Assert.Equal("Idempotency-Key", other.Field);
        await Assert.ThrowsAsync<ConflictException>(() => RunAsync(user, file, Options("key") with { Policy = ConflictPolicy.Skip }));
        var somebody = await AddUserAsync("somebody");
        Assert.NotEqual(first.Import, (await RunAsync(somebody, file, Options("key"))).Import);
    }

    [Fact]
    public async Task A_key_that_is_under_way_is_refused_for_the_moment()
    {
        var user = await AddUserAsync();
        using var importer = ImportParts.Importer(Database, Time);
        using var gate = new GatedStream("email\na@example.com\n");
        var running = importer.RunAsync(user, gate, "list", Options("key"));
        await Eventually.Async(async () => (await Store.PageAsync(user, null, 1)).Count == 1, TimeSpan.FromSeconds(20), "the import has begun");

        await Assert.ThrowsAsync<ImportRunningException>(() => RunAsync(user, "email\na@example.com\n"u8.ToArray(), Options("key")));

        gate.Open();
        Assert.Equal(1, (await running).Created);
    }

    [Fact]
    public async Task A_key_whose_upload_broke_off_begins_again()
    {
        var user = await AddUserAsync();
        using var gate = new GatedStream("email\na@example.com\n");
        using var stop = new CancellationTokenSource();
        using var importer = ImportParts.Importer(Database, Time);
        var running = importer.RunAsync(user, gate, "list", Options("key"), cancellation: stop.Token);
        await Eventually.Async(async () => (await Store.PageAsync(user, null, 1)).Count == 1, TimeSpan.FromSeconds(20), "the import has begun");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        Assert.Equal(1, (await RunAsync(user, "email\nother@example.com\n"u8.ToArray(), Options("key"))).Created);

        Assert.Equal(ImportState.Finished, Assert.Single(await Store.PageAsync(user, null, 10)).State);
    }

    [Fact]
    public async Task One_that_is_cut_off_while_it_begins_again_can_begin_again()
    {
        var user = await AddUserAsync();
        var file = "email\na@example.com\n"u8.ToArray();
        using (var gate = new GatedStream("email\n"))
        using (var stop = new CancellationTokenSource())
        using (var importer = ImportParts.Importer(Database, Time))
        {
            var broken = importer.RunAsync(user, gate, "list", Options("key"), cancellation: stop.Token);
            await Eventually.Async(async () => (await Store.PageAsync(user, null, 1)).Count == 1, TimeSpan.FromSeconds(20), "the import has begun");
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => broken);
        }

        var import = (await Store.PageAsync(user, null, 1))[0].Id;
        var written = new TaskCompletionSource();
        var letGo = new TaskCompletionSource();
        // Somebody writes the import's row, and so it waits with its claim in its hand.
        var writer = Task.Run(() => Database.WriteAsync(async connection =>
        {
            await connection.ExecuteAsync("UPDATE imports SET file_name = file_name");
            written.SetResult();
            await letGo.Task;
        }));
        await written.Task;
        using (var stop = new CancellationTokenSource())
        using (var importer = ImportParts.Importer(Database, Time))
        {
            using var stream = new MemoryStream(file);
            var cut = importer.RunAsync(user, stream, "list", Options("key"), cancellation: stop.Token);
            await Eventually.Async(() => WaitsAsync(import), TimeSpan.FromSeconds(20), "the import has its claim and waits");
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<Exception>(() => cut);
        }

        letGo.SetResult();
        await writer;

        Assert.Equal(1, (await RunAsync(user, file, Options("key"))).Created);
    }

    /// <summary>On SQLite, where nothing tells who waits for the writer, that it has its claim must do.</summary>
    private async Task<bool> WaitsAsync(ImportId import) => Database.IsPostgres
        ? await Database.RunAsync(c => c.ExecuteAsync<long>("SELECT count(*) FROM pg_locks WHERE NOT granted")) > 0
        : Path.Exists(ImportSpool.FileOf(Database.Settings, import, "lock"));

    private static ImportOptions Options(string? key) => new() { Key = key, Tags = ["everybody"], TagWhich = TagWhich.All };

    private static byte[] Before() => Encoding.UTF8.GetBytes("email,handle,mood\n" + string.Concat(Enumerable.Range(0, 3000).Select(i => $"a{i * 13}@example.com,old{i},calm\n")));

    /// <summary>New, known and refused rows, tags, and addresses that come again in the same chunk and in another one.</summary>
    private static byte[] File(int rows) => Encoding.UTF8.GetBytes("email,handle,followers,mood,tags\n" + string.Concat(Enumerable.Range(0, rows).Select(i => (i % 50) switch
    {
        7 => string.Create(CultureInfo.InvariantCulture, $"bad{i},x,1,,\n"),
        // One that stood far before, with something else.
        9 when i > 25_000 => string.Create(CultureInfo.InvariantCulture, $"a{i - 25_000}@example.com,again{i},{i},glad,late\n"),
        11 => string.Create(CultureInfo.InvariantCulture, $"A{i - 1}@example.com,,,,near\n"),
        _ => string.Create(CultureInfo.InvariantCulture, $"a{i}@example.com,h{i},{i},{(i % 3 == 0 ? "calm" : "")},t{i % 7};u{i % 5}\n"),
    })));

    private async Task<ImportSummary> RunAsync(UserId user, byte[] file, ImportOptions options)
    {
        using var importer = ImportParts.Importer(Database, Time);
        using var stream = new MemoryStream(file);
        return await importer.RunAsync(user, stream, "list.csv", options);
    }

    /// <summary>Runs an import that is cut off after a time, or when so many rows are stored.</summary>
    /// <returns>Null when it was cut off before its end.</returns>
    private async Task<ImportSummary?> CutAsync(UserId user, byte[] file, TimeSpan after, int? rows)
    {
        using var stop = new CancellationTokenSource(after);
        using var importer = ImportParts.Importer(Database, Time);
        using var stream = new MemoryStream(file);
        var run = importer.RunAsync(user, stream, "list.csv", Options("k"), rows is { } some ? new StopAfter(some, stop) : null, stop.Token);
        if (await Task.WhenAny(run, Task.Delay(LongestRun)) != run)
        {
            var import = string.Join(' ', await Store.PageAsync(user, null, 1));
            Assert.Fail($"An import that was {(stop.IsCancellationRequested ? "cut off" : "to be cut off")} ({(rows is null ? $"after {after}" : $"at row {rows}")}) has not ended in {LongestRun}: {import}");
        }

        try
        {
            return await run;
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            // Npgsql and SQLite have their own ways to say that a call was broken off.
            return null;
        }
    }

    /// <summary>Everything that an import leaves, but ids and times.</summary>
    private async Task<string> StateAsync(UserId user, ImportSummary summary)
    {
        var text = new StringBuilder();
        text.AppendLine((summary with { Import = default }).ToString());
        await AddAsync(text, $"SELECT ordinal || '|' || email || '|' || email_key || '|' || coalesce(handle, '-') || '|' || coalesce(cast(followers AS text), '-') || '|' || status || '|', cast(attributes AS text) FROM contacts WHERE user_id = {user} ORDER BY ordinal");
        await AddAsync(text, $"SELECT c.email || '|' || t.name || '|' || cast(t.contacts AS text), NULL FROM contact_tags x JOIN contacts c ON c.id = x.contact_id JOIN tags t ON t.id = x.tag_id WHERE x.user_id = {user} ORDER BY c.ordinal, t.name_key");
        await AddAsync(text, $"SELECT c.email || '|' || h.source || '|', cast(h.changes AS text) FROM contact_changes h JOIN contacts c ON c.id = h.contact_id WHERE h.user_id = {user} ORDER BY c.ordinal");
        await AddAsync(text, $"SELECT cast(nr AS text) || '|' || cast(line AS text) || '|' || field || '|' || value || '|' || reason || '|', original FROM import_errors WHERE import_id = {summary.Import} ORDER BY nr");
        await AddAsync(text, $"SELECT kind || '|' || cast(added AS text) || '|' || cast(removed AS text), NULL FROM tag_operations WHERE user_id = {user} ORDER BY id");
        await AddAsync(text, $"SELECT cast(next_ordinal AS text) || '|' || cast(contacts AS text), NULL FROM contact_books WHERE user_id = {user}");
        return text.ToString();
    }

    private async Task AddAsync(StringBuilder text, string sql)
    {
        var rows = await Database.RunAsync(connection =>
        {
            // Every contact and every tag of it at once: on a busy machine that takes longer than the 30 s that a statement of the product may take.
            connection.CommandTimeout = PatientSeconds;
            return connection.QueryToListAsync(row => (row.GetString(0), row.IsDBNull(1) ? "" : row.GetString(1)), sql);
        });
        foreach (var (line, json) in rows)
        {
            text.Append(line).AppendLine(json.Length == 0 ? "" : Sorted(JsonNode.Parse(json)!));
        }
    }

    private static string Sorted(JsonNode node) => node is JsonObject some
        ? JsonSerializer.Serialize(new SortedDictionary<string, JsonNode?>(some.ToDictionary(p => p.Key, p => p.Value), StringComparer.Ordinal))
        : node.ToJsonString();

    private sealed class StopAfter(long rows, CancellationTokenSource stop) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value)
        {
            if (value.Merged >= rows)
            {
                stop.Cancel();
            }
        }
    }
}

public sealed class ImportResumeTestsOnSqlite(ITestOutputHelper output) : ImportResumeTests(new SqliteDatabases(), output);

[Collection(PostgresFixture.Collection)]
public sealed class ImportResumeTestsOnPostgres(PostgresFixture postgres, ITestOutputHelper output) : ImportResumeTests(new PostgresDatabases(postgres), output);
