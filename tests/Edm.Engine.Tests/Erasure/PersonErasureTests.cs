using System.Globalization;
using System.Text;
using Edm.Contracts;
using Edm.Engine.Campaigns;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Duplicates;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Erasure;
using Edm.Engine.Imports;
using Edm.Engine.Segments;
using Edm.Engine.Services.Sandbox;
using Edm.Engine.Tags;
using Edm.Testing;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Edm.Engine.Tests.Erasure;

public sealed class PersonErasureTestsOnSqlite() : PersonErasureTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class PersonErasureTestsOnPostgres(PostgresFixture postgres) : PersonErasureTests(new PostgresDatabases(postgres));

public abstract class PersonErasureTests(IDatabases databases) : DatabaseTests(databases)
{
    /// <summary>What she is and was called; each stands nowhere else.</summary>
    private static readonly string[] Jane =
        ["jane.roe@example.com", "jane.old@example.com", "jane.twin@example.com", "jane.second@example.com", "janeroe77", "Quillon-Roe", "rare bio words", "rare attribute"];

    private static readonly SuppressionKey Key = new(new byte[32]);

    private ContactStore Contacts => new(Database, ImportParts.Suppressions(Time), Time);

    private PersonErasure Erasures => new(Database, ImportParts.Suppressions(Time), Key, Time);

    [Fact]
    public async Task No_table_holds_anything_of_an_erased_person_and_all_counts_stay_right()
    {
        var user = await AddUserAsync();
        var world = await WorldAsync(user);
        var before = await CountsAsync(user);
        var others = await StoredWords.FindAsync(Database, "bob@example.com");
        foreach (var word in Jane)
        {
            Assert.NotEmpty(await StoredWords.FindAsync(Database, word));
        }

        var erased = await Erasures.EraseAsync(user, world.Jane, "laptop");

        Assert.Empty(await StoredWords.FindAsync(Database, Jane));
        Assert.Equal((world.Jane, "laptop", null), (erased!.Contact, erased.By, erased.FinishedAt));
        Assert.Equal(before, await CountsAsync(user));
        Assert.Equal(others, await StoredWords.FindAsync(Database, "bob@example.com"));
        await TagsAreExactAsync();
        Assert.Equal("sent 1 250  the person was erased", await DeliveryAsync(world.Task, world.Seq));
        Assert.Equal($"email = \"{PersonWords.CutInFilter}\" or followers > 5", (await new SegmentStore(Database, Selection, Time).GetAsync(user, world.Segment))!.Filter);
        Assert.Equal("my manager: <erased>", (await Contacts.FindAsync(user, "bob@example.com"))!.Card.Bio);
    }

    [Fact]
    public async Task Audiences_skip_an_erased_person_and_say_why()
    {
        var user = await AddUserAsync();
        var world = await WorldAsync(user);
        await Erasures.EraseAsync(user, world.Jane, "laptop");
        var bob = (await Contacts.FindAsync(user, "bob@example.com"))!.Id;
        await Contacts.DeleteAsync(user, bob);

        var loaded = (await new RecipientSource(Database).LoadAsync(world.Task, [1, 2, 3], default))!.Recipients;

        Assert.Equal(
            ["the contact was deleted", "the person was erased"],
            loaded.Where(recipient => recipient.Contact is null).Select(recipient => recipient.SkipReason).Order());
    }

