using System.Diagnostics;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Filters.Columns;
using Edm.Engine.Contacts.Search;
using Edm.Engine.Storage;
using Edm.Testing;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Microsoft.Extensions.Logging.Abstractions;

namespace Edm.Benchmarks.Segments;

/// <summary>Filters over tags and attributes of one user's contacts, through the class that the API uses, beside the same questions as plain SQL; every count is compared.</summary>
internal sealed class SegmentsBenchmark : IBenchmark
{
    private const int PageLimit = 50;
    private const long ColumnMemory = 256L << 20; // as in hocon/edm.conf

    public string Name => "segments";

    public string Summary => "count and first page of filters over tags and attributes, beside the same questions as plain SQL";

    public IReadOnlyList<(string Name, string Meaning)> Options =>
    [
        ("contacts", "of the one user (1000000)"),
        ("questions", "different filters (225)"),
        ("database", "postgres (default) or sqlite"),
    ];

    public async IAsyncEnumerable<Figure> RunAsync(BenchmarkArguments arguments)
    {
        var (contacts, count, kind) = (arguments.Number("contacts", 1_000_000), arguments.Number("questions", 225), arguments.Text("database", "postgres"));
        using var folder = new TempFolder();
        await using var server = kind switch
        {
            "postgres" => await PostgresServer.CreateAsync(),
            "sqlite" => null,
            _ => throw new UsageException($"Option '--database' is postgres or sqlite, and got '{kind}'."),
        };
        using var database = new EdmDatabase(new StorageSettings(server is null ? null : await server.CreateDatabaseAsync(), folder.Path));
        await new Migrator(database, TimeProvider.System, NullLogger<Migrator>.Instance).MigrateAsync();
        var world = new SegmentsWorld(database, contacts);
        await world.FillAsync();

        var columns = new ContactColumns(ColumnMemory);
        var search = new ContactSearch(database, new ContactSelection(columns, ScanLimits.Default, TimeProvider.System));
        var questions = Question.Make(count, database.IsPostgres);
        var filters = questions.Select(question => ContactFilter.Parse(question.Filter)).ToArray();

        // What start-up costs: the first questions also read the columns.
        var cold = new List<double>();
        foreach (var filter in filters.Take(18))
        {
            cold.Add(await TimeAsync(() => search.CountAsync(world.User, filter)));
        }

        var (counts, counting, paging) = (new long[count], new List<double>(), new List<double>());
        for (var i = 0; i < count; i++)
        {
            counting.Add(await TimeAsync(async () => counts[i] = await search.CountAsync(world.User, filters[i])));
        }

        for (var i = 0; i < count; i++)
        {
            paging.Add(await TimeAsync(() => search.PageAsync(world.User, filters[i], ContactOrder.Oldest, null, PageLimit)));
        }

        var (plainCounting, plainPaging) = (new List<double>(), new List<double>());
        for (var i = 0; i < count; i++)
        {
            var plain = 0L;
            plainCounting.Add(await TimeAsync(async () => plain = await PlainAsync(database, world, questions[i])));
            if (plain != counts[i])
            {
                throw new InvalidOperationException($"'{questions[i].Filter}' counts {counts[i]}, and plain SQL {plain}.");
            }

            plainPaging.Add(await TimeAsync(() => PlainPageAsync(database, world, questions[i])));
        }

        var conditions = new Dictionary<string, object>
        {
            ["machine"] = Machine.Describe(), ["database"] = kind, ["contacts"] = contacts, ["tags"] = SegmentsWorld.Shares.Length, ["questions"] = count,
            ["columnBytes"] = columns.Bytes, ["firstQuestionMs"] = Math.Round(cold[0], 1), ["slowestColdMs"] = Math.Round(cold.Max(), 1), ["slowestCold"] = questions[cold.IndexOf(cold.Max())].Filter, ["allCountsEqual"] = true,
        };
        foreach (var (name, bound, ours, plain) in ((string, double, List<double>, List<double>)[])
            [("segments.count", 50, counting, plainCounting), ("segments.page", 20, paging, plainPaging)])
        {
            foreach (var (words, share) in ((string, double)[])[("p50", 0.5), ("p99", 0.99)])
            {
                var figure = At(ours, share);
                yield return new Figure(
                    name, $"ms {words}", figure, At(plain, share), SegmentsWorld.Described,
                    share > 0.9 ? new Dictionary<string, object>(conditions) { ["boundMs"] = bound, ["withinBound"] = figure < bound, ["slowest"] = questions[ours.IndexOf(ours.Max())].Filter, ["slowestMs"] = Math.Round(ours.Max(), 1) } : conditions) { LessIsBetter = true };
            }
        }
    }

    private static double At(List<double> values, double share) => values.Order().ElementAt(Math.Min(values.Count - 1, (int)Math.Ceiling(values.Count * share) - 1));

    private static async Task<double> TimeAsync(Func<Task> work)
    {
        var started = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static Task<long> PlainAsync(EdmDatabase database, SegmentsWorld world, Question question) => database.RunAsync(connection =>
        connection.ExecuteAsync<long>($"SELECT count(*) FROM contacts c WHERE c.user_id = @user AND {question.Sql}", new DataParameter("user", world.User.Value)));

    private static Task PlainPageAsync(EdmDatabase database, SegmentsWorld world, Question question) => database.RunAsync(async connection =>
    {
        await using var reader = await connection.ExecuteReaderAsync(
            $"SELECT * FROM contacts c WHERE c.user_id = @user AND {question.Sql} ORDER BY c.id LIMIT {PageLimit}", new DataParameter("user", world.User.Value));
        while (await reader.Reader!.ReadAsync())
        {
        }
    });
}
