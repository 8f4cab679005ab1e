using System.Globalization;
using System.Text;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Imports;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Imports;

/// <summary>What was asked for beside the file.</summary>
public abstract class ImportPolicyTests(IDatabases databases) : DatabaseTests(databases)
{
    private ImportStore Store => new(Database, Time);

    private ContactStore Contacts => new(Database, ImportParts.Suppressions(Time), Time);

    [Fact]
    public async Task Replace_takes_the_place_of_everything_but_the_status()
    {
        var user = await AddUserAsync();
        await RunAsync(user, "email,handle,bio,a,b\na@example.com,ann,hi,1,1\n");
        await Contacts.SetStatusAsync(user, (await FindAsync(user, "a@example.com"))!.Id, ContactStatus.Unsubscribed, "test");

        var summary = await RunAsync(user, "email,handle,b\na@example.com,ann2,2\n", new ImportOptions { Policy = ConflictPolicy.Replace });

        Assert.Equal(1, summary.Updated);
        var contact = (await FindAsync(user, "a@example.com"))!;
        Assert.Equal(("ann2", null, ContactStatus.Unsubscribed), (contact.Card.Handle, contact.Card.Bio, contact.Status));
        Assert.Equal(new Dictionary<string, string> { ["b"] = "2" }, contact.Card.Attributes);
    }

    [Fact]
    public async Task Skip_leaves_who_is_there_alone_and_merges_the_rows_of_who_is_not()
    {
        var user = await AddUserAsync();
        await RunAsync(user, "email,handle\na@example.com,ann\n");

        var summary = await RunAsync(user, "email,handle,bio\na@example.com,x,x\nb@example.com,bob,\nb@example.com,,hi\n", new ImportOptions { Policy = ConflictPolicy.Skip });

        Assert.Equal((3L, 1L, 0L, 1L, 1L), (summary.Rows, summary.Created, summary.Updated, summary.Unchanged, summary.Doubled));
        Assert.Equal("ann", (await FindAsync(user, "a@example.com"))!.Card.Handle);
        Assert.Equal(("bob", "hi"), (await FindAsync(user, "b@example.com")) is { } bob ? (bob.Card.Handle, bob.Card.Bio) : default);
    }

    [Fact]
    public async Task Reject_refuses_the_rows_of_who_is_there()
    {
        var user = await AddUserAsync();
        await RunAsync(user, "email,handle\na@example.com,ann\n");

        var summary = await RunAsync(user, "email,handle\nb@example.com,bob\nA@example.com,x\nbad,y\n", new ImportOptions { Policy = ConflictPolicy.Reject });

        Assert.Equal((1L, 2L), (summary.Created, summary.Rejected));
        Assert.Equal([(3L, "A@example.com"), (4L, "bad")], (await Store.ErrorsAsync(user, summary.Import, 0, 10)).Select(e => (e.Line, e.Value)));
        Assert.Equal("email,handle,error_column,error_reason\nA@example.com,x,email,a contact with this address is there already\nbad,y,email,not an e-mail address: there is no @\n",
            await OriginalsAsync(user, summary));
        Assert.Equal("ann", (await FindAsync(user, "a@example.com"))!.Card.Handle);
    }

    [Fact]
    public async Task Who_was_suppressed_is_not_brought_back_and_not_named()
    {
        var user = await AddUserAsync();
        var other = await AddUserAsync("other");
        await Database.WriteAsync(c => ImportParts.Suppressions(Time).AddAsync(c, user, "gone@example.com", SuppressionReason.Erased, default));

        var summary = await RunAsync(user, "email,handle\nGone@example.com,g\na@example.com,ann\ngone@example.com,h\n");

        Assert.Equal((3L, 1L, 0L, 2L, 0L), (summary.Rows, summary.Created, summary.Rejected, summary.Suppressed, summary.Doubled));
        Assert.Null(await FindAsync(user, "gone@example.com"));
        var errors = await Store.ErrorsAsync(user, summary.Import, 0, 10);
        Assert.Equal([2L, 4L], errors.Select(e => e.Line));
        Assert.All(errors, error => Assert.Equal(("", "this person was erased and is not brought back"), (error.Value, error.Reason)));
        Assert.Equal("email,handle,error_column,error_reason\n", await OriginalsAsync(user, summary));
        Assert.Equal(1, (await RunAsync(other, "email\ngone@example.com\n")).Created);
    }

