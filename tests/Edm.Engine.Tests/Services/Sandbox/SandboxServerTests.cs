using System.Text;
using Edm.Contracts;
using Edm.Engine.Services;
using Edm.Engine.Services.Sandbox;
using Edm.Engine.Tests.Services.Smtp;
using Xunit;

namespace Edm.Engine.Tests.Services.Sandbox;

public sealed class SandboxServerTests
{
    [Fact]
    public async Task It_speaks_the_protocol_in_its_order()
    {
        await using var sandbox = await SandboxFixture.StartAsync();

        var replies = await sandbox.TalkAsync(
            "EHLO me", "NOOP", "DATA", "RCPT TO:<a@b.example>", "MAIL FROM:nobody", "MAIL FROM:<me@a.example> SIZE=99999999999", "MAIL FROM:<me@a.example> BODY=8BITMIME",
            "MAIL FROM:<me@a.example>", "DATA", "RCPT TO:<a@b.example>", "RSET", "DATA", "WHAT", "HELO me", "QUIT");

        Assert.Equal(
            ["220", "250", "250", "503", "503", "501", "552", "250", "503", "503", "250", "250", "503", "500", "250", "221"],
            replies.Select(reply => reply[..3]));
    }

    [Fact]
    public async Task A_mail_is_kept_as_it_came_without_the_stuffed_dots()
    {
        await using var sandbox = await SandboxFixture.StartAsync();

        await sandbox.TalkAsync(
            "EHLO me", "AUTH PLAIN " + Base64("\0relay-1\0secret"), "MAIL FROM:<me@a.example>", "RCPT TO:<a@b.example>", "RCPT TO:<c@d.example>", "DATA",
            "Subject: one\r\n two\r\nMessage-ID: <4711@a.example>\r\n\r\n..\r\n..dot\r\nend\r\n.", "QUIT");

        var page = await sandbox.Store.PageAsync(long.MaxValue, 10, null, default);
        Assert.Equal(["c@d.example", "a@b.example"], page.Select(message => message.Recipient));
        Assert.Equal(("relay-1", "me@a.example", "one two", "4711@a.example"), (page[0].Login, page[0].Sender, page[0].Subject, page[0].MessageId));
        Assert.Equal("Subject: one\r\n two\r\nMessage-ID: <4711@a.example>\r\n\r\n.\r\n.dot\r\nend\r\n", Encoding.UTF8.GetString((await sandbox.Store.GetRawAsync(page[0].Id, default))!));
    }

    [Fact]
    public async Task Only_a_line_of_one_dot_ends_a_mail()
    {
        await using var sandbox = await SandboxFixture.StartAsync();

        await sandbox.TalkAsync("EHLO me", "MAIL FROM:<me@a.example>", "RCPT TO:<a@b.example>", "DATA", "a\n.\nb\r\n. \r\nc\r\n.");

        var page = await sandbox.Store.PageAsync(long.MaxValue, 10, null, default);
        Assert.Equal("a\n.\nb\r\n \r\nc\r\n", Encoding.UTF8.GetString((await sandbox.Store.GetRawAsync(Assert.Single(page).Id, default))!));
    }

    [Theory]
    [InlineData("AUTH LOGIN", "bWU=", "c2VjcmV0")]
    [InlineData("AUTH PLAIN", "AG1lAHNlY3JldA==", null)]
    [InlineData("AUTH LOGIN bWU=", "c2VjcmV0", null)]
    public async Task Anybody_may_log_in(string auth, string first, string? second)
    {
        await using var sandbox = await SandboxFixture.StartAsync();
        string[] lines = ["EHLO me", auth, first, .. second is null ? Array.Empty<string>() : [second], "MAIL FROM:<>", "RCPT TO:<a@b.example>", "DATA", "x\r\n."];

        await sandbox.TalkAsync(lines);

        Assert.Equal("me", Assert.Single(await sandbox.Store.PageAsync(long.MaxValue, 10, "me", default)).Login);
    }

    [Fact]
    public async Task A_line_without_end_closes_the_connection()
    {
        await using var sandbox = await SandboxFixture.StartAsync();

        Assert.StartsWith("500", (await sandbox.TalkAsync("EHLO " + new string('x', 100_000)))[1], StringComparison.Ordinal);
        Assert.StartsWith("500", (await sandbox.TalkAsync("EHLO me", "MAIL FROM:<>", "RCPT TO:<a@b.example>", "DATA", new string('x', 200_000)))[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_big_mail_is_kept_in_part_and_counted_whole()
    {
        await using var sandbox = await SandboxFixture.StartAsync();
        await using var connection = sandbox.Connect();

        var attempt = await connection.SendAsync(ConnectionFixture.Mail(string.Concat(Enumerable.Repeat("0123456789\r\n", 20_000))), "me@a.example", "a@b.example", default);

        Assert.Equal(AttemptResult.Accepted, attempt.Result);
        var message = Assert.Single(await sandbox.Store.PageAsync(long.MaxValue, 10, null, default));
        Assert.InRange(message.Size, 240_000, 241_000);
        Assert.InRange((await sandbox.Store.GetRawAsync(message.Id, default))!.Length, SandboxServer.MaxRaw - 2, SandboxServer.MaxRaw + 2);
    }

    [Fact]
    public async Task Many_connections_at_once_lose_nothing_and_double_nothing()
    {
        await using var sandbox = await SandboxFixture.StartAsync();

        await Parallel.ForAsync(0, 20, async (nr, _) =>
        {
            await using var connection = sandbox.Connect($"s{nr}");
            for (var i = 0; i < 50; i++)
            {
                Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync(ConnectionFixture.Mail(), "me@a.example", $"{nr}-{i}@b.example", default)).Result);
            }
        });

        Assert.Equal(new SandboxCount(1000, 1000, 0), await sandbox.Store.CountAsync(default));
    }

    [Fact]
    public async Task Switched_off_in_the_middle_it_lets_nobody_wait()
    {
        var sandbox = await SandboxFixture.StartAsync();
        await using var connection = sandbox.Connect();
        sandbox.Behaviours.Set(null, new SandboxBehaviour { Delay = TimeSpan.FromMinutes(5) });
        var sending = connection.SendAsync();

        await Testing.Eventually.Async(() => !sending.IsCompleted && connection.IsReady, TimeSpan.FromSeconds(10), "the mail is under way");
        await sandbox.DisposeAsync();

        Assert.NotEqual(AttemptResult.Accepted, (await sending).Result);
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
