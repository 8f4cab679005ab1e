using System.Globalization;
using System.Text;
using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Search;
using Edm.Engine.Imports;
using Edm.Testing.Databases;
using Sylvan.Data.Csv;
using Xunit;
using Xunit.Abstractions;

namespace Edm.Engine.Tests.Imports;

/// <summary>
/// Scores the import on files found in the wild, which are not ours to ship: EDM_FIXTURES names the folder that has them. Without it there is nothing to
/// score, which the tests say and nothing more; what was learnt from these files is tested beside this class with rows of our own.
/// </summary>
public sealed class ImportFixturesTests(ITestOutputHelper output) : DatabaseTests(new SqliteDatabases())
{
    private static readonly string? Folder = Environment.GetEnvironmentVariable("EDM_FIXTURES");

    [Fact]
    public async Task Every_row_of_the_monthly_lists_has_the_handle_and_the_followers_it_should_have()
    {
        if (!HasFixtures("tiktok-top1000", out var folder))
        {
            return;
        }

        var right = 0;
        foreach (var rows in File.ReadLines(Path.Combine(folder, "expected.jsonl")).Select(l => JsonDocument.Parse(l).RootElement).GroupBy(e => e.GetProperty("file").GetString()!))
        {
            var user = await AddUserAsync(rows.Key);
            var summary = await RunAsync(user, await WithAddressesAsync(Path.Combine(folder, rows.Key)));
            Assert.Equal(rows.Count(), summary.Created);
            var contacts = await AllAsync(user);
            foreach (var row in rows)
            {
                var card = contacts[$"row{row.GetProperty("row").GetInt32()}@example.com"].Card;
                Assert.Equal((row.GetProperty("handle").GetString()!.Trim(), row.GetProperty("followers").GetInt64()), (card.Handle, card.Followers));
                right++;
            }
        }

        output.WriteLine($"{right} rows are right.");
        Assert.NotEqual(0, right);
    }

    [Fact]
    public async Task Every_odd_file_is_imported_or_refused_with_a_reason()
    {
        if (!HasFixtures("csv-edge", out _))
        {
            return;
        }

        var user = await AddUserAsync();
        var (imported, refused) = (0, 0);
        var files = ((string[])["csv-edge/csv", "csv-spectrum/csvs"]).SelectMany(f => Directory.EnumerateFiles(Path.Combine(Folder!, f))).Select(File.ReadAllBytes);
        var cases = File.ReadLines(Path.Combine(Folder!, "csv-papaparse", "cases.jsonl"))
            .Select(l => JsonDocument.Parse(l).RootElement)
            .Where(c => c.TryGetProperty("input", out var input) && input.ValueKind == JsonValueKind.String)
            .Select(c => Encoding.UTF8.GetBytes(c.GetProperty("input").GetString()!));
        foreach (var file in files.Concat(cases))
        {
            // As it is, most have no column for addresses and are refused at once; with one, they are read to the end.
            foreach (var bytes in (byte[][])[file, [.. "email,"u8, .. file], [.. "email;"u8, .. file]])
            {
                try
                {
                    using var stream = new MemoryStream(bytes);
                    await Importer.RunAsync(user, stream, "odd.csv", new ImportOptions());
                    imported++;
                }
                catch (ImportFormatException exception)
                {
                    Assert.NotEmpty(exception.Message);
                    refused++;
                }
            }
        }

        output.WriteLine($"{imported} files were imported, {refused} refused.");
        Assert.InRange(imported, 100, int.MaxValue);
    }

    private Importer Importer => ImportParts.Importer(Database, Time);

    private bool HasFixtures(string name, out string folder)
    {
        folder = Path.Combine(Folder ?? "", name);
        if (Folder is null)
        {
            output.WriteLine("EDM_FIXTURES is not set: nothing to score.");
        }

        return Folder is not null;
    }

    private async Task<ImportSummary> RunAsync(UserId user, byte[] file)
    {
        using var stream = new MemoryStream(file);
        return await Importer.RunAsync(user, stream, "list.csv", new ImportOptions());
    }

    private async Task<Dictionary<string, Contact>> AllAsync(UserId user)
    {
        var all = new Dictionary<string, Contact>();
        string? after = null;
        do
        {
            var page = await Search.PageAsync(user, ContactFilter.All, ContactOrder.Oldest, after, ContactSearch.MaxPage);
            foreach (var contact in page.Contacts)
            {
                all.Add(contact.Card.Email, contact);
            }

            after = page.Next;
        }
        while (after is not null);

        return all;
    }

    /// <summary>The lists have no addresses: each record gets an invented one before it, and stays as it is otherwise.</summary>
    private static async Task<byte[]> WithAddressesAsync(string file)
    {
        await using var csv = await CsvDataReader.CreateAsync(new StreamReader(file), new CsvDataReaderOptions { HasHeaders = false, Delimiter = ',', Comment = '\0' });
        var text = new StringBuilder();
        for (var row = 0; await csv.ReadAsync(); row++)
        {
            text.Append(row == 0 ? "email," : string.Create(CultureInfo.InvariantCulture, $"row{row}@example.com,")).Append(csv.GetRawRecordSpan());
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
