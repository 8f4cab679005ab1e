using System.Globalization;
using System.Text;
using Edm.Engine.Storage;
using Edm.Testing;
using Edm.Testing.Host;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Xunit.Abstractions;

namespace Edm.Host.Tests.SystemTests;

/// <summary>Imports go on by themselves after kill -9, and end as one that nobody disturbed.</summary>
[Collection(SystemCollection.Name)]
[Trait("Category", "System")]
public sealed class ImportKillTests(PostgresFixture postgres, ITestOutputHelper output)
{
    private const int Rows = 150_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public Task Ten_kills_change_nothing_on_SQLite() => KilledAsync(database: null, undisturbed: null);

    [Fact]
    public async Task Ten_kills_change_nothing_on_PostgreSQL() => await KilledAsync(await postgres.CreateDatabaseAsync(), await postgres.CreateDatabaseAsync());

    private async Task KilledAsync(string? database, string? undisturbed)
    {
        const int Kills = 10;
        var random = Seed.Next(output);
        using var folder = new TempFolder();
        var expected = await UndisturbedAsync(new HostOptions { Data = folder.Combine("undisturbed"), Database = undisturbed });
        var options = new HostOptions { Data = folder.Combine("killed"), Database = database };
        var host = await HostProcess.StartAsync(options);
        try
        {
            await StartAsync(host);
            for (var kill = 0; kill < Kills; kill++)
            {
                await Task.Delay(random.Next(0, 400));
                await host.KillAsync();
                await host.DisposeAsync();
                host = HostProcess.Launch(options);
                if (kill % 3 != 2)
                {
                    // Otherwise a crash on the heels of a crash: while the daemon is still starting.
                    await host.ReadyAsync();
                }
            }

            await host.ReadyAsync();
            var import = await EndAsync(host);
            output.WriteLine($"{import}");
            Assert.Equal(expected, await StateAsync(host, options));
        }
        finally
        {
            await host.DisposeAsync();
        }
    }

    private static async Task<string> UndisturbedAsync(HostOptions options)
    {
        await using var host = await HostProcess.StartAsync(options);
        await StartAsync(host);
        await EndAsync(host);
        return await StateAsync(host, options);
    }

    private static async Task StartAsync(HostProcess host)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/imports?file=list.csv&tag=all") { Content = new ByteArrayContent(File()) };
        request.Content.Headers.ContentType = new("text/csv");
        request.Headers.Add("Prefer", "respond-async");
        using var answer = await host.Client.SendAsync(request);
        Assert.Equal(System.Net.HttpStatusCode.Accepted, answer.StatusCode);
    }

    private static async Task<ImportView> EndAsync(HostProcess host)
    {
        await Eventually.Async(
            async () => (await host.Api.GetAsync<ImportView>("v1/imports/1")).State is "finished" or "failed", Patience, "the import has ended");
        var import = await host.Api.GetAsync<ImportView>("v1/imports/1");
        Assert.True(import.State == "finished", $"{import}\n{host.Output}");
        return import;
    }

    private static byte[] File() => Encoding.UTF8.GetBytes("email,handle,mood,tags\n" + string.Concat(Enumerable.Range(0, Rows).Select(i => (i % 40) switch
    {
        7 => string.Create(CultureInfo.InvariantCulture, $"bad{i},x,,\n"),
        9 when i > 100_000 => string.Create(CultureInfo.InvariantCulture, $"a{i - 100_000}@example.com,again{i},glad,late\n"),
        _ => string.Create(CultureInfo.InvariantCulture, $"a{i}@example.com,h{i},calm,t{i % 7};u{i % 5}\n"),
    })));

    /// <summary>Read beside the daemon, which holds no lock on what is read.</summary>
    private static async Task<string> StateAsync(HostProcess host, HostOptions options)
    {
        var import = await host.Api.GetAsync<ImportView>("v1/imports/1");
        using var database = new EdmDatabase(new StorageSettings(options.Database, options.Data));
        var text = new StringBuilder($"{import}\n");
        foreach (var sql in (string[])
            [
                "SELECT ordinal || '|' || email || '|' || handle || '|' || cast(attributes AS text) FROM contacts ORDER BY ordinal",
                "SELECT c.ordinal || '|' || t.name FROM contact_tags x JOIN contacts c ON c.id = x.contact_id JOIN tags t ON t.id = x.tag_id ORDER BY c.ordinal, t.name_key",
                "SELECT name || '|' || contacts FROM tags ORDER BY name_key",
                "SELECT nr || '|' || line || '|' || value || '|' || reason FROM import_errors ORDER BY nr",
                "SELECT kind || '|' || added || '|' || removed FROM tag_operations ORDER BY id",
                "SELECT cast(count(*) AS text) FROM contact_changes",
            ])
        {
            text.AppendJoin('\n', await database.RunAsync(connection => connection.QueryToListAsync<string>(sql))).AppendLine();
        }

        return text.ToString();
    }
}
