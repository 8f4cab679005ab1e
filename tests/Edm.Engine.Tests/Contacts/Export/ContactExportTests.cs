using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Export;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Imports;
using Edm.Engine.Tags;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Contacts.Export;

public sealed class ContactExportTestsOnSqlite() : ContactExportTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class ContactExportTestsOnPostgres(PostgresFixture postgres) : ContactExportTests(new PostgresDatabases(postgres));

public abstract class ContactExportTests(IDatabases databases) : DatabaseTests(databases)
{
    private static readonly string[] Hostile =
    [
        "=cmd|' /C calc'!A0", "+1-555", "-2+3", "@SUM(1)", "\"quoted\"", "\"", "'", "a,b;c\td|e", "line\r\nbreak", "line\nbreak", "line\rbreak", "\\", "C:\\", "\\\"", "null", "n/a", "-", "NaN", "{}", "[]",
        "[\"x\"]", "👩‍👩‍👧 🇩🇪", "مرحبا \u200Fبالعالم", "שלום", "\u202Eevil", "日本語，；、", "#remark", "//remark", "sep=;", "1.3M", "50%", "01.02.2024", "2024-01-05", "true", "007", "1e5", "0", "us",
        "a@b.example", "Jane @jane", "https://www.tiktok.com/@name?lang=en", "\uFEFFmark", "ﬁ", "e\u0301", "é", "<b>&amp;</b>", "edm.id", "\u00A0in\u00A0side", "a\u2028b", "x\u0001y", "\u007F",
    ];

    private ContactStore Contacts => new(Database, ImportParts.Suppressions(Time), Time);

    private ContactExport Exports => new(Database, Selection);

    [Theory]
    [InlineData(ExportFormat.Csv)]
    [InlineData(ExportFormat.Ndjson)]
    public async Task An_export_that_another_user_imports_gives_the_same_contacts_and_tags(ExportFormat format)
    {
        var (user, other) = (await AddUserAsync(), await AddUserAsync("other"));
        await HostileWorldAsync(user);
        var file = await ExportAsync(user, format);

        var summary = await ImportAsync(other, file);

        Assert.Equal((summary.Rows, 0), (summary.Created, summary.Rejected));
        var (expected, actual) = (await DescribeAsync(user), await DescribeAsync(other));
        Assert.Equal(expected.Count, actual.Count);
        foreach (var (one, same) in expected.Zip(actual))
        {
            Assert.Equal(one, same);
        }

        Assert.Equal(summary.Rows, (await ImportAsync(other, file)).Unchanged);
        Assert.Equal(Comparable(file, format), Comparable(await ExportAsync(other, format), format));
    }

    [Fact]
    public async Task Only_those_that_pass_the_filter_are_exported_with_their_tags_and_times()
    {
        var user = await AddUserAsync();
        var id = (await Contacts.CreateAsync(user, new ContactDraft { Email = "a@example.com", Followers = 20_000, Attributes = new Dictionary<string, string> { ["mood"] = "good" } }, "laptop")).Id;
        await Contacts.CreateAsync(user, new ContactDraft { Email = "b@example.com", Followers = 5 }, "laptop");
        await TagAsync(user, [id], "beauty", "a,b");
        await Database.RunAsync(c => c.ExecuteAsync(
            "INSERT INTO contact_activity (user_id, ordinal, last_sent_at) VALUES (@user, 0, 1700000000123); UPDATE contacts SET created_at = 0, updated_at = 1000",
            new DataParameter("user", user.Value)));

        var csv = Encoding.UTF8.GetString(await ExportAsync(user, ExportFormat.Csv, "followers > 10k"));
        var json = Encoding.UTF8.GetString(await ExportAsync(user, ExportFormat.Ndjson, "tag:beauty"));

        Assert.Equal(
            "\uFEFFedm.id,email,handle,nickname,followers,country,language,category,bio,tags,edm.status,edm.created_at,edm.updated_at,edm.last_sent_at,edm.more,\"attr.mood\"\r\n"
            + $"{id},\"a@example.com\",,,20000,,,,,\"[\"\"a,b\"\",\"\"beauty\"\"]\",active,1970-01-01T00:00:00.000Z,1970-01-01T00:00:01.000Z,2023-11-14T22:13:20.123Z,,\"good\"\r\n",
            csv);
        Assert.Equal(
            $$$"""{"edm":{"id":{{{id}}},"status":"active","created_at":"1970-01-01T00:00:00.000Z","updated_at":"1970-01-01T00:00:01.000Z","last_sent_at":"2023-11-14T22:13:20.123Z"},"email":"a@example.com","handle":null,"nickname":null,"followers":20000,"country":null,"language":null,"category":null,"bio":null,"tags":["a,b","beauty"],"attr":{"mood":"good"}}""" + "\n",
            json);
        Assert.Equal("", Encoding.UTF8.GetString(await ExportAsync(user, ExportFormat.Ndjson, "followers > 1m")));
        await Assert.ThrowsAsync<ContactFilterException>(() => Exports.BeginAsync(user, ContactFilter.Parse("tag:nothing"), ExportFormat.Csv));
    }

