using System.Globalization;
using System.Text;
using System.Text.Json;
using Edm.Engine.Storage;
using Edm.Testing;
using Edm.Testing.Databases;
using Edm.Testing.Host;
using Edm.Testing.Servers;

namespace Edm.Host.Tests.SystemTests;

/// <summary>Where people are while a real daemon mails them, and where they are when they have been erased: every table and every byte of its files is looked through.</summary>
[Collection(SystemCollection.Name)]
[Trait("Category", "System")]
public sealed class PersonalDataTests(PostgresFixture postgres)
{
    private const int People = 60;

    /// <summary>A part of every address, handle and name here, and of nothing else.</summary>
    private const string Mark = "quillmark";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_journal_never_held_a_person_and_nothing_holds_one_that_was_erased(bool onPostgres)
    {
        using var folder = new TempFolder();

        // A server that says whom it means, in every way but one that a mail could do without.
        await using var server = new CountingSmtpServer(words: to => Number(to) % 3 == 0
            ? new SmtpWords($"550 5.1.1 <{to}>: {to[..to.IndexOf('@', StringComparison.Ordinal)]} ({Mark}handle{Number(to)}, {Mark} Name{Number(to)}) unknown", "")
            : new SmtpWords($"250 2.1.5 {to} ok", $"250 2.0.0 Ok: for {to}, {Mark}HANDLE{Number(to)}, {Mark} name{Number(to)}"));
        var options = new HostOptions { Data = folder.Combine("data"), Database = onPostgres ? await postgres.CreateDatabaseAsync() : null };
        await using var daemon = await HostProcess.StartAsync(options);
        using var database = new EdmDatabase(new StorageSettings(options.Database, options.Data));
        await daemon.Api.ImportAsync(Contacts());
        var pool = await daemon.Api.CreatePoolAsync("pool");
        await daemon.Api.CreateServiceAsync(pool, "service", server.Port, connections: 4);
        var template = await daemon.Api.CreateTemplateAsync("hello", "Hello {{ nickname }}", "<p>Hello {{ nickname }} {{ handle }}</p>", null);
        var first = await LaunchedAsync(daemon, template, pool);
        var frozen = await FrozenAsync(daemon, template, pool);

        await FinishedAsync(daemon, first);
        var replies = await RecipientsAsync(daemon, first);

        Assert.Equal(People * 2 / 3, replies.Count(one => one.GetProperty("state").GetString() == "sent"));
        Assert.All(replies, one => Assert.Contains("<recipient>", one.GetProperty("reply").GetString(), StringComparison.Ordinal));
        Assert.Equal(["contacts"], (await StoredWords.FindAsync(database, Mark)).Select(place => place[..place.IndexOf('.', StringComparison.Ordinal)]).Distinct());
        await JournalIsImpersonalAsync(database);

        // One that was sent to, and one that was refused.
        foreach (var n in (int[])[7, 9])
        {
            var contact = (await daemon.Api.GetAsync<JsonElement>($"v1/contacts?filter=handle = {Mark}handle{n}")).GetProperty("items")[0].GetProperty("id").GetInt64();
            var erasure = (await daemon.Api.PostAsync<JsonElement>($"v1/contacts/{contact}/erasure", null)).GetProperty("id").GetInt64();
            Assert.Empty(await StoredWords.FindAsync(database, Words(n)));
            await Eventually.Async(
                async () => (await daemon.Api.GetAsync<JsonElement>($"v1/erasures/{erasure}")).GetProperty("state").GetString() == "finished", Patience, "the erasure is finished");
        }

        await daemon.Api.LaunchAsync(frozen.Campaign);
        await FinishedAsync(daemon, frozen.Task);

        // Whose mailbox the server did not know in the first task is skipped too: such a contact is suppressed.
        var skipped = (await RecipientsAsync(daemon, frozen.Task)).Where(one => one.GetProperty("state").GetString() == "skipped").Select(one => one.GetProperty("reason").GetString()).ToArray();
        Assert.Equal(2, skipped.Count(reason => reason == "the person was erased"));
        Assert.All(skipped, reason => Assert.True(reason is "the person was erased" or "the contact is suppressed", reason));
        Assert.All((int[])[7, 9], n => Assert.Equal(n == 7 ? 1 : 0, server.Received.GetValueOrDefault(Address(n))));

        Assert.Empty(await StoredWords.FindAsync(database, [.. Words(7), .. Words(9)]));
        await JournalIsImpersonalAsync(database);
        foreach (var file in Directory.EnumerateFiles(options.Data, "*.db*"))
        {
            Assert.Empty(await StoredWords.InFileAsync(file, [.. Words(7), .. Words(9)]));
        }
    }