    [Fact]
    public async Task A_dry_run_counts_what_the_import_then_does_and_touches_nothing()
    {
        var user = await AddUserAsync();
        await RunAsync(user, "email,handle\n" + Rows(0, 100, "old"));
        // More than a chunk, with addresses that come again in another one, known, new and bad.
        var file = "email,handle,tags\n" + Rows(0, 20_000, "new", ",t") + Rows(50, 200, "newer") + "bad,x,\n" + Rows(30_000, 10, "x");
        var before = await CountAsync("contact_changes");

        var dry = await RunAsync(user, file, new ImportOptions { DryRun = true });

        Assert.Equal((100L, before, 0L), (await Search.CountAsync(user, ContactFilter.All), await CountAsync("contact_changes"), await CountAsync("tags")));
        Assert.Single(await Store.ErrorsAsync(user, dry.Import, 0, 10));
        var real = await RunAsync(user, file);
        Assert.Equal(dry with { Import = default }, real with { Import = default });
    }

    [Fact]
    public async Task Too_many_bad_rows_end_the_import_before_anything_is_stored()
    {
        var user = await AddUserAsync();
        var file = "email\n" + Rows(0, 20_000, "") .Replace(",", "", StringComparison.Ordinal) + "bad\nworse\n";

        await Assert.ThrowsAsync<TooManyErrorsException>(() => RunAsync(user, file, new ImportOptions { MaxErrors = 1 }));

        Assert.Equal(0, await Search.CountAsync(user, ContactFilter.All));
        var import = Assert.Single(await Store.PageAsync(user, null, 10));
        Assert.Equal((ImportState.Failed, 2L), (import.State, import.Rejected));
        Assert.Equal(["bad", "worse"], (await Store.ErrorsAsync(user, import.Id, 0, 10)).Select(e => e.Value));
        Assert.Equal(20_000, (await RunAsync(user, file, new ImportOptions { MaxErrors = 2 })).Created);
    }

    [Fact]
    public async Task Too_many_rows_that_the_policy_refuses_end_the_import_and_it_says_what_is_stored()
    {
        var user = await AddUserAsync();
        await RunAsync(user, "email,handle\n" + Rows(30_000, 2, "x"));

        var refused = await Assert.ThrowsAsync<TooManyErrorsException>(
            () => RunAsync(user, "email,handle\n" + Rows(0, 30_002, "y"), new ImportOptions { MaxErrors = 1, Policy = ConflictPolicy.Reject }));

        var stored = await Search.CountAsync(user, ContactFilter.All) - 2;
        Assert.InRange(stored, 1, 30_000);
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"The {stored} rows before are stored"), refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refused_rows_come_back_in_the_owners_columns_and_can_be_mended()
    {
        var user = await AddUserAsync();
        var summary = await RunAsync(user, "Name; E-mail ;Followers\n\"Ann; Lee\";a at example.com;12\nBob;b@example.com;many\nCid;c@example.com;3;4\n");

        Assert.Equal(
            "Name, E-mail ,Followers,error_column,error_reason\n"
            + "Ann; Lee,a at example.com,12, E-mail ,not an e-mail address: there is no @\n"
            + "Bob,b@example.com,many,Followers,\"not a number of followers, such as 1300000, 1,300,000 or 1.3M\"\n"
            + "Cid,c@example.com,3 4,column 4,the header has only 3 columns\n",
            await OriginalsAsync(user, summary));
    }

    [Fact]
    public async Task Refused_objects_come_back_as_columns_too()
    {
        var user = await AddUserAsync();
        var summary = await RunAsync(user, "{\"email\":\"x\",\"stats\":{\"likes\":5}}\n{\"email\":\"y\",\"mood\":\"=1\"}\n{\"email\":\"a@example.com\"}\n");

        Assert.Equal(
            "email,stats.likes,mood,error_column,error_reason\nx,5,,email,not an e-mail address: there is no @\ny,,=1,email,not an e-mail address: there is no @\n",
            await OriginalsAsync(user, summary));
    }

