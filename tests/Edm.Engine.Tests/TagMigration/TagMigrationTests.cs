using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.TagMigration;
using Edm.Engine.Tags;
using Edm.Testing;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using LinqToDB.Mapping;
using Xunit;

namespace Edm.Engine.Tests.TagMigration;

public abstract class TagMigrationTests(IDatabases databases, PostgresFixture postgres) : DatabaseTests(databases)
{
    private readonly TempFolder _folder = new();
    private OldSystem _old = null!;
    private UserId _user;
    private int _written;

    private SuppressionStore Suppressions => new(Time, new SuppressionKey(new byte[32]));

    private TagMigrator Migrator => new(Database, Suppressions, Time);

    private string Backup => _folder.Combine("backup");

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        _user = await AddUserAsync();
        _old = new OldSystem(await postgres.CreateDatabaseAsync());
        await _old.CreateAsync();
    }

    public override async Task DisposeAsync()
    {
        await _old.DisposeAsync();
        await base.DisposeAsync();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Odd_values_are_planned_copied_and_verified_without_losing_one()
    {
        await AddOddAsync();

        var plan = await Migrator.PlanAsync(_old.Source, null, default);
        Assert.Equal("none", (await Migrator.StatusAsync(_old.Source, default)).Phase);
        await CopyAsync();
        var verify = await VerifyAsync();

        var kinds = plan.Oddities.ToDictionary(o => o.Kind, o => o.Rows);
        foreach (var kind in (string[])["nullColumn", "jsonNull", "notAnArray", "nullElement", "numberElement", "booleanElement", "objectElement", "nestedArray", "emptyName", "whiteSpace",
            "controlCharacter", "longName", "duplicateInRow", "largeValue", "tooManyTags", "noAddress", "invalidAddress", "doubledAddress"])
        {
            Assert.True(kinds.ContainsKey(kind), kind);
        }

        Assert.Equal(["Beauty", "BEAUTY"], Assert.Single(plan.Variants));
        Assert.Equal(plan.SetAside, verify.SetAside);
        Assert.Equal(3, plan.SetAside);
        Assert.Equal(0, verify.Differences);
        var pairs = await EdmPairsAsync();
        Assert.Equal("Beauty", pairs["variant@example.com"]);
        Assert.Equal("42,true,{\"a\": 1}", pairs["elements@example.com"]);
        Assert.Equal("deep,deeper", pairs["nested@example.com"]);
        Assert.Equal("one,two", pairs["double@example.com"]);
        Assert.Equal("a b", pairs["control@example.com"]);
        Assert.False(pairs.ContainsKey("null@example.com"));
    }

    [Fact]
    public async Task Separate_variants_are_two_tags()
    {
        await _old.AddAsync(1, "a@example.com", """["Beauty", "beauty"]""");

        await Migrator.CopyAsync(_old.Source with { SeparateVariants = true }, Backup, null, default);

        var pairs = await EdmPairsAsync();
        Assert.StartsWith("Beauty,beauty~", pairs["a@example.com"], StringComparison.Ordinal);
        Assert.Equal(0, (await Migrator.VerifyAsync(_old.Source with { SeparateVariants = true }, null, null, default)).Differences);
    }

    [Fact]
    public async Task A_copy_that_is_broken_off_again_and_again_ends_like_an_undisturbed_one()
    {
        await _old.FillAsync(400);
        var random = new Random(7);
        for (var i = 0; i < 12; i++)
        {
            using var stop = new CancellationTokenSource();
            var left = random.Next(1, 4);
            try
            {
                await Migrator.CopyAsync(_old.Source, Backup, new Act(_ => { if (--left == 0) { stop.CancelAfter(random.Next(0, 8)); } }), stop.Token, portion: 25);
                break;
            }
            catch (Exception exception) when (stop.IsCancellationRequested && exception is not Xunit.Sdk.XunitException)
            {
                // Broken off, wherever it was.
            }
        }

        await Migrator.CopyAsync(_old.Source, Backup, null, default, portion: 25);

        Assert.Equal(0, (await VerifyAsync()).Differences);
        Assert.Equal(await _old.PairsAsync(), await EdmPairsAsync());
    }

    [Fact]
    public async Task A_hundred_writes_a_second_during_copy_and_follow_lose_nothing()
    {
        await _old.FillAsync(1500);
        using var stop = new CancellationTokenSource();
        var writing = WriteAsync(stop.Token);

        await Migrator.CopyAsync(_old.Source, Backup, null, default, portion: 100);
        for (var i = 0; i < 3; i++)
        {
            await Migrator.FollowAsync(_old.Source, once: true, null, default);
        }

        var whileWriting = await VerifyAsync();
        var written = await EndAsync(writing, stop, atLeast: 150);
        var verify = await VerifyAsync();

        Assert.True(written >= 150, $"{written} writes");
        Assert.Equal(0, whileWriting.Differences);
        Assert.Equal(0, verify.Differences);
        var old = await _old.PairsAsync();
        Assert.Equal(old.Where(p => p.Value.Length > 0), (await EdmPairsAsync()).Where(p => old.ContainsKey(p.Key)));
        Assert.DoesNotContain(await EdmPairsAsync(), p => !old.ContainsKey(p.Key));
    }

    [Fact]
    public async Task Of_two_rows_with_one_address_each_keeps_what_it_gives()
    {
        await _old.AddAsync(1, "a@example.com", """["x", "y"]""");
        await _old.AddAsync(2, "A@example.com", """["y", "z"]""");
        await CopyAsync();

        await _old.SetAsync(1, "[]");
        await Migrator.FollowAsync(_old.Source, once: true, null, default);
        var one = await EdmPairsAsync();
        await _old.ExecuteAsync("DELETE FROM contacts WHERE id = 2");
        await Migrator.FollowAsync(_old.Source, once: true, null, default);

        Assert.Equal("y,z", Assert.Single(one).Value);
        Assert.Empty(await EdmPairsAsync());
    }

    [Fact]
    public async Task A_row_that_is_changed_again_while_its_change_is_applied_is_not_forgotten()
    {
        await _old.FillAsync(2);
        await CopyAsync();
        await using var old = await OldDatabase.OpenAsync(_old.Source, default);
        await using var connection = await old.ConnectAsync(default);
        var capture = new ChangeCapture(old.Table);
        await _old.SetAsync(1, "[]");
        await _old.SetAsync(2, "[]");

        var taken = await capture.TakeAsync(connection, 10, default);
        await _old.SetAsync(1, "[\"again\"]");
        await capture.ForgetAsync(connection, [.. taken], default);

        Assert.Equal(2, taken.Count);
        Assert.Equal("[\"1\"]", Assert.Single(await capture.TakeAsync(connection, 10, default)).Key);
    }

    [Fact]
    public async Task A_column_that_tells_changes_does_without_triggers()
    {
        var source = _old.Source with { ChangesBy = "updated_at" };
        await _old.FillAsync(30);
        await Migrator.CopyAsync(source, Backup, null, default);
        Assert.False(await _old.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_trigger WHERE tgname LIKE 'edm_%')"));

        await _old.ExecuteAsync("UPDATE contacts SET tags = '[\"fresh\"]', updated_at = clock_timestamp() WHERE id = 5; DELETE FROM contacts WHERE id = 6");
        await Migrator.FollowAsync(source, once: true, null, default);

        var pairs = await EdmPairsAsync();
        Assert.Equal("fresh", pairs["c5@example.com"]);
        Assert.False(pairs.ContainsKey("c6@example.com"));
        Assert.Equal(0, (await Migrator.VerifyAsync(source, null, null, default)).Differences);
    }

    [Fact]
    public async Task A_truncated_table_takes_all_tags_with_it_but_not_those_that_EDM_had_before()
    {
        await _old.FillAsync(10);
        await AddContactAsync(new ContactRow { UserId = _user, Email = "c1@example.com", EmailKey = "c1@example.com" });
        await ChangeAsync("own", add: ["c1@example.com"]);
        await CopyAsync();

        await _old.ExecuteAsync("TRUNCATE contacts");
        await Migrator.FollowAsync(_old.Source, once: true, null, default);

        Assert.Equal("own", Assert.Single(await EdmPairsAsync()).Value);
        var verify = await VerifyAsync();
        Assert.Equal((0, 1), (verify.Differences, verify.Kept));
    }

    [Fact]
    public async Task Verify_finds_what_is_missing_what_is_too_much_and_what_has_another_name()
    {
        await _old.FillAsync(60);
        await CopyAsync();
        await ChangeAsync("t1", remove: ["c21@example.com"]);
        await ChangeAsync("planted", add: ["c5@example.com"]);
        await Database.RunAsync(c => c.ExecuteAsync("UPDATE tags SET name = 'other', name_key = 'other' WHERE name = 't19'"));

        var verify = await VerifyAsync();

        Assert.Equal(new SortedDictionary<string, long> { ["extra-tag"] = 1, ["missing-tag"] = 1, ["tag-renamed"] = 1 }, verify.ByKind);
        var lines = (await File.ReadAllLinesAsync(_folder.Combine("report"))).Select(l => JsonSerializer.Deserialize<Difference>(l, JsonSerializerOptions.Web)!).OrderBy(d => d.Kind).ToArray();
        Assert.Equal(["[\"5\"]", "[\"21\"]", null], lines.Select(l => l.Key));
        Assert.Equal(["planted", "t1", "t19"], lines.Select(l => l.Tag));
        Assert.Equal("other", lines[2].Is);
    }

    [Fact]
    public async Task Rolled_back_the_old_column_has_what_changed_in_EDM_and_everything_else_as_it_was()
    {
        await _old.AddAsync(1, "a@example.com", """["Beauty", null, "x", "x", "", 42]""");
        await _old.AddAsync(2, "b@example.com", "null");
        await _old.AddAsync(3, "c@example.com", """ "single" """);
        await _old.AddAsync(4, "d@example.com", """["Old name", "x"]""");
        await _old.AddAsync(5, "e@example.com", """["  y ", ["z"]]""");
        await CopyAsync();
        var cut = await Migrator.CutOverAsync(_old.Source, TimeSpan.FromSeconds(5), false, null, default);
        var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => _old.SetAsync(5, "[]"));
        await _old.ExecuteAsync("UPDATE contacts SET email = email");

        await ChangeAsync("x", remove: ["a@example.com"]);
        await ChangeAsync("new", add: ["a@example.com", "b@example.com", "c@example.com"]);
        await Database.RunAsync(c => c.ExecuteAsync("UPDATE tags SET name = 'New name', name_key = 'new name' WHERE name_key = 'old name'"));
        var back = await Migrator.RollBackAsync(_old.Source, null, null, default);

        Assert.Equal(("cut-over", "rolled-back"), (cut.Phase, back.Phase));
        Assert.Contains("EDM leads these tags", refused.MessageText, StringComparison.Ordinal);
        Assert.Equal("""["Beauty", null, "", 42, "new"]""", await _old.TagsAsync(1));
        Assert.Equal("""["new"]""", await _old.TagsAsync(2));
        Assert.Equal("""["single", "new"]""", await _old.TagsAsync(3));
        Assert.Equal("""["New name", "x"]""", await _old.TagsAsync(4));
        Assert.Equal("""["  y ", ["z"]]""", await _old.TagsAsync(5));
        Assert.Equal(4, back.WrittenBack);
        Assert.False(await _old.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_trigger WHERE tgname LIKE 'edm_%') OR to_regnamespace('edm_migration') IS NOT NULL"));
        await _old.SetAsync(5, "[]");
    }

    [Fact]
    public async Task After_a_cut_over_following_writes_back_and_both_sides_stay_equal()
    {
        await _old.FillAsync(40);
        await CopyAsync();
        await Migrator.CutOverAsync(_old.Source, TimeSpan.FromSeconds(5), false, null, default);
        await ChangeAsync("t1", remove: ["c21@example.com"]);
        await ChangeAsync("vip", add: ["c3@example.com", "c4@example.com"]);

        await Migrator.FollowAsync(_old.Source, once: true, null, default);

        Assert.Equal((await EdmPairsAsync()).Where(p => p.Value.Length > 0), (await _old.PairsAsync()).Where(p => p.Value.Length > 0));
        Assert.Equal(0, (await VerifyAsync()).Differences);
        Assert.Equal("edm", (await Migrator.StatusAsync(_old.Source, default)).Leader);
        Assert.Equal(0, (await Migrator.DualRunAsync(_old.Source, 30, null, null, default)).Differences);
    }

    [Fact]
    public async Task Before_a_cut_over_rolling_back_only_uninstalls_and_a_new_copy_can_begin()
    {
        await _old.FillAsync(10);
        await CopyAsync();
        await ChangeAsync("t1", remove: ["c1@example.com"]);

        var back = await Migrator.RollBackAsync(_old.Source, null, null, default);
        await Migrator.CopyAsync(_old.Source, Backup, null, default);

        Assert.Equal(0, back.WrittenBack);
        Assert.Contains("t1", await _old.TagsAsync(1), StringComparison.Ordinal);
        Assert.Equal(0, (await VerifyAsync()).Differences);
    }

    [Fact]
    public async Task Contacts_that_the_old_table_has_no_row_for_are_told_when_it_leads_again()
    {
        await _old.FillAsync(3);
        await CopyAsync();
        await Migrator.CutOverAsync(_old.Source, TimeSpan.FromSeconds(5), false, null, default);
        await AddContactAsync(new ContactRow { UserId = _user, Email = "new@example.com", EmailKey = "new@example.com" });
        await ChangeAsync("vip", add: ["new@example.com"]);

        var back = await Migrator.RollBackAsync(_old.Source, null, null, default);

        Assert.Equal((1, 0), (back.NotWritten, back.LateChanges));
        Assert.Equal($$"""{"user":{{_user}},"email":"new@example.com","tags":["vip"]}""", (await File.ReadAllTextAsync(back.NotWrittenFile!)).Trim());
    }

    [Fact]
    public async Task Nobody_comes_back_who_asked_to_be_forgotten()
    {
        await _old.FillAsync(3);
        await Database.WriteAsync(c => Suppressions.AddAsync(c, _user, "c2@example.com", SuppressionReason.Erased, default));

        await CopyAsync();

        Assert.Equal(["c1@example.com", "c3@example.com"], (await EdmPairsAsync()).Keys);
        var verify = await VerifyAsync();
        Assert.Equal((1, 0), (verify.SetAside, verify.Differences));
    }

    [Fact]
    public async Task A_cut_over_or_roll_back_that_was_broken_off_is_finished_by_repeating_it()
    {
        await _old.FillAsync(10);
        await CopyAsync();
        await Migrator.CutOverAsync(_old.Source, TimeSpan.FromSeconds(5), false, null, default);
        await SetPhaseAsync("cutting-over");
        await ChangeAsync("vip", add: ["c3@example.com"]);

        await Migrator.CutOverAsync(_old.Source, TimeSpan.FromSeconds(5), false, null, default);
        var back = await Migrator.RollBackAsync(_old.Source, null, null, default);
        await SetPhaseAsync("rolling-back");
        await _old.SetAsync(3, "[\"newer\"]");
        await Migrator.RollBackAsync(_old.Source, null, null, default);

        Assert.Equal(1, back.WrittenBack);
        Assert.Equal("[\"newer\"]", await _old.TagsAsync(3));
    }

    [Fact]
    public async Task The_old_systems_login_needs_no_rights_on_what_is_installed()
    {
        await _old.FillAsync(3);
        await CopyAsync();
        await _old.ExecuteAsync("CREATE ROLE app_" + _old.GetHashCode() + "; GRANT SELECT, INSERT, UPDATE, DELETE ON contacts TO app_" + _old.GetHashCode());

        await _old.ExecuteAsync("SET ROLE app_" + _old.GetHashCode() + "; UPDATE contacts SET tags = '[\"x\"]' WHERE id = 2; DELETE FROM contacts WHERE id = 3; RESET ROLE");

        Assert.Equal(0, (await VerifyAsync()).Differences);
        Assert.Equal("x", (await EdmPairsAsync())["c2@example.com"]);
        await Migrator.CutOverAsync(_old.Source, TimeSpan.FromSeconds(5), false, null, default);
        var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => _old.ExecuteAsync("SET ROLE app_" + _old.GetHashCode() + "; UPDATE contacts SET tags = '[]'"));
        Assert.Contains("EDM leads", refused.MessageText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_backup_gives_both_sides_back_what_they_had()
    {
        await _old.FillAsync(20);
        await _old.AddAsync(21, "odd@example.com", null);
        var contact = new ContactRow { UserId = _user, Email = "c1@example.com", EmailKey = "c1@example.com" };
        await AddContactAsync(contact);
        await ChangeAsync("own", add: ["c1@example.com"]);
        var before = await _old.ScalarAsync<string>("SELECT string_agg(coalesce(tags::text, 'NULL'), '|' ORDER BY id) FROM contacts");
        await CopyAsync();
        await Migrator.RollBackAsync(_old.Source, null, null, default);
        await _old.ExecuteAsync("UPDATE contacts SET tags = '[]' WHERE id > 3");

        Assert.Equal(18, await Migrator.RestoreOldAsync(_old.Source, Backup, null, default));
        await Migrator.RestoreEdmAsync(_old.Source, Backup, null, default);

        Assert.Equal(before, await _old.ScalarAsync<string>("SELECT string_agg(coalesce(tags::text, 'NULL'), '|' ORDER BY id) FROM contacts"));
        Assert.Equal("own", Assert.Single(await EdmPairsAsync()).Value);
    }

    [Fact]
    public async Task A_backup_that_was_changed_is_not_gone_on_with()
    {
        await _old.FillAsync(5);
        await CopyAsync();
        await Migrator.RollBackAsync(_old.Source, null, null, default);
        await File.AppendAllTextAsync(Path.Combine(Backup, "old.ndjson.gz"), "x");

        var refused = await Assert.ThrowsAsync<MigrationException>(CopyAsync);

        Assert.Contains("not as it was written", refused.Message, StringComparison.Ordinal);
        Assert.Equal("rolled-back", (await Migrator.StatusAsync(_old.Source, default)).Phase);
    }

    [Fact]
    public async Task Names_with_quotes_and_capitals_keys_of_two_columns_and_an_owner_column()
    {
        var ann = await AddUserAsync("ann");
        await _old.ExecuteAsync(
            """
            CREATE SCHEMA "My ""CRM"; CREATE TABLE "My ""CRM"."Con'tacts" ("Tenant" uuid, "No;" text, "E-Mail" text, "T""ags" json, owner text, nick text, PRIMARY KEY ("Tenant", "No;"));
            INSERT INTO "My ""CRM"."Con'tacts" VALUES
              ('00000000-0000-0000-0000-000000000001', 'a"]', 'a@example.com', '["x" , "y"]', 'ann', 'Anna'),
              ('00000000-0000-0000-0000-000000000001', 'b', 'b@example.com', '["x"]', '7', NULL),
              ('00000000-0000-0000-0000-000000000002', 'a"]', 'c@example.com', '["z"]', 'nobody', NULL);
            """);
        var source = new MigrationSource
        {
            Connection = _old.Source.Connection, Table = "\"My \"\"CRM\".\"Con'tacts\"", Column = "T\"ags", Key = ["Tenant", "No;"], Email = "E-Mail", UserColumn = "owner",
            Users = new Dictionary<string, string> { ["7"] = "user" }, Fields = new Dictionary<string, string> { ["nickname"] = "nick" },
        };

        var plan = await Migrator.PlanAsync(source, null, default);
        await Migrator.CopyAsync(source, Backup, null, default, portion: 1);
        await _old.ExecuteAsync("""UPDATE "My ""CRM"."Con'tacts" SET owner = 'ann' WHERE "No;" = 'b'""");

        Assert.Equal(["nobody"], plan.UnknownOwners);
        Assert.Equal(0, (await Migrator.VerifyAsync(source, null, null, default)).Differences);
        Assert.Equal("b@example.com=x|a@example.com=x,y", string.Join('|', (await EdmPairsAsync(ann)).OrderByDescending(p => p.Key).Select(p => $"{p.Key}={p.Value}")));
        Assert.Equal("Anna", await Database.RunAsync(c => c.ExecuteAsync<string>("SELECT nickname FROM contacts WHERE email = 'a@example.com'")));
        var refused = await Assert.ThrowsAsync<MigrationException>(() => Migrator.CutOverAsync(source, TimeSpan.FromSeconds(5), false, null, default));
        Assert.Contains("set aside", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nothing", "tags", "id", "--table")]
    [InlineData("a.b.c.d", "tags", "id", "--table")]
    [InlineData("contacts; DROP TABLE contacts", "tags", "id", "--table")]
    [InlineData("contacts", "labels", "id", "--column")]
    [InlineData("contacts", "email", "id", "--column")]
    [InlineData("contacts", "tags", "email", "--key")]
    public async Task What_is_named_wrongly_is_told(string table, string column, string key, string option)
    {
        var refused = await Assert.ThrowsAsync<MigrationException>(() => Migrator.PlanAsync(_old.Source with { Table = table, Column = column, Key = [key] }, null, default));

        Assert.StartsWith(option, refused.Message, StringComparison.Ordinal);
    }

    private Task<CopyReport> CopyAsync() => Migrator.CopyAsync(_old.Source, Backup, null, default);

    private Task<int> SetPhaseAsync(string phase) => Database.RunAsync(c => c.ExecuteAsync($"UPDATE tag_migrations SET phase = '{phase}'"));

    private Task<VerifyReport> VerifyAsync() => Migrator.VerifyAsync(_old.Source, _folder.Combine("report"), null, default);

    private async Task AddOddAsync()
    {
        (string? Email, string? Tags)[] rows =
        [
            ("null@example.com", null), ("jsonnull@example.com", "null"), ("single@example.com", "\"alone\""), ("object@example.com", """{"beauty": true}"""), ("number@example.com", "7"),
            ("elements@example.com", """[null, 42, true, {"a": 1}]"""), ("nested@example.com", """["deep", ["deeper"]]"""), ("empty@example.com", """["", "  ", "  padded "]"""),
            ("control@example.com", """["a\tb"]"""), ("long@example.com", $"[\"{new string('n', 150)}\", \"{new string('n', 151)}\"]"), ("twice@example.com", """["x", "x"]"""),
            ("variant@example.com", """["Beauty", "BEAUTY"]"""), ("double@example.com", """["one"]"""), ("DOUBLE@example.com", """["two"]"""),
            ("large@example.com", JsonSerializer.Serialize(Enumerable.Range(0, 300_000).Select(i => $"l{i % 50}"))),
            ("many@example.com", JsonSerializer.Serialize(Enumerable.Range(0, 3_000).Select(i => $"m{i}"))), (null, """["x"]"""), ("not an address", """["x"]"""),
        ];
        for (var i = 0; i < rows.Length; i++)
        {
            await _old.AddAsync(i + 1, rows[i].Email, rows[i].Tags);
        }
    }

    /// <summary>Random changes, about 150 a second, until it is stopped.</summary>
    private async Task<int> WriteAsync(CancellationToken stop)
    {
        var random = new Random(3);
        var next = 10_000;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!stop.IsCancellationRequested)
        {
            for (var i = 0; i < 3; i++, Interlocked.Increment(ref _written))
            {
                var (id, tag) = (random.Next(1, 1501), $"t{random.Next(25)}");
                await (random.Next(10) switch
                {
                    0 => _old.AddAsync(++next, $"n{next}@example.com", $"[\"{tag}\"]"),
                    1 => _old.ExecuteAsync($"DELETE FROM contacts WHERE id = {(random.Next(2) == 0 ? id : next)}"),
                    2 => _old.ExecuteAsync($"BEGIN; UPDATE contacts SET tags = '[\"rolled back\"]' WHERE id = {id}; ROLLBACK"),
                    3 => _old.ExecuteAsync($"UPDATE contacts SET email = 'm' || {++next} || '@example.com' WHERE id = {id}"),
                    < 7 => _old.ExecuteAsync($"UPDATE contacts SET tags = tags || '[\"{tag}\"]' WHERE id = {id}"),
                    _ => _old.ExecuteAsync($"UPDATE contacts SET tags = tags - '{tag}' WHERE id = {id}"),
                });
            }

            await timer.WaitForNextTickAsync(CancellationToken.None);
        }

        return _written;
    }

    private async Task<int> EndAsync(Task<int> writing, CancellationTokenSource stop, int atLeast)
    {
        await Eventually.Async(() => Volatile.Read(ref _written) >= atLeast, TimeSpan.FromSeconds(20), "the old system has written enough");
        await stop.CancelAsync();
        return await writing;
    }

    private Task ChangeAsync(string tag, string[]? add = null, string[]? remove = null) => Database.WriteAsync(async connection =>
    {
        var book = await ContactBook.OpenAsync(connection, _user, default);
        var writer = new TagWriter(connection, _user, book, Time);
        var id = (await writer.ResolveAsync([TagName.Parse(tag, "tag")], default)).Values.Single();
        var changes = new TagChanges();
        foreach (var (emails, give) in ((string[], bool)[])[(add ?? [], true), (remove ?? [], false)])
        {
            foreach (var email in emails)
            {
                var ordinal = await connection.ExecuteAsync<int>($"SELECT ordinal FROM contacts WHERE user_id = {_user} AND email_key = '{email}'");
                _ = give ? changes.Add(id, ContactSet.Of(ordinal)) : changes.Remove(id, ContactSet.Of(ordinal));
            }
        }

        await writer.ApplyAsync(TagOperationKind.Add, new TagOrigin(TagSource.Person, "laptop"), changes, default);
        await book.CloseAsync(default);
    });

    /// <summary>Who has which tag, by the view that anyone with SQL uses.</summary>
    private async Task<SortedDictionary<string, string>> EdmPairsAsync(UserId? user = null)
    {
        var rows = await Database.RunAsync(c => c.QueryToListAsync<Pair>(
            $"SELECT c.email_key, t.name FROM contact_tags ct JOIN contacts c ON c.id = ct.contact_id JOIN tags t ON t.id = ct.tag_id WHERE ct.user_id = {user ?? _user}"));
        return new SortedDictionary<string, string>(
            rows.GroupBy(r => r.EmailKey).ToDictionary(g => g.Key, g => string.Join(',', g.Select(r => r.Name).Order(StringComparer.Ordinal))), StringComparer.Ordinal);
    }

    private sealed record Pair
    {
        [Column] public string EmailKey { get; init; } = "";
        [Column] public string Name { get; init; } = "";
    }

    private sealed class Act(Action<MigrationProgress> act) : IProgress<MigrationProgress>
    {
        public void Report(MigrationProgress value) => act(value);
    }
}

[Collection(PostgresFixture.Collection)]
public sealed class TagMigrationTestsOnSqlite(PostgresFixture postgres) : TagMigrationTests(new SqliteDatabases(), postgres);

[Collection(PostgresFixture.Collection)]
public sealed class TagMigrationTestsOnPostgres(PostgresFixture postgres) : TagMigrationTests(new PostgresDatabases(postgres), postgres);