    [Fact]
    public async Task No_import_brings_an_erased_person_back_under_any_of_the_addresses()
    {
        var user = await AddUserAsync();
        var world = await WorldAsync(user);
        await Erasures.EraseAsync(user, world.Jane, "laptop");

        var summary = await ImportAsync(user, "email\nJane.Roe@EXAMPLE.com\njane.old@example.com\njane.twin@example.com\njane.second@example.com\nnew@example.com\n", "again.csv");

        Assert.Equal((1, 4), (summary.Created, summary.Suppressed));
        Assert.Empty(await StoredWords.FindAsync(Database, Jane));
        var refused = await Assert.ThrowsAsync<ConflictException>(() => Contacts.CreateAsync(user, new ContactDraft { Email = "jane.roe@example.com" }, "laptop"));
        Assert.Contains("was erased", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_row_of_an_erased_person_that_is_refused_for_something_else_is_not_kept()
    {
        var user = await AddUserAsync();
        await Erasures.EraseAsync(user, "jane@example.com", "laptop");

        var summary = await ImportAsync(user, "email,followers,bio\njane@example.com,many,words of hers\nbob@example.com,many,words of his\nnot one,1,ask Jane@Example.com.\n", "list.csv");

        Assert.Equal((0, 3), (summary.Created, summary.Rejected));
        Assert.Empty(await StoredWords.FindAsync(Database, "jane@example.com", "words of hers"));
        Assert.NotEmpty(await StoredWords.FindAsync(Database, "words of his"));
    }

    [Fact]
    public async Task Asked_again_it_answers_the_same_and_of_others_it_knows_nothing()
    {
        var user = await AddUserAsync();
        var stranger = await AddUserAsync("stranger");
        var jane = (await Contacts.CreateAsync(user, new ContactDraft { Email = "jane@example.com" }, "laptop")).Id;
        var theirs = (await Contacts.CreateAsync(stranger, new ContactDraft { Email = "jane@example.com", Bio = "write to jane@example.com" }, "laptop")).Id;
        var namesake = (await Contacts.CreateAsync(user, new ContactDraft { Email = "mary-jane@example.com" }, "laptop")).Id;

        Assert.Null(await Erasures.EraseAsync(stranger, jane, "phone"));
        var first = await Erasures.EraseAsync(user, jane, "laptop");
        var again = await Erasures.EraseAsync(user, jane, "phone");
        var byAddress = await Erasures.EraseAsync(user, "JANE@example.com", "phone");

        Assert.Equal(first, again);
        Assert.Equal(first, byAddress);
        Assert.Equal("write to jane@example.com", (await Contacts.GetAsync(stranger, theirs))!.Card.Bio);
        Assert.NotNull(await Contacts.GetAsync(user, namesake));
        Assert.Null(await Erasures.GetAsync(stranger, first!.Id));
        Assert.Empty(await Erasures.PageAsync(stranger, null, 10));
        Assert.Equal([first], await Erasures.PageAsync(user, null, 10));
    }

    [Fact]
    public async Task A_person_who_is_no_contact_is_erased_by_the_address_and_does_not_come_in()
    {
        var user = await AddUserAsync();
        await ImportAsync(user, "email,followers\njane@example.com,many\nbob@example.com,1\n", "list.csv");

        var erased = await Erasures.EraseAsync(user, " Jane@Example.com ", "laptop");
        var later = await ImportAsync(user, "email\njane@example.com\n", "later.csv");

        Assert.Null(erased.Contact);
        Assert.Equal((0, 1), (later.Created, later.Suppressed));
        Assert.Empty(await StoredWords.FindAsync(Database, "jane@example.com", "many"));
        Assert.Equal("email", (await Assert.ThrowsAsync<FieldException>(() => Erasures.EraseAsync(user, "nobody", "laptop"))).Field);
    }

    [Fact]
    public async Task An_earlier_address_that_is_another_contacts_by_now_stays_that_contacts()
    {
        var user = await AddUserAsync();
        var jane = (await Contacts.CreateAsync(user, new ContactDraft { Email = "bob@example.com" }, "laptop")).Id;
        await Contacts.ChangeAsync(user, jane, now => ContactDraft.Of(now) with { Email = "jane@example.com" }, "laptop");
        var bob = (await Contacts.CreateAsync(user, new ContactDraft { Email = "bob@example.com" }, "laptop")).Id;

        await Erasures.EraseAsync(user, jane, "laptop");
        var summary = await ImportAsync(user, "email,handle\nbob@example.com,bob\njane@example.com,jane\n", "list.csv");

        Assert.Equal((1, 1), (summary.Updated, summary.Suppressed));
        Assert.Equal("bob@example.com", (await Contacts.GetAsync(user, bob))!.Card.Email);
    }

    [Fact]
    public async Task It_is_finished_when_imports_from_before_have_ended_and_no_file_holds_a_remnant()
    {
        var user = await AddUserAsync();
        var people = string.Concat(Enumerable.Range(0, 4000).Select(i => string.Create(CultureInfo.InvariantCulture, $"person{i}@example.com,h{i},{new string((char)('a' + (i % 26)), 200 + (i % 300))}\n")));
        await ImportAsync(user, $"email,handle,bio\n{people}", "people.csv");
        var words = new List<string>();
        foreach (var i in (int[])[7, 1999, 2000, 3500])
        {
            // Larger, smaller, elsewhere: what a page held before must not stay in it.
            var person = (await Contacts.FindAsync(user, string.Create(CultureInfo.InvariantCulture, $"person{i}@example.com")))!.Id;
            await Contacts.ChangeAsync(user, person, now => ContactDraft.Of(now) with { Bio = new string('z', 3900), Nickname = $"Quillon{i}" }, "laptop");
            await Contacts.ChangeAsync(user, person, now => ContactDraft.Of(now) with { Bio = null }, "laptop");
            await Erasures.EraseAsync(user, person, "laptop");
            words.AddRange([string.Create(CultureInfo.InvariantCulture, $"person{i}@example.com"), $"Quillon{i}"]);
        }

        await using var sandbox = new MemorySandboxStore();
        using var cleaning = new ErasureCleaning(Database, Key, sandbox, Time, NullLogger<ErasureCleaning>.Instance);
        await Database.RunAsync(c => c.ExecuteAsync("UPDATE imports SET state = 'merging'"));
        Assert.Equal(0, await cleaning.RunAsync());
        await Database.RunAsync(c => c.ExecuteAsync("UPDATE imports SET state = 'finished'"));

        Assert.Equal(4, await cleaning.RunAsync());

        Assert.All(await Erasures.PageAsync(user, null, 10), erased => Assert.NotNull(erased.FinishedAt));
        Assert.Empty(await StoredWords.FindAsync(Database, [.. words]));
        if (!Database.IsPostgres)
        {
            Assert.NotEmpty(await StoredWords.InFileAsync(Database.DatabaseFile, "person8@example.com"));
            Assert.Empty(await StoredWords.InFileAsync(Database.DatabaseFile, [.. words]));
            Assert.Empty(await StoredWords.InFileAsync($"{Database.DatabaseFile}-wal", [.. words]));
        }
    }

    [Fact]
    public async Task The_sandbox_forgets_their_mails_also_those_that_come_late_and_counts_the_same()
    {
        var user = await AddUserAsync();
        using var folder = new TempFolder();
        var file = folder.Combine(SandboxStore.FileName);
        await using var sandbox = new SandboxStore(file);
        using var cleaning = new ErasureCleaning(Database, Key, sandbox, Time, NullLogger<ErasureCleaning>.Instance);
        await cleaning.RunAsync();
        await sandbox.AddAsync(Mail("jane@example.com"), default);
        await sandbox.AddAsync(Mail("Jane@Example.com"), default);
        await sandbox.AddAsync(Mail("bob@example.com"), default);
        await Erasures.EraseAsync(user, "jane@example.com", "laptop");

        await cleaning.RunAsync();
        var count = await sandbox.CountAsync(default);
        await sandbox.AddAsync(Mail("jane@example.com"), default);
        await cleaning.RunAsync();

        Assert.Equal(new SandboxCount(3, 2, 1), count);
        Assert.Equal(["bob@example.com"], (await sandbox.PageAsync(long.MaxValue, 10, null, default)).Select(message => message.Recipient));
        Assert.Empty(await StoredWords.InFileAsync(file, "jane@example.com", "dear jane"));
        Assert.Empty(await StoredWords.InFileAsync($"{file}-wal", "jane@example.com", "dear jane"));
        Assert.NotEmpty(await StoredWords.InFileAsync(file, "bob@example.com"));
    }

    private static SandboxMail Mail(string to) => new(
        DateTimeOffset.UnixEpoch, null, "sender@example.org", [to], $"Dear {to[..to.IndexOf('@', StringComparison.Ordinal)]}", $"<{Guid.NewGuid()}@example.org>", 100,
        Encoding.UTF8.GetBytes($"To: {to}\r\n\r\nDear {to[..to.IndexOf('@', StringComparison.Ordinal)]}\r\n"));

    private sealed record World(ContactId Jane, TaskId Task, int Seq, SegmentId Segment);

    /// <summary>Jane in every place that holds people.</summary>
    private async Task<World> WorldAsync(UserId user)
    {
        await ImportAsync(
            user,
            """
            email,handle,nickname,bio,mood,tags,followers
            jane.old@example.com,janeroe77,Jane Quillon-Roe,rare bio words,rare attribute,"beauty, vip",10
            bob@example.com,bob,Bob,my manager: Jane.Roe@example.com,good,beauty,20
            "carl@example.com; jane.roe@example.com",carl,Carl,,,vip,30
            jane.roe@example.com,,,,,,many
            not an address,@JaneRoe77,,,,,5

            """,
            "jane.roe@example.com.csv");
        var id = (await Contacts.FindAsync(user, "jane.old@example.com"))!.Id;
        await Contacts.ChangeAsync(user, id, now => ContactDraft.Of(now) with { Email = "Jane.Roe@example.com" }, "laptop");
        await ImportAsync(user, "email,nickname\n\"jane.roe@example.com; jane.second@example.com\",Jane Q. Quillon-Roe\n", "second.csv");
        var twin = (await Contacts.CreateAsync(user, new ContactDraft { Email = "jane.twin@example.com", Handle = "janeroe77" }, "laptop")).Id;
        await new ContactMerge(Database, ImportParts.Suppressions(Time), Time).MergeAsync(user, id, [twin], "laptop", default);
        await new TagApplication(Database, Selection, Time).ApplyAsync(
            new TagRequest(TagOperationKind.Add, [TagName.Parse("asked", "tags")], new TagTarget.Listed([id]), new TagOrigin(TagSource.Person, "laptop")), user, default);
        var segment = await new SegmentStore(Database, Selection, Time).CreateAsync(user, "her", "email = \"jane.roe@example.com\" or followers > 5", default);
        var task = await AudienceAsync(user);
        var seq = await Database.RunAsync(c => c.ExecuteAsync<int>(
            "SELECT seq FROM audience WHERE contact_id = @jane", new DataParameter("jane", id.Value)));
        await Database.RunAsync(c => c.ExecuteAsync(
            """
            INSERT INTO deliveries (task_id, seq, user_id, state, attempts, service_id, reply_code, reply, reason, first_at, last_at)
            SELECT task_id, seq, @user, 'sent', 1, 1, 250, 'taken for Quillon-Roe', 'said of janeroe77', 0, 0 FROM audience WHERE seq = @seq;
            """,
            new DataParameter("user", user.Value), new DataParameter("seq", seq)));
        return new World(id, task, seq, segment.Id);
    }

    private async Task<TaskId> AudienceAsync(UserId user)
    {
        await Database.RunAsync(connection => connection.ExecuteAsync(
            """
            INSERT INTO pools (id, user_id, name, lanes, created_at) VALUES (1, @user, 'p', 1, 0);
            INSERT INTO templates (id, user_id, name, version, created_at, updated_at) VALUES (1, @user, 't', 1, 0, 0);
            INSERT INTO campaigns (id, user_id, name, template_id, pool_id, filter, state, created_at) VALUES (1, @user, 'c', 1, 1, 'not email = ''jane.second@example.com''', 'draft', 0);
            """,
            new DataParameter("user", user.Value)));
        var frozen = await new AudienceStore(Database, Time).FreezeAsync(user, new CampaignId(1), default);
        Assert.Equal(3, frozen!.Planned);
        return frozen.Task;
    }

    private async Task<ImportSummary> ImportAsync(UserId user, string csv, string name)
    {
        using var file = new MemoryStream(Encoding.UTF8.GetBytes(csv));
        using var importer = ImportParts.Importer(Database, Time);
        return await importer.RunAsync(user, file, name, new ImportOptions());
    }

    /// <summary>Of imports, refused rows, recipients and what became of them.</summary>
    private Task<string> CountsAsync(UserId user) => Database.RunAsync(async c => string.Join(' ', await c.QueryToListAsync<string>(
        """
        SELECT 'import ' || rows || ' ' || created || ' ' || updated || ' ' || rejected FROM imports WHERE user_id = @user
        UNION ALL SELECT 'errors ' || count(*) FROM import_errors
        UNION ALL SELECT 'audience ' || count(*) FROM audience
        UNION ALL SELECT 'deliveries ' || state || ' ' || count(*) FROM deliveries GROUP BY state
        """,
        new DataParameter("user", user.Value))));

    private async Task TagsAreExactAsync()
    {
        var tags = await Database.RunAsync(c => c.QueryToListAsync<TagCount>(
            "SELECT t.name AS name, t.contacts AS kept, (SELECT count(*) FROM contact_tags m WHERE m.tag_id = t.id) AS counted FROM tags t ORDER BY t.name"));
        Assert.Equal(["asked 0 0", "beauty 1 1", "vip 1 1"], tags.Select(tag => $"{tag.Name} {tag.Kept} {tag.Counted}"));
        var bits = await Database.RunAsync(c => c.QueryToListAsync<byte[]>(
            "SELECT bits FROM tag_members UNION ALL SELECT added FROM tag_deltas WHERE added IS NOT NULL UNION ALL SELECT seen FROM import_contacts UNION ALL SELECT live FROM contact_chunks"));
        Assert.All(bits, one => Assert.False(Has(one, 0), "a set still holds her ordinal, 0"));
    }

    private static bool Has(byte[] bits, int ordinal) => (ContactChunk.FromBytes(bits)[ordinal / 64] >> (ordinal % 64) & 1) != 0;

    private async Task<string> DeliveryAsync(TaskId task, int seq) => (await Database.RunAsync(c => c.QueryToListAsync<string>(
        "SELECT state || ' ' || attempts || ' ' || reply_code || ' ' || coalesce(reply, '') || ' ' || reason FROM deliveries WHERE task_id = @task AND seq = @seq",
        new DataParameter("task", task.Value), new DataParameter("seq", seq)))).Single();

    private sealed class TagCount
    {
        [LinqToDB.Mapping.Column("name")] public string Name { get; init; } = "";
        [LinqToDB.Mapping.Column("kept")] public long Kept { get; init; }
        [LinqToDB.Mapping.Column("counted")] public long Counted { get; init; }
    }
}
