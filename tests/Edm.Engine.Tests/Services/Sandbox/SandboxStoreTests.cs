using Edm.Engine.Services.Sandbox;
using Edm.Testing;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Edm.Engine.Tests.Services.Sandbox;

public sealed class SandboxStoreTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string DatabaseFile => _folder.Combine("sandbox.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_was_added_is_in_the_file_before_the_answer()
    {
        await using var store = new SandboxStore(DatabaseFile);

        await store.AddAsync(Mail("a@b.example"), default);

        using var other = new SqliteConnection($"Data Source={DatabaseFile};Mode=ReadOnly;Pooling=False");
        other.Open();
        using var command = other.CreateCommand();
        command.CommandText = "SELECT recipient FROM messages";
        Assert.Equal("a@b.example", command.ExecuteScalar());
    }

    [Fact]
    public async Task Messages_come_back_newest_first_also_after_a_restart()
    {
        await using (var store = new SandboxStore(DatabaseFile))
        {
            await store.AddAsync(Mail("one@b.example"), default);
            await store.AddAsync(Mail("two@b.example", "relay"), default);
        }

        await using var again = new SandboxStore(DatabaseFile);
        var page = await again.PageAsync(long.MaxValue, 10, null, default);
        Assert.Equal(["two@b.example", "one@b.example"], page.Select(message => message.Recipient));
        Assert.Equal(
            new SandboxMessage(page[0].Id, DateTimeOffset.UnixEpoch.AddSeconds(5), "relay", "me@a.example", "two@b.example", "subject", "1@a", 3), page[0]);
        Assert.Equal("one@b.example", Assert.Single(await again.PageAsync(page[0].Id, 10, null, default)).Recipient);
        Assert.Equal("two@b.example", Assert.Single(await again.PageAsync(long.MaxValue, 10, "relay", default)).Recipient);
        Assert.Equal("raw"u8.ToArray(), await again.GetRawAsync(page[0].Id, default));
        Assert.Null(await again.GetRawAsync(4711, default));
    }

    [Fact]
    public async Task Duplicates_are_counted_by_recipient_whatever_the_case_and_over_a_restart()
    {
        await using (var store = new SandboxStore(DatabaseFile))
        {
            await store.AddAsync(Mail("a@b.example"), default);
            await store.AddAsync(Mail("c@d.example"), default);
        }

        await using var again = new SandboxStore(DatabaseFile);
        await again.AddAsync(Mail("A@b.example"), default);

        Assert.Equal(new SandboxCount(3, 2, 1), await again.CountAsync(default));
        Assert.Equal(new SandboxDuplicate("a@b.example", 2), Assert.Single(await again.DuplicatesAsync(10, default)));
    }

    [Fact]
    public async Task Only_the_newest_are_kept_and_all_are_counted()
    {
        await using var store = new SandboxStore(DatabaseFile, maxMessages: 500, maxRaws: 100);

        await Parallel.ForAsync(0, 3_000, async (i, stop) => await store.AddAsync(Mail($"{i}@b.example"), stop));

        var page = await store.PageAsync(long.MaxValue, 10_000, null, default);
        Assert.InRange(page.Count, 500, 1_500);
        Assert.Null(await store.GetRawAsync(page[^1].Id, default));
        Assert.NotNull(await store.GetRawAsync(page[0].Id, default));
        Assert.Equal(new SandboxCount(3_000, 3_000, 0), await store.CountAsync(default));
    }

    [Fact]
    public async Task Clear_forgets_everything_and_ids_go_on()
    {
        await using var store = new SandboxStore(DatabaseFile);
        await store.AddAsync(Mail("a@b.example"), default);
        await store.AddAsync(Mail("a@b.example"), default);

        await store.ClearAsync(default);

        Assert.Equal(new SandboxCount(0, 0, 0), await store.CountAsync(default));
        Assert.Empty(await store.PageAsync(long.MaxValue, 10, null, default));
        await store.AddAsync(Mail("a@b.example"), default);
        Assert.Equal(3, Assert.Single(await store.PageAsync(long.MaxValue, 10, null, default)).Id);
    }

    [Fact]
    public async Task The_memory_answers_like_the_file()
    {
        await using var file = new SandboxStore(DatabaseFile);
        await using var memory = new MemorySandboxStore();
        foreach (var store in new ISandboxStore[] { file, memory })
        {
            foreach (var recipient in new[] { "a@b.example", "c@d.example", "A@B.example" })
            {
                await store.AddAsync(Mail(recipient, recipient[0] == 'c' ? "relay" : null), default);
            }
        }

        Assert.Equal(await file.CountAsync(default), await memory.CountAsync(default));
        Assert.Equal(await file.PageAsync(3, 10, null, default), await memory.PageAsync(3, 10, null, default));
        Assert.Equal(await file.PageAsync(9, 10, "relay", default), await memory.PageAsync(9, 10, "relay", default));
        Assert.Equal(await file.DuplicatesAsync(9, default), await memory.DuplicatesAsync(9, default));
    }

    private static SandboxMail Mail(string recipient, string? login = null) =>
        new(DateTimeOffset.UnixEpoch.AddSeconds(5), login, "me@a.example", [recipient], "subject", "1@a", 3, "raw"u8.ToArray());
}