    [Fact]
    public async Task Attributes_beyond_the_columns_share_one_and_come_back()
    {
        var (user, other) = (await AddUserAsync(), await AddUserAsync("other"));
        for (var contact = 0; contact < 3; contact++)
        {
            await Contacts.CreateAsync(
                user,
                new ContactDraft
                {
                    Email = $"a{contact}@example.com",
                    Attributes = Enumerable.Range(0, ContactLimits.Attributes).ToDictionary(i => string.Create(CultureInfo.InvariantCulture, $"name_{contact}_{i:000}"), i => $"\"{i}\","),
                },
                "laptop");
        }

        var file = await ExportAsync(user, ExportFormat.Csv);
        var summary = await ImportAsync(other, file);

        Assert.Equal((3, 0), (summary.Created, summary.Rejected));
        Assert.Equal(ContactExport.MaxAttributeColumns, Encoding.UTF8.GetString(file).Split('\n')[0].Split("attr.").Length - 1);
        Assert.Equal(await DescribeAsync(user), await DescribeAsync(other));
    }

    [Fact]
    public async Task A_status_comes_only_to_contacts_that_are_not_there_yet()
    {
        var (user, other) = (await AddUserAsync(), await AddUserAsync("other"));
        await Contacts.CreateAsync(user, new ContactDraft { Email = "a@example.com", Status = ContactStatus.Unsubscribed, Bio = "new" }, "laptop");
        await Contacts.CreateAsync(user, new ContactDraft { Email = "b@example.com", Status = ContactStatus.Suppressed }, "laptop");
        var there = (await Contacts.CreateAsync(other, new ContactDraft { Email = "a@example.com" }, "laptop")).Id;

        await ImportAsync(other, await ExportAsync(user, ExportFormat.Csv));

        Assert.Equal((ContactStatus.Active, "new"), ((await Contacts.GetAsync(other, there))!.Status, (await Contacts.GetAsync(other, there))!.Card.Bio));
        Assert.Equal(ContactStatus.Suppressed, (await Contacts.FindAsync(other, "b@example.com"))!.Status);
    }

