using System.Diagnostics;
using Edm.Contracts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Filters.Columns;
using Edm.Engine.Contacts.Search;
using Edm.Engine.Tags;

namespace Edm.Benchmarks.Tags;

/// <summary>Tags through the stores that the API uses, beside the best of several tables with a JSON array of tags.</summary>
internal sealed class TagsBenchmark : IBenchmark
{
    private const string Batch = "batch";
    private const string Everybody = "followers >= 0";
    private const int PageRows = 50;

    // Common, common, less so.
    private static readonly string[] Asked = [TagWorld.TagName(0), TagWorld.TagName(1), TagWorld.TagName(5)];
    private static readonly TagOrigin Person = new(TagSource.Person, "benchmark");

    public string Name => "tags";

    public string Summary => "tagging, renaming, counting and finding by tags, beside JSON arrays";

    public IReadOnlyList<(string Name, string Meaning)> Options =>
    [
        ("database", "postgres (default) or sqlite"),
        ("contacts", "of all users together (1000000)"),
        ("users", "who have as many each; a batch are all contacts of one (20)"),
        ("tags", "of each user (200)"),
        ("rounds", "each with another user; the median counts (7)"),
    ];

    public async IAsyncEnumerable<Figure> RunAsync(BenchmarkArguments arguments)
    {
        var database = arguments.Text("database", "postgres");
        if (database is not ("postgres" or "sqlite"))
        {
            throw new UsageException($"Option '--database' is postgres or sqlite, and got '{database}'.");
        }

        var size = new TagWorldSize(arguments.Number("contacts", 1_000_000), arguments.Number("users", 20), arguments.Number("tags", 200), 8);
        var rounds = arguments.Number("rounds", 7);
        if (rounds >= size.Users)
        {
            throw new UsageException($"Option '--rounds' must be below the number of users ({size.Users}): one is for warming up.");
        }

        await using var world = await TagWorld.CreateAsync(database, size);
        var designs = await JsonDesign.CreateAllAsync(world.Database);
        var ours = new Ours(world);
        var times = new Times(designs);

        // The first round is compiled while it runs and does not count.
        var cold = new List<double>();
        for (var round = 0; round <= rounds; round++)
        {
            await RoundAsync(TagWorld.User(round), ours, designs, round == 0 ? new Times(designs) : times, cold);
        }

        foreach (var (bench, bounds) in times.All)
        {
            var best = designs.MinBy(design => Statistics.Median(bounds[design.Name]))!;
            yield return new Figure(bench, "ms", Statistics.Median(bounds[Times.Ours]), Statistics.Median(bounds[best.Name]), best.Name, new Dictionary<string, object>
            {
                ["machine"] = Machine.Describe(),
                ["database"] = database == "postgres" ? "PostgreSQL, fsync on" : "SQLite, WAL, synchronous FULL",
                ["contacts"] = size.Contacts,
                ["users"] = size.Users,
                ["tagsAUser"] = size.Tags,
                ["tagsAContact"] = size.TagsAContact,
                ["batch"] = size.ContactsAUser,
                ["filter"] = Everybody,
                ["column of the filter"] = "in memory, since somebody has counted with it before; without: coldMs",
                ["coldMs"] = Math.Round(Statistics.Median(cold[1..]), 1),
                ["a read"] = "asked twice, the second time counts",
                ["rounds"] = rounds,
                ["measured"] = bounds[Times.Ours].Count,
                ["oursFastestAndSlowest"] = new[] { Rounded(bounds[Times.Ours].Min()), Rounded(bounds[Times.Ours].Max()) },
                ["baselines"] = designs.ToDictionary(design => design.Name, design => Rounded(Statistics.Median(bounds[design.Name]))),
            }) { LessIsBetter = true };
        }

        foreach (var design in designs)
        {
            await design.DisposeAsync();
        }
    }

    private static async Task RoundAsync(UserId user, Ours ours, IReadOnlyList<JsonDesign> designs, Times times, List<double> cold)
    {
        // Reads before writes: a table that was just rewritten is slower to read.
        const int Reads = 15;
        for (var i = 0; i < Reads; i++)
        {
            await times.ReadAsync("tags.count", () => ours.CountAsync(user, Asked[0]), design => design.CountAsync(user.Value, Asked[0]));
            await times.ReadAsync("tags.set", () => ours.SetAsync(user, Asked), design => design.SetAsync(user.Value, Asked[0], Asked[1], Asked[2]));
            await times.ReadAsync("tags.page", () => ours.PageAsync(user, Asked[0], PageRows), design => design.PageAsync(user.Value, Asked[0], PageRows));
        }

        for (var i = 0; i < 3; i++)
        {
            await times.ReadAsync("tags.all", () => ours.AllAsync(user), design => design.AllAsync(user.Value));
        }

        var watch = Stopwatch.StartNew();
        await ours.CountFilteredAsync(user, Everybody);
        cold.Add(watch.Elapsed.TotalMilliseconds);
        await times.WriteAsync("tags.add", () => ours.AddAsync(user, Batch, Everybody), design => design.AddAsync(user.Value, Batch));
        await times.WriteAsync("tags.remove", () => ours.RemoveAsync(user, Batch, Everybody), design => design.RemoveAsync(user.Value, Batch));
        await times.WriteAsync("tags.rename", () => ours.RenameAsync(user, Asked[0], "renamed"), design => design.RenameAsync(user.Value, Asked[0], "renamed"));
    }

