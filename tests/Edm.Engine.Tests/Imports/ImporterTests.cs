using System.Globalization;
using System.Text;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Search;
using Edm.Engine.Imports;
using Edm.Engine.Storage;
using Edm.Testing;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Edm.Engine.Tests.Imports;

public abstract class ImporterTests(IDatabases databases) : DatabaseTests(databases)
{
    private ImportStore Store => new(Database, Time);

    private ContactStore Contacts => new(Database, ImportParts.Suppressions(Time), Time);

    [Fact]
    public async Task A_file_becomes_contacts_in_its_order()
    {
        var user = await AddUserAsync();

        var summary = await RunAsync(user, "email,handle,followers,niche,note\nb@example.com,bob,97K,food,🌷\na@example.com,ann,1.3M,beauty,\n");

        Assert.Equal((2L, 2L, 0L, 0L, 0L), Counts(summary));
        var contacts = (await Search.PageAsync(user, ContactFilter.All, ContactOrder.Oldest, null, 10)).Contacts;
        Assert.Equal(["b@example.com", "a@example.com"], contacts.Select(c => c.Card.Email));
        Assert.Equal(("bob", 97_000L, "food", "🌷"), (contacts[0].Card.Handle, contacts[0].Card.Followers, contacts[0].Card.Category, contacts[0].Card.Attributes["note"]));
        var import = (await Store.GetAsync(user, summary.Import))!;
        Assert.Equal((ImportState.Finished, "csv", "list", 2L, 2L), (import.State, import.Format, import.FileName, import.Rows, import.Created));
    }

    [Fact]
    public async Task The_same_file_again_writes_nothing()
    {
        var user = await AddUserAsync();
        const string file = "email,handle,bio,Views avg.,emoji\na@example.com,ann,\"<b>\"\"hi\"\"</b> \\ /\",97K,\"👩‍👩‍👧 \"\"é\"\"\"\nb@example.com,bob,,,\n";
        await RunAsync(user, file);
        var before = await StampsAsync();

        var again = await RunAsync(user, file);

        Assert.Equal((2L, 0L, 0L, 2L, 0L), Counts(again));
        Assert.Equal(before, await StampsAsync());
    }

    [Fact]
    public async Task New_values_win_missing_ones_change_nothing_and_attributes_are_merged()
    {
        var user = await AddUserAsync();
        await RunAsync(user, "email,handle,nickname,followers,a,b\na@example.com,ann,Ann,100,1,1\n");

        var summary = await RunAsync(user, "email,handle,nickname,followers,b,c\nA@example.com,ann2,,200,2,2\n");

        Assert.Equal((1L, 0L, 1L, 0L, 0L), Counts(summary));
        var contact = (await Contacts.FindAsync(user, "a@example.com"))!;
        Assert.Equal(("ann2", "Ann", 200L), (contact.Card.Handle, contact.Card.Nickname, contact.Card.Followers));
        Assert.Equal(new Dictionary<string, string> { ["a"] = "1", ["b"] = "2", ["c"] = "2" }, contact.Card.Attributes);
    }

    [Fact]
    public async Task An_address_that_stands_twice_in_a_file_is_one_contact_of_which_the_later_row_wins()
    {
        var user = await AddUserAsync();
        const string file = """
            email,handle,nickname,followers,a,b
            a@example.com,first,Ann,100,1,1
            b@example.com,bob,,,,
            A@example.com,second,,,,2
            a@example.com,,,300,,
            """;

        var summary = await RunAsync(user, file);
        var again = await RunAsync(user, file);

        Assert.Equal((4L, 2L, 0L, 0L, 0L), Counts(summary));
        Assert.Equal((4L, 0L, 0L, 2L, 0L), Counts(again));
        Assert.Equal(2, summary.Doubled);
        var contact = (await Search.PageAsync(user, ContactFilter.All, ContactOrder.Oldest, null, 10)).Contacts[0];
        Assert.Equal(("a@example.com", "second", "Ann", 300L), (contact.Card.Email, contact.Card.Handle, contact.Card.Nickname, contact.Card.Followers));
        Assert.Equal(new Dictionary<string, string> { ["a"] = "1", ["b"] = "2" }, contact.Card.Attributes);
    }