    private static async Task JournalIsImpersonalAsync(EdmDatabase database)
    {
        if (database.IsPostgres)
        {
            // With the other tables: where the mark stood, the journal was not.
            Assert.NotEmpty(await StoredWords.FindAsync(database, "<recipient>"));
            return;
        }

        string[] files = [database.JournalFile, $"{database.JournalFile}-wal"];
        var says = await Task.WhenAll(files.Select(file => StoredWords.InFileAsync(file, "5.1.1", "recipient")));
        Assert.NotEmpty(says.SelectMany(found => found));
        var holds = await Task.WhenAll(files.Select(file => StoredWords.InFileAsync(file, Mark)));
        Assert.Empty(holds.SelectMany(found => found));
    }

    private static async Task<long> LaunchedAsync(HostProcess daemon, long template, long pool)
    {
        var (campaign, task) = await FrozenAsync(daemon, template, pool);
        await daemon.Api.LaunchAsync(campaign);
        return task;
    }

    private static async Task<(long Campaign, long Task)> FrozenAsync(HostProcess daemon, long template, long pool)
    {
        var campaign = await daemon.Api.CreateCampaignAsync($"campaign {Guid.NewGuid():N}", template, pool);
        return (campaign, (await daemon.Api.FreezeAsync(campaign)).TaskId);
    }

    /// <summary>Also in what is projected from the journal.</summary>
    private static Task FinishedAsync(HostProcess daemon, long task) => Eventually.Async(
        async () =>
        {
            var now = await daemon.Api.TaskAsync(task);
            Assert.Equal(People, now.Planned);
            return now.State == "finished" && (await RecipientsAsync(daemon, task)).TrueForAll(one => one.GetProperty("state").GetString() == "skipped" || one.GetProperty("reply").GetString() is not null);
        },
        Patience,
        "the task is finished");

    private static async Task<List<JsonElement>> RecipientsAsync(HostProcess daemon, long task) =>
        [.. (await daemon.Api.GetAsync<JsonElement>($"v1/tasks/{task}/recipients?limit=1000")).GetProperty("items").EnumerateArray()];

    private static byte[] Contacts()
    {
        var csv = new StringBuilder("email,handle,nickname,mood\n");
        for (var n = 1; n <= People; n++)
        {
            csv.Append(CultureInfo.InvariantCulture, $"{Address(n)},{Mark}handle{n},{Mark} Name{n},mood {Mark}{n}\n");
        }

        return Encoding.UTF8.GetBytes(csv.ToString());
    }

    private static string Address(int n) => string.Create(CultureInfo.InvariantCulture, $"{Mark}.person{n}@example.test");

    private static int Number(string address) => int.Parse(address[(address.IndexOf("person", StringComparison.Ordinal) + 6)..address.IndexOf('@', StringComparison.Ordinal)], CultureInfo.InvariantCulture);

    /// <summary>Nobody's number begins with these two persons'.</summary>
    private static string[] Words(int n) => [Address(n), $"{Mark} Name{n}", $"{Mark}handle{n}", $"mood {Mark}{n}"];
}