    private static double Rounded(double milliseconds) => Math.Round(milliseconds, 3);

    /// <summary>What the API does for each question.</summary>
    private sealed class Ours
    {
        private readonly Dictionary<(UserId, string), TagId> _ids = [];
        private readonly TagStore _store;
        private readonly TagApplication _application;
        private readonly ContactSearch _search;

        public Ours(TagWorld world)
        {
            var selection = new ContactSelection(new ContactColumns(256 << 20), ScanLimits.Default, TimeProvider.System);
            _store = new TagStore(world.Database, TimeProvider.System);
            _application = new TagApplication(world.Database, selection, TimeProvider.System);
            _search = new ContactSearch(world.Database, selection);
        }

        public async Task<long> CountAsync(UserId user, string tag) => (await _store.GetAsync(user, await IdAsync(user, tag), default))!.Contacts;

        public Task<long> SetAsync(UserId user, string[] tags) =>
            _search.CountAsync(user, ContactFilter.Parse($"tag:'{tags[0]}' and tag:'{tags[1]}' and not tag:'{tags[2]}'"));

        public Task<long> CountFilteredAsync(UserId user, string filter) => _search.CountAsync(user, ContactFilter.Parse(filter));

        public async Task<long> PageAsync(UserId user, string tag, int rows) =>
            (await _search.PageAsync(user, ContactFilter.Parse($"tag:'{tag}'"), ContactOrder.Oldest, null, rows)).Contacts.Count;

        public async Task<long> AllAsync(UserId user) => (await _store.ListAsync(user, default)).Count;

        public Task<TagResult> AddAsync(UserId user, string tag, string filter) => ApplyAsync(TagOperationKind.Add, user, tag, filter);

        public Task<TagResult> RemoveAsync(UserId user, string tag, string filter) => ApplyAsync(TagOperationKind.Remove, user, tag, filter);

        public async Task RenameAsync(UserId user, string tag, string other) =>
            await _store.ChangeAsync(user, await IdAsync(user, tag), now => now with { Name = other }, Person, default);

        private Task<TagResult> ApplyAsync(TagOperationKind kind, UserId user, string tag, string filter) => _application.ApplyAsync(
            new TagRequest(kind, [Engine.Tags.TagName.Parse(tag, "tags")], new TagTarget.Filtered(ContactFilter.Parse(filter)), Person), user, default);

        // A client knows the id from the list.
        private async Task<TagId> IdAsync(UserId user, string name)
        {
            if (!_ids.TryGetValue((user, name), out var id))
            {
                _ids.Add((user, name), id = (await _store.ListAsync(user, default)).Single(tag => tag.Name == name).Id);
            }

            return id;
        }
    }

    /// <summary>Milliseconds by benchmark and design; ours and the others take turns.</summary>
    private sealed class Times(IReadOnlyList<JsonDesign> designs)
    {
        public const string Ours = "ours";

        public Dictionary<string, Dictionary<string, List<double>>> All { get; } = [];

        public async Task ReadAsync(string bench, Func<Task<long>> ours, Func<JsonDesign, Task<long>> theirs)
        {
            var answer = 0L;
            await MeasureAsync(bench, Ours, async () => answer = await ours(), isRead: true);
            foreach (var design in designs)
            {
                var other = 0L;
                await MeasureAsync(bench, design.Name, async () => other = await theirs(design), isRead: true);
                if (other != answer)
                {
                    throw new InvalidOperationException($"{bench}: we answer {answer} and '{design.Name}' {other}.");
                }
            }
        }

        public async Task WriteAsync(string bench, Func<Task> ours, Func<JsonDesign, Task> theirs)
        {
            await MeasureAsync(bench, Ours, ours);
            foreach (var design in designs)
            {
                await MeasureAsync(bench, design.Name, () => theirs(design));
            }
        }

        private async Task MeasureAsync(string bench, string who, Func<Task> work, bool isRead = false)
        {
            // What something before it has left behind is not measured with it; nor is what a collection takes from the processor's caches, which is as much as a short question.
            GC.Collect();
            if (isRead)
            {
                await work();
            }

            var watch = Stopwatch.StartNew();
            await work();
            var elapsed = watch.Elapsed.TotalMilliseconds;
            var byDesign = All.TryGetValue(bench, out var found) ? found : All[bench] = [];
            (byDesign.TryGetValue(who, out var list) ? list : byDesign[who] = []).Add(elapsed);
        }
    }
}
