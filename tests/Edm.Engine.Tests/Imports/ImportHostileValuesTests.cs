using System.Globalization;
using System.Text;
using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Search;
using Edm.Engine.Imports;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using Xunit;

namespace Edm.Engine.Tests.Imports;

/// <summary>Whatever stands in a row, it is stored, or the row is refused with its reason; it never costs anybody else's row.</summary>
public abstract class ImportHostileValuesTests(IDatabases databases) : DatabaseTests(databases)
{
    private static readonly string[] Fields =
        ["email", "handle", "nickname", "first name", "last name", "followers", "country", "language", "category", "bio", "profile url", "tags", "note", "joined", "score"];

    /// <summary>As they stand in JSON.</summary>
    private static readonly string[] Tokens =
    [
        // What PostgreSQL can't hold, half characters, and what is no character.
        @"""\u0000""", @"""a\u0000b""", @"""\ud800""", @"""\udc00x""", @"""a\ud83d""", @"""\udc00\ud800""", @"""\uffff""", @"""\ufffe\ufdd0""", @"""\udbff\udfff""", @"""x\ufeff""",
        @"""\u0001\u001f""", @"""a\u007f\u0085b""", @"""\u2028""", @"""a\u202eb""", @"""\u0301""", @"""\u1e9b\u0323""",
        // What looks like an escape to whoever unescapes once too often.
        @"""\\u0000""", @"""\\x00""", @"""\\ud800""", @"""\\""", @"""\\N""", @"""{\""a\"":1}""", @"""'; DROP TABLE contacts; --""", @"""{{ 7 }}""", @"""%00""",
        @"""https://www.tiktok.com/%00ann""", @"""https://www.tiktok.com/@ann%00""", @"""https://example.com/a%0Ab""", @"""https://example.com/%ED%A0%80""", @"""https://""", @"""a/b/%""",
        // Numbers.
        "0", "-1", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1e999", "-1e999", "1e-999", "1e18", "0.1e1", "123456789012345678901234567890",
        @"""1e999""", @"""9223372036854775807""", @"""9223372036854775808""", @"""999999999999999999""", @"""1e-99""", @"""NaN""", @"""Infinity""", @"""-0""", @"""0x10""", @"""99999999999B""",
        // Dates.
        @"""0000-00-00""", @"""9999-99-99""", @"""2024-02-30""", @"""275760-09-14T00:00:00Z""", @"""-1-01-01""", @"""9999-12-31T23:59:59+14:00""", @"""2024-01-01T25:61:61+99:99""",
        // Long ones, and deep ones.
        $"\"{new string('x', 501)}\"", $"\"{new string('漢', 4001)}\"", $"\"{new string('y', 100_000)}\"", $"\"{string.Concat(Enumerable.Repeat("🌷", 251))}\"",
        $"\"{string.Join(';', Enumerable.Range(0, 70))}\"", $"{new string('[', 200)}{new string(']', 200)}", """{"a":{"b":{"c":{"d":{"e":[1]}}}}}""", "[]", "{}", """["a",["b"]]""",
        """["a","\ud800"]""", """["a\u0000"]""", """[{"a":1e999}]""", "true", "false", "null",
    ];

    [Fact]
    public async Task Whatever_stands_in_a_field_of_JSON_is_stored_or_the_row_refused()
    {
        List<string> lines = [];
        foreach (var field in Fields)
        {
            foreach (var token in Tokens)
            {
                lines.Add(field == "email" ? $$"""{"email":{{token}}}""" : $$"""{"email":"{{Address(lines.Count + 1)}}","{{field}}":{{token}}}""");
            }
        }

        foreach (var name in (string[])["\\u0000", "\\ud800", "a\\u0000b", "", " ", "🌷", "\\uffff", new string('n', 5000), "other emails", "$", "a.b.c"])
        {
            lines.Add($$$"""{"email":"{{{Address(lines.Count + 1)}}}","{{{name}}}":"x","{{{name}}}":"y","{{{name}}}2":{"{{{name}}}":1}}""");
        }

        await ImportAsync(string.Join('\n', lines), "list.ndjson", firstLine: 1, lines.Count);
        await ImportAsync($"[{string.Join(",\n", lines)}]", "list.json", firstLine: 1, lines.Count);
    }

