using System.Text;
using Edm.Contracts;
using Edm.Engine.Imports;
using Edm.Engine.Tags;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Imports;

/// <summary>A file that names more tags than its user may have.</summary>
public abstract class ImportTagBoundTests(IDatabases databases) : DatabaseTests(databases)
{
    private ImportStore Store => new(Database, Time);

    [Fact]
    public async Task Rows_that_name_one_tag_too_many_are_refused_and_the_others_stored()
    {
        var user = await AddUserAsync();
        await HaveTagsAsync(user, TagWriter.MaxTags - 2);
        const string file = """
            email,Labels
            a@example.com,t1;new1
            b@example.com,new2;new3
            c@example.com,new2
            d@example.com,new3
            e@example.com,t2;NEW1
            a@example.com,new4
            """;

        var dry = await RunAsync(user, file, new ImportOptions { DryRun = true });
        var dryErrors = await Store.ErrorsAsync(user, dry.Import, 0, 10);
        var summary = await RunAsync(user, file);

        Assert.Equal((6L, 3L, 3L, 0L), (summary.Rows, summary.Created, summary.Rejected, summary.Doubled));
        Assert.Equal([(3L, "Labels", "new3"), (5L, "Labels", "new3"), (7L, "Labels", "new4")], (await Store.ErrorsAsync(user, summary.Import, 0, 10)).Select(e => (e.Line, e.Field, e.Value)));
        Assert.Equal(["a@example.com new1", "a@example.com t1", "c@example.com new2", "e@example.com new1", "e@example.com t2"], await TagsAsync(user));
        Assert.Equal(summary with { Import = dry.Import }, dry);
        Assert.Equal(await Store.ErrorsAsync(user, summary.Import, 0, 10), dryErrors);
        Assert.Equal(
            """
            email,Labels,error_column,error_reason
            b@example.com,new2;new3,Labels,"this tag would be new, and you may have 10000 tags at most; merge or delete some first"
            d@example.com,new3,Labels,"this tag would be new, and you may have 10000 tags at most; merge or delete some first"
            a@example.com,new4,Labels,"this tag would be new, and you may have 10000 tags at most; merge or delete some first"

            """.ReplaceLineEndings("\n"),
            await OriginalsAsync(user, summary));
    }

    [Fact]
    public async Task A_file_of_nothing_but_different_tags_is_stored_up_to_the_bound()
    {
        var user = await AddUserAsync();
        var file = "email,tags\n" + string.Concat(Enumerable.Range(1, TagWriter.MaxTags + 100).Select(i => $"a{i}@example.com,t{i}\n")) + "b@example.com,t1\n";

        var dry = await RunAsync(user, file, new ImportOptions { DryRun = true });
        var summary = await RunAsync(user, file);

        Assert.Equal((TagWriter.MaxTags + 1L, 100L), (summary.Created, summary.Rejected));
        Assert.Equal(summary with { Import = dry.Import }, dry);
        Assert.Equal(TagWriter.MaxTags + 2, (await Store.ErrorsAsync(user, summary.Import, 0, 1))[0].Line);
        Assert.Equal(101, (await OriginalsAsync(user, summary)).Count(c => c == '\n'));
    }

    [Fact]
    public async Task Rows_whose_tags_are_not_given_to_anybody_take_no_place()
    {
        var user = await AddUserAsync();
        await HaveTagsAsync(user, TagWriter.MaxTags - 1);

        var summary = await RunAsync(user, "email,tags\nhas0@example.com,new1\nb@example.com,new2\n", new ImportOptions { Policy = ConflictPolicy.Skip });

        Assert.Equal((1L, 1L, 0L), (summary.Created, summary.Unchanged, summary.Rejected));
        Assert.Equal(["b@example.com new2"], await TagsAsync(user));
    }

    [Fact]
    public async Task The_tag_of_a_whole_import_goes_before_those_of_its_rows()
    {
        var user = await AddUserAsync();
        await HaveTagsAsync(user, TagWriter.MaxTags - 1);

        var summary = await RunAsync(user, "email,tags\na@example.com,new\nb@example.com,\n", new ImportOptions { Tags = ["whole"] });

        Assert.Equal((1L, 1L), (summary.Created, summary.Rejected));
        Assert.Equal(["b@example.com whole"], await TagsAsync(user));
    }

    private async Task<ImportSummary> RunAsync(UserId user, string file, ImportOptions? options = null)
    {
        using var importer = ImportParts.Importer(Database, Time);
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(file.ReplaceLineEndings("\n")));
        return await importer.RunAsync(user, stream, "list.csv", options ?? new ImportOptions());
    }

    /// <summary>t0, t1, t2 ..., up to 64 of them to each contact.</summary>
    private Task<ImportSummary> HaveTagsAsync(UserId user, int tags) =>
        RunAsync(user, "email,tags\n" + string.Concat(Enumerable.Range(0, tags).Chunk(64).Select((some, i) => $"has{i}@example.com,{string.Join(';', some.Select(t => $"t{t}"))}\n")));

    /// <summary>Of those whose address has one letter.</summary>
    private Task<List<string>> TagsAsync(UserId user) => Database.RunAsync(c => c.QueryToListAsync<string>(
        "SELECT c.email || ' ' || t.name FROM contact_tags x JOIN contacts c ON c.id = x.contact_id JOIN tags t ON t.id = x.tag_id WHERE x.user_id = @user AND c.email LIKE '_@%' ORDER BY c.email, t.name_key",
        new DataParameter("user", user.Value)));

    private async Task<string> OriginalsAsync(UserId user, ImportSummary summary)
    {
        using var csv = new MemoryStream();
        await new ErrorsCsv(Store).WriteAsync(user, summary.Import, ErrorsForm.Original, csv);
        return Encoding.UTF8.GetString(csv.ToArray()).ReplaceLineEndings("\n");
    }
}

public sealed class ImportTagBoundTestsOnSqlite() : ImportTagBoundTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class ImportTagBoundTestsOnPostgres(PostgresFixture postgres) : ImportTagBoundTests(new PostgresDatabases(postgres));