    [Fact]
    public async Task Attributes_of_many_files_do_not_pile_up_without_end()
    {
        var user = await AddUserAsync();
        for (var file = 0; file < 6; file++)
        {
            var names = Enumerable.Range(0, 60).Select(i => $"f{file}c{i}").ToArray();
            await RunAsync(user, $"email,{string.Join(',', names)}\na@example.com,{string.Join(',', names)}\n");
        }

        // Four files fit into 256; the fifth began anew.
        Assert.Equal(120, (await Contacts.FindAsync(user, "a@example.com"))!.Card.Attributes.Count);
    }

    [Fact]
    public async Task Refused_rows_are_kept_with_their_line_and_can_be_downloaded()
    {
        var user = await AddUserAsync();
        const string file = "email,followers,note\na@example.com,1,\n,2,\nno,3,\nb@example.com,many,\nc@example.com,4,x,extra\n\"=cmd()\n,\"\"x\"\"\",5,\n";

        var summary = await RunAsync(user, file);

        Assert.Equal((6L, 1L, 0L, 0L, 5L), Counts(summary));
        using var csv = new MemoryStream();
        Assert.True(await new ErrorsCsv(Store).WriteAsync(user, summary.Import, ErrorsForm.Reasons, csv));
        Assert.Equal(
            """"
            line,field,value,reason
            3,email,,no e-mail address
            4,email,no,not an e-mail address: there is no @
            5,followers,many,"not a number of followers, such as 1300000, 1,300,000 or 1.3M"
            6,column 4,extra,the header has only 3 columns
            7,email,"'=cmd()
            ,""x""",not an e-mail address: there is no @

            """".ReplaceLineEndings("\n"),
            Encoding.UTF8.GetString(csv.ToArray()).ReplaceLineEndings("\n"));
        Assert.Equal([4L, 5L], (await Store.ErrorsAsync(user, summary.Import, 1, 2)).Select(e => e.Line));
    }

    [Fact]
    public async Task A_bad_file_changes_nothing_but_the_list_of_imports()
    {
        var user = await AddUserAsync();
        var many = string.Concat(Enumerable.Range(0, 5000).Select(i => $"a{i}@example.com,x\nbad,x\n"));

        var refused = await Assert.ThrowsAsync<ImportFormatException>(() => RunAsync(user, $"email,note\n{many}c@example.com,\"open\n"));

        Assert.Equal(10_002, refused.Line);
        Assert.Equal(0, await Search.CountAsync(user, ContactFilter.All));
        var import = Assert.Single(await Store.PageAsync(user, null, 10));
        Assert.Equal((ImportState.Failed, refused.Message), (import.State, import.Error));
        Assert.NotNull(import.FinishedAt);
        Assert.Empty(await Store.ErrorsAsync(user, import.Id, 0, 10));
    }

    [Fact]
    public async Task A_file_of_an_unknown_kind_is_kept_as_failed_too()
    {
        var user = await AddUserAsync();

        await Assert.ThrowsAsync<ImportFormatException>(() => RunAsync(user, [0x50, 0x4B, 0x03, 0x04]));

        Assert.Equal((ImportState.Failed, "unknown"), (Assert.Single(await Store.PageAsync(user, null, 10)) is var i ? (i.State, i.Format) : default));
    }

    [Fact]
    public async Task Who_unsubscribed_stays_so()
    {
        var user = await AddUserAsync();
        await RunAsync(user, "email,handle\na@example.com,ann\n");
        var id = (await Contacts.FindAsync(user, "a@example.com"))!.Id;
        await Contacts.SetStatusAsync(user, id, ContactStatus.Unsubscribed, "test");

        await RunAsync(user, "email,handle,status\na@example.com,ann2,active\n");

        Assert.Equal((ContactStatus.Unsubscribed, "ann2"), (await Contacts.GetAsync(user, id)) is { } c ? (c.Status, c.Card.Handle) : default);
    }

    [Fact]
    public async Task Two_users_with_one_address_have_a_contact_each_and_see_only_their_own()
    {
        var one = await AddUserAsync("one");
        var two = await AddUserAsync("two");
        await RunAsync(one, "email,handle\na@example.com,ann\n");

        var summary = await RunAsync(two, "email,handle\na@example.com,other\nbad,x\n");

        Assert.Equal((2L, 1L, 0L, 0L, 1L), Counts(summary));
        Assert.Equal("ann", (await Contacts.FindAsync(one, "a@example.com"))!.Card.Handle);
        Assert.Null(await Store.GetAsync(one, summary.Import));
        Assert.Empty(await Store.ErrorsAsync(one, summary.Import, 0, 10));
        Assert.False(await new ErrorsCsv(Store).WriteAsync(one, summary.Import, ErrorsForm.Reasons, Stream.Null));
    }

    [Theory]
    [InlineData("{\"email\":\"a@example.com\",\"stats\":{\"likes\":5}}\n{\"bio\":\"me: b@example.com\",\"followers\":97000}\n")]
    [InlineData("[{\"email\":\"a@example.com\",\"stats\":{\"likes\":5}},{\"bio\":\"me: b@example.com\",\"followers\":97000}]")]
    public async Task JSON_is_imported_plain_and_packed(string file)
    {
        var user = await AddUserAsync();

        var plain = await RunAsync(user, file);
        var packed = await RunAsync(user, RowReaderTests.Pack(Encoding.UTF8.GetBytes(file)));

        Assert.Equal((2L, 2L, 0L, 0L, 0L), Counts(plain));
        Assert.Equal((2L, 0L, 0L, 2L, 0L), Counts(packed));
        Assert.Equal("5", (await Contacts.FindAsync(user, "a@example.com"))!.Card.Attributes["stats_likes"]);
        Assert.Equal(97_000, (await Contacts.FindAsync(user, "b@example.com"))!.Card.Followers);
    }

    [Fact]
    public async Task A_file_of_many_chunks_is_counted_right_when_half_of_it_is_known()
    {
        var user = await AddUserAsync();
        const int rows = 45_000;
        await RunAsync(user, List(0, rows / 2, "old"));

        List<ImportProgress> reports = [];
        var summary = await RunAsync(user, Encoding.UTF8.GetBytes(List(0, rows, "new") + "a0@example.com,last\n"), new Reports(reports));

        Assert.Equal((rows + 1, rows / 2, rows / 2, 0L, 0L), Counts(summary));
        Assert.Equal(rows, await Search.CountAsync(user, ContactFilter.All));
        Assert.Equal("last", (await Contacts.FindAsync(user, "a0@example.com"))!.Card.Handle);
        Assert.Equal((ImportState.Finished, rows + 1L), (reports[^1].State, reports[^1].Rows));
    }

    [Fact]
    public async Task Imports_of_one_user_at_the_same_time_end_in_the_same_contacts()
    {
        var user = await AddUserAsync();

        var importer = Importer();
        await Task.WhenAll(
            Task.Run(() => RunAsync(user, Encoding.UTF8.GetBytes(List(0, 9000, "x")), importer: importer)),
            Task.Run(() => RunAsync(user, Encoding.UTF8.GetBytes(List(-9000, 9000, "x")), importer: importer)));

        Assert.Equal(9000, await Search.CountAsync(user, ContactFilter.Parse("handle = x")));
    }

    [Fact]
    public async Task A_user_has_a_bounded_number_of_imports_and_gets_the_place_back()
    {
        var user = await AddUserAsync();
        var other = await AddUserAsync("other");
        var importer = Importer();
        var gates = Enumerable.Range(0, Edm.Engine.Imports.Importer.MaxRunningPerUser).Select(_ => new GatedStream("email\na@example.com\n")).ToArray();
        var running = gates.Select(gate => RunAsync(user, gate, importer: importer)).ToArray();

        await Assert.ThrowsAsync<TooManyImportsException>(() => RunAsync(user, Encoding.UTF8.GetBytes("email\n"), importer: importer));
        await RunAsync(other, "email\nb@example.com\n"u8.ToArray(), importer: importer);

        Array.ForEach(gates, gate => gate.Open());
        await Task.WhenAll(running);
        await RunAsync(user, "email\nc@example.com\n"u8.ToArray(), importer: importer);
    }

    [Fact]
    public async Task An_import_that_is_broken_off_is_failed_and_can_be_repeated()
    {
        var user = await AddUserAsync();
        using var gate = new GatedStream("email\na@example.com\n");
        using var cancellation = new CancellationTokenSource();
        var running = RunAsync(user, gate, cancellation: cancellation.Token);
        await Eventually.Async(async () => (await Store.PageAsync(user, null, 1)) is [{ State: ImportState.Reading }], TimeSpan.FromSeconds(20), "the import has begun");

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        Assert.Equal((ImportState.Failed, ImportStore.Interrupted), (Assert.Single(await Store.PageAsync(user, null, 10)) is var i ? (i.State, i.Error) : default));
        Assert.Equal(1, (await RunAsync(user, "email\na@example.com\n")).Created);
    }

    [Fact]
    public async Task A_merge_that_is_cut_off_is_completed_by_the_same_file()
    {
        var user = await AddUserAsync();
        var file = Encoding.UTF8.GetBytes(List(0, 50_000, "x"));
        using var cancellation = new CancellationTokenSource();
        using var stream = new MemoryStream(file);
        var cut = Importer().RunAsync(
            user, stream, "list", new ImportOptions(), new Stop(ImportState.Merging, cancellation), cancellation.Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cut);
        var stored = await Search.CountAsync(user, ContactFilter.All);
        var again = await RunAsync(user, file);

        Assert.InRange(stored, 1, 49_999);
        Assert.Equal((50_000L, 50_000L - stored, 0L, stored, 0L), Counts(again));
        Assert.Equal([ImportState.Finished, ImportState.Interrupted], (await Store.PageAsync(user, null, 10)).Select(i => i.State));
    }

    [Fact]
    public async Task Imports_of_dead_processes_are_marked_and_living_ones_left_alone()
    {
        var user = await AddUserAsync();
        using var gate = new GatedStream("email\na@example.com\n");
        var running = RunAsync(user, gate);
        await Eventually.Async(async () => (await Store.PageAsync(user, null, 1)).Count == 1, TimeSpan.FromSeconds(20), "the import has begun");
        await Database.RunAsync(c => c.ExecuteAsync(
            "INSERT INTO imports (user_id, file_name, format, state, created_at) VALUES (@user, 'dead.csv', 'csv', 'merging', 0)", new DataParameter("user", user.Value)));

        using var importer = Importer();
        Assert.Equal(1, await ImportParts.Recovery(Database, Time, importer).MarkAsync());
        gate.Open();
        await running;

        Assert.Equal([ImportState.Interrupted, ImportState.Finished], (await Store.PageAsync(user, null, 10)).Select(i => i.State));
        Assert.Equal(0, await ImportParts.Recovery(Database, Time, importer).MarkAsync());
    }

    [Fact]
    public async Task The_newest_imports_come_first_and_pages_go_on()
    {
        var user = await AddUserAsync();
        for (var i = 0; i < 3; i++)
        {
            await RunAsync(user, "email\na@example.com\n");
        }

        var first = await Store.PageAsync(user, null, 2);
        var second = await Store.PageAsync(user, first[^1].Id, 2);

        Assert.Equal(first.Concat(second).Select(i => i.Id.Value).OrderDescending(), first.Concat(second).Select(i => i.Id.Value));
        Assert.Equal((2, 1), (first.Count, second.Count));
    }

    [Fact]
    public async Task More_rows_than_allowed_are_refused()
    {
        var user = await AddUserAsync();
        using var file = new MemoryStream(Encoding.UTF8.GetBytes(List(0, 11, "x")));

        var refused = await Assert.ThrowsAsync<ImportFormatException>(() => Importer().RunAsync(user, file, "list", new ImportOptions { MaxRows = 10 }));

        Assert.Equal(12, refused.Line);
    }

    protected Task<ImportSummary> RunAsync(UserId user, string file) => RunAsync(user, Encoding.UTF8.GetBytes(file));

    private async Task<ImportSummary> RunAsync(UserId user, byte[] file, IProgress<ImportProgress>? progress = null, Importer? importer = null)
    {
        using var stream = new MemoryStream(file);
        return await RunAsync(user, stream, progress, importer);
    }

    private async Task<ImportSummary> RunAsync(
        UserId user, Stream file, IProgress<ImportProgress>? progress = null, Importer? importer = null, CancellationToken cancellation = default) =>
        await (importer ?? Importer()).RunAsync(user, file, "list", new ImportOptions(), progress, cancellation);

    private Importer Importer() => ImportParts.Importer(Database, Time);

    private static (long Rows, long Created, long Updated, long Unchanged, long Rejected) Counts(ImportSummary summary) =>
        (summary.Rows, summary.Created, summary.Updated, summary.Unchanged, summary.Rejected);

    /// <summary>A negative first counts down, so that two lists have the same contacts in another order.</summary>
    private static string List(int first, int count, string handle) =>
        "email,handle\n" + string.Concat(Enumerable.Range(first, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"a{(first < 0 ? -i - 1 : i)}@example.com,{handle}\n")));

    // What changes when a row is written: the version of the row on PostgreSQL; on SQLite our own time stamp must do.
    private Task<List<string>> StampsAsync() => Database.RunAsync(c => c.QueryToListAsync<string>(
        $"SELECT {(Database.IsPostgres ? "xmin::text || ctid::text" : "cast(updated_at as text)")} FROM contacts ORDER BY id"));

    private sealed class Stop(ImportState at, CancellationTokenSource cancellation) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value)
        {
            if (value.State == at)
            {
                cancellation.Cancel();
            }
        }
    }

    private sealed class Reports(List<ImportProgress> reports) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value) => reports.Add(value);
    }
}

public sealed class ImporterTestsOnSqlite() : ImporterTests(new SqliteDatabases())
{
    [Fact]
    public async Task Nothing_is_left_in_the_staging_folder()
    {
        var user = await AddUserAsync();
        await RunAsync(user, "email\na@example.com\n");
        await Assert.ThrowsAsync<ImportFormatException>(() => RunAsync(user, "email\n\"open"));
        var folder = Path.Combine(Database.Settings.DataFolder, "staging");
        Assert.Empty(Directory.EnumerateFiles(folder));

        await File.WriteAllTextAsync(Path.Combine(folder, "import-99.upload"), "of a dead process");
        using var importer = ImportParts.Importer(Database, Time);
        await ImportParts.Recovery(Database, Time, importer).MarkAsync();

        Assert.Empty(Directory.EnumerateFiles(folder));
    }
}

[Collection(PostgresFixture.Collection)]
public sealed class ImporterTestsOnPostgres(PostgresFixture postgres) : ImporterTests(new PostgresDatabases(postgres))
{
    [Fact]
    public async Task A_server_that_goes_away_fails_the_import_and_the_next_start_says_so()
    {
        await using var server = await PostgresServer.CreateAsync(fsync: false);
        using var database = new EdmDatabase(new StorageSettings(await server.CreateDatabaseAsync(), Database.Settings.DataFolder));
        await new Migrator(database, Time, NullLogger<Migrator>.Instance).MigrateAsync();
        var user = new UserId(await database.RunAsync(c => c.ExecuteAsync<long>("INSERT INTO users (name, role, created_at) VALUES ('user', 'user', 0) RETURNING id")));
        var store = new ImportStore(database, Time);
        using var importer = ImportParts.Importer(database, Time);
        using var gate = new GatedStream("email\na@example.com\n");
        var running = importer.RunAsync(user, gate, "list", new ImportOptions());
        await Eventually.Async(async () => (await store.PageAsync(user, null, 1)).Count == 1, TimeSpan.FromSeconds(20), "the import has begun");

        await server.StopAsync();
        gate.Open();
        Assert.True(StorageFaults.IsTransient(await Assert.ThrowsAnyAsync<Exception>(() => running)));
        await server.StartAsync();

        Assert.Equal(ImportState.Reading, (await store.PageAsync(user, null, 1))[0].State);
        Assert.Equal(1, await ImportParts.Recovery(database, Time, importer).MarkAsync());
        Assert.Equal((ImportState.Failed, ImportStore.Interrupted), (await store.PageAsync(user, null, 1))[0] is var i ? (i.State, i.Error) : default);
    }
}