    [Theory]
    [InlineData(TagWhich.New, "c")]
    [InlineData(TagWhich.Changed, "b")]
    [InlineData(TagWhich.All, "a b c")]
    public async Task An_import_tags_what_it_brings(TagWhich which, string expected)
    {
        var user = await AddUserAsync();
        await RunAsync(user, "email,handle\na@example.com,ann\nb@example.com,bob\n");

        var summary = await RunAsync(
            user, "email,handle,tags\na@example.com,ann,own;both\nb@example.com,bob2,\nc@example.com,cid,Own\nc@example.com,,late\n", new ImportOptions { Tags = ["spring"], TagWhich = which });

        Assert.Equal((1L, 1L, 1L), (summary.Created, summary.Updated, summary.Unchanged));
        Assert.Equal(expected, string.Join(' ', await TaggedAsync(user, "spring")));
        Assert.Equal(["a", "c"], await TaggedAsync(user, "own"));
        Assert.Equal(["a"], await TaggedAsync(user, "both"));
        Assert.Equal(["c"], await TaggedAsync(user, "late"));
        Assert.Equal(1, await CountAsync("tag_operations"));
    }

    [Fact]
    public async Task A_file_whose_rows_change_one_contact_to_and_fro_changes_nothing_when_it_comes_again()
    {
        var user = await AddUserAsync();
        var file = "email,handle,mood\na@example.com,first,glad\n" + Rows(0, 40_000, "x") + "a@example.com,second,sad\n";
        await RunAsync(user, file);

        var again = await RunAsync(user, file);

        Assert.Equal((40_002L, 0L, 0L, 40_001L, 1L), (again.Rows, again.Created, again.Updated, again.Unchanged, again.Doubled));
        Assert.Equal("second", (await FindAsync(user, "a@example.com"))!.Card.Handle);
        Assert.Equal(0, await CountAsync("contact_changes"));
    }

    [Fact]
    public async Task What_an_import_changes_is_the_contacts_history()
    {
        var user = await AddUserAsync();
        await RunAsync(user, "email,handle,followers,mood\na@example.com,ann,1,glad\n");

        var summary = await RunAsync(user, "email,handle,followers,mood\na@example.com,ann2,2,sad\n");

        var (source, reference, changes) = Assert.Single(await Database.RunAsync(c => c.QueryToListAsync(
            row => (row.GetString(0), row.GetString(1), row.GetString(2)), "SELECT source, reference, cast(changes AS text) FROM contact_changes")));
        Assert.Equal(("import", summary.Import.ToString()), (source, reference));
        Assert.Equal("""{"attributes.mood":["glad","sad"],"followers":[1,2],"handle":["ann","ann2"]}""", Sorted(changes));
    }

    private static string Sorted(string json) => System.Text.Json.JsonSerializer.Serialize(
        new SortedDictionary<string, System.Text.Json.JsonElement>(System.Text.Json.JsonSerializer.Deserialize<Dictionary<string, System.Text.Json.JsonElement>>(json)!, StringComparer.Ordinal));

    private static string Rows(int first, int count, string handle, string more = "") =>
        string.Concat(Enumerable.Range(first, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"a{i}@example.com,{handle}{more}\n")));

    private Task<Contact?> FindAsync(UserId user, string email) => Contacts.FindAsync(user, email);

    private Task<long> CountAsync(string table) => Database.RunAsync(c => c.ExecuteAsync<long>($"SELECT count(*) FROM {table}"));

    private Task<List<string>> TaggedAsync(UserId user, string tag) => Database.RunAsync(c => c.QueryToListAsync<string>(
        $"SELECT replace(c.email, '@example.com', '') FROM contact_tags x JOIN contacts c ON c.id = x.contact_id JOIN tags t ON t.id = x.tag_id WHERE x.user_id = {user} AND t.name_key = '{tag}' ORDER BY 1"));

    private async Task<string> OriginalsAsync(UserId user, ImportSummary summary)
    {
        using var csv = new MemoryStream();
        Assert.True(await new ErrorsCsv(Store).WriteAsync(user, summary.Import, ErrorsForm.Original, csv));
        return Encoding.UTF8.GetString(csv.ToArray()).Replace("\r\n", "\n", StringComparison.Ordinal);
    }

    private async Task<ImportSummary> RunAsync(UserId user, string file, ImportOptions? options = null)
    {
        using var importer = ImportParts.Importer(Database, Time);
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(file));
        return await importer.RunAsync(user, stream, "list", options ?? new ImportOptions());
    }
}

public sealed class ImportPolicyTestsOnSqlite() : ImportPolicyTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class ImportPolicyTestsOnPostgres(PostgresFixture postgres) : ImportPolicyTests(new PostgresDatabases(postgres));