    [Fact]
    public async Task What_changes_while_it_is_written_is_exported_as_it_is_then_and_what_goes_is_left_out()
    {
        var user = await AddUserAsync();
        await ImportAsync(user, Encoding.UTF8.GetBytes("email\n" + string.Concat(Enumerable.Range(0, 2000).Select(i => string.Create(CultureInfo.InvariantCulture, $"a{i}@example.com\n")))));
        var (first, late, gone) = (
            (await Contacts.FindAsync(user, "a0@example.com"))!.Id, (await Contacts.FindAsync(user, "a1998@example.com"))!.Id, (await Contacts.FindAsync(user, "a1999@example.com"))!.Id);
        var run = await Exports.BeginAsync(user, ContactFilter.All, ExportFormat.Csv);

        await Contacts.ChangeAsync(user, first, now => ContactDraft.Of(now) with { Bio = "changed" }, "laptop");
        await Contacts.ChangeAsync(user, late, now => ContactDraft.Of(now) with { Attributes = new Dictionary<string, string> { ["late"] = "yes" } }, "laptop");
        await Contacts.DeleteAsync(user, gone);
        await Contacts.CreateAsync(user, new ContactDraft { Email = "new@example.com" }, "laptop");
        using var file = new MemoryStream();
        var written = await run.WriteAsync(file);

        var text = Encoding.UTF8.GetString(file.ToArray());
        Assert.Equal((2000, 1999), (run.Contacts, written));
        Assert.Contains("\"changed\"", text, StringComparison.Ordinal);
        Assert.Contains("\"{\"\"late\"\":\"\"yes\"\"}\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("a1999@", text, StringComparison.Ordinal);
        Assert.DoesNotContain("new@", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_read_that_the_reader_has_not_taken()
    {
        var user = await AddUserAsync();
        var bio = new string('x', 1000);
        await ImportAsync(user, Encoding.UTF8.GetBytes("email,bio\n" + string.Concat(Enumerable.Range(0, 5000).Select(i => string.Create(CultureInfo.InvariantCulture, $"a{i}@example.com,{bio}\n")))));
        var run = await Exports.BeginAsync(user, ContactFilter.All, ExportFormat.Ndjson);
        await using var slow = new StoppedStream();
        var seen = new List<long>();

        var writing = run.WriteAsync(slow, new Immediate(seen.Add));
        await slow.Reached.Task;
        var whileStopped = seen.Count;
        slow.Open.SetResult();
        Assert.Equal(5000, await writing);

        Assert.Equal(0, whileStopped);
        Assert.Equal(5000, seen[^1]);
        Assert.InRange(slow.Largest, 1, 200_000);
    }

    private async Task HostileWorldAsync(UserId user)
    {
        var ids = new List<ContactId>();
        for (var i = 0; i < Hostile.Length; i++)
        {
            var value = Hostile[i];
            var status = (ContactStatus)(i % 3);
            ids.Add((await Contacts.CreateAsync(
                user,
                new ContactDraft
                {
                    Email = string.Create(CultureInfo.InvariantCulture, $"Person{i}@example.com"), Handle = value, Nickname = i % 2 == 0 ? value : null, Country = value, Language = value, Category = value, Bio = value,
                    Followers = i % 4 == 0 ? null : i * 1_000_003L, Status = status,
                    Attributes = new Dictionary<string, string> { ["first_name"] = value, ["url"] = value, ["other_emails"] = value, ["status"] = value, ["n"] = value, [$"only_{i}"] = value },
                },
                "laptop")).Id);
        }

        foreach (var email in (string[])["\"a b\"@example.com", "δοκιμή@παράδειγμα.δοκιμή", "a@bücher.example", "o'neil+x@example.com"])
        {
            ids.Add((await Contacts.CreateAsync(user, new ContactDraft { Email = email, Handle = "a/b", Bio = new string('ä', 4000), Attributes = new Dictionary<string, string> { ["long"] = new('"', 4000) } }, "laptop")).Id);
        }

        var many = Enumerable.Range(0, 100).Select(i => string.Create(CultureInfo.InvariantCulture, $"tag {i}"));
        await TagAsync(user, [ids[0]], [.. many]);
        await TagAsync(user, [.. ids.Where((_, i) => i % 2 == 0)], "a,b", "x|y;z", "[\"q\"]", "\"quoted\"", "=1+1", "🏷️", "ÄÖ", "'", "\\");
    }

    private Task<TagResult> TagAsync(UserId user, ContactId[] contacts, params string[] names) => new TagApplication(Database, Selection, Time).ApplyAsync(
        new TagRequest(TagOperationKind.Add, [.. names.Select(name => TagName.Parse(name, "tags"))], new TagTarget.Listed(contacts), new TagOrigin(TagSource.Person, "laptop")), user, default);

    private async Task<byte[]> ExportAsync(UserId user, ExportFormat format, string filter = "")
    {
        using var file = new MemoryStream();
        await (await Exports.BeginAsync(user, ContactFilter.Parse(filter), format)).WriteAsync(file);
        return file.ToArray();
    }

    private async Task<ImportSummary> ImportAsync(UserId user, byte[] content)
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(content);
        }

        packed.Position = 0;
        using var importer = ImportParts.Importer(Database, Time);
        return await importer.RunAsync(user, packed, "contacts", new ImportOptions());
    }

    /// <summary>All contacts of a user, with all that is theirs but numbers and times.</summary>
    private async Task<List<string>> DescribeAsync(UserId user)
    {
        var described = new List<string>();
        for (string? after = null; ;)
        {
            var page = await Search.PageAsync(user, ContactFilter.All, Edm.Engine.Contacts.Search.ContactOrder.Parse(null), after, 1000);
            foreach (var contact in page.Contacts)
            {
                var tags = await new TagHistory(Database).OfContactAsync(user, contact.Id, default);
                described.Add(JsonSerializer.Serialize(new
                {
                    contact.Card.Email, contact.Card.Handle, contact.Card.Nickname, contact.Card.Followers, contact.Card.Country, contact.Card.Language, contact.Card.Category, contact.Card.Bio,
                    Attributes = contact.Card.Attributes.OrderBy(a => a.Key, StringComparer.Ordinal), contact.Status, Tags = tags!.Select(tag => tag.Tag.Name),
                }));
            }

            if ((after = page.Next) is null)
            {
                return described;
            }
        }
    }

    /// <summary>Without what another user's contacts can't share: numbers and times.</summary>
    private static string Comparable(byte[] file, ExportFormat format) => format == ExportFormat.Csv
        ? System.Text.RegularExpressions.Regex.Replace(Encoding.UTF8.GetString(file), "\r\n[0-9]+,|,\\d{4}-\\d\\d-\\d\\dT[^,]*Z", "*")
        : System.Text.RegularExpressions.Regex.Replace(Encoding.UTF8.GetString(file), "\"id\":[0-9]+|_at\":\"[^\"]*\"", "*");

    /// <summary>Takes nothing until it is opened.</summary>
    private sealed class StoppedStream : MemoryStream
    {
        public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Open { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Largest { get; private set; }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Largest = Math.Max(Largest, buffer.Length);
            Reached.TrySetResult();
            await Open.Task;
            await base.WriteAsync(buffer, cancellationToken);
        }
    }

    private sealed class Immediate(Action<long> report) : IProgress<long>
    {
        public void Report(long value) => report(value);
    }
}