    [Fact]
    public async Task Whatever_stands_in_a_field_of_CSV_is_stored_or_the_row_refused()
    {
        var values = Tokens.Where(token => token[0] == '"' && !token.Contains(@"\ud800", StringComparison.Ordinal) && !token.Contains(@"\udc00", StringComparison.Ordinal) && !token.Contains(@"\ud83d""", StringComparison.Ordinal))
            .Select(token => JsonSerializer.Deserialize<string>(token)!).ToList();
        var text = new StringBuilder(string.Join(',', Fields)).Append('\n');
        // A text with more than a few NULs at its start is taken for none.
        var line = 1;
        foreach (var (at, value) in Enumerable.Repeat("plain", 20).Concat(values).SelectMany(value => Fields.Select((_, at) => (at, value))))
        {
            // A row of nothing but white space is none.
            var cells = Fields.Select((_, i) => i == at ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : i == 0 ? Address(line) : i == 1 ? "ann" : "");
            text.Append(string.Join(',', cells)).Append('\n');
            line++;
        }

        await ImportAsync(text.ToString(), "list.csv", firstLine: 2, line - 1);
    }

    [Fact]
    public async Task What_is_wrong_with_a_file_is_told_also_when_it_quotes_a_NUL()
    {
        var user = await AddUserAsync();

        await Assert.ThrowsAsync<ImportFormatException>(() => RunAsync(user, "na\0me,note\nann,x\n", "list.csv"));

        var import = Assert.Single(await Store.PageAsync(user, null, 10));
        Assert.Equal(ImportState.Failed, import.State);
        Assert.Contains("na\uFFFDme", import.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_long_file_name_is_cut_between_characters()
    {
        var user = await AddUserAsync();

        await RunAsync(user, "email\na@example.com\n", $"{new string('x', 254)}🌷.csv");

        Assert.Equal(new string('x', 254), Assert.Single(await Store.PageAsync(user, null, 10)).FileName);
    }

    private ImportStore Store => new(Database, Time);

    private static string Address(int nr) => string.Create(CultureInfo.InvariantCulture, $"a{nr}@example.com");

    /// <summary>Each row of a file has an address of its own, by its number.</summary>
    private async Task ImportAsync(string file, string name, int firstLine, int rows)
    {
        var user = await AddUserAsync(name);

        var summary = await RunAsync(user, file, name);
        var again = await RunAsync(user, file, name);

        Assert.Equal((rows, rows, 0L), (summary.Rows, summary.Created + summary.Rejected, summary.Doubled));
        Assert.Equal((rows, summary.Created, summary.Rejected), (again.Rows, again.Unchanged, again.Rejected));
        var errors = await Store.ErrorsAsync(user, summary.Import, 0, ImportStore.MaxPage);
        Assert.Equal(summary.Rejected, errors.Count);
        Assert.All(errors, error => Assert.NotEqual("", error.Reason));
        var contacts = new ContactStore(Database, ImportParts.Suppressions(Time), Time);
        var lines = errors.Select(error => error.Line - firstLine + 1).ToHashSet();
        for (var nr = 1; nr <= rows; nr++)
        {
            Assert.True(await contacts.FindAsync(user, Address(nr)) is null == lines.Contains(nr), $"row {nr} is neither stored nor refused: {file.Split('\n')[nr + firstLine - 2]}");
        }

        using var csv = new MemoryStream();
        await new ErrorsCsv(Store).WriteAsync(user, summary.Import, ErrorsForm.Original, csv);
        Assert.Equal(summary.Created, await Search.CountAsync(user, ContactFilter.All));
    }

    private async Task<ImportSummary> RunAsync(UserId user, string file, string name)
    {
        using var importer = ImportParts.Importer(Database, Time);
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(file));
        return await importer.RunAsync(user, stream, name, new ImportOptions());
    }
}

public sealed class ImportHostileValuesTestsOnSqlite() : ImportHostileValuesTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class ImportHostileValuesTestsOnPostgres(PostgresFixture postgres) : ImportHostileValuesTests(new PostgresDatabases(postgres));
