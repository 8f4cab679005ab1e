using System.Globalization;
using System.Text;
using Edm.Host.Tests.Api;
using Edm.Testing;
using Edm.Testing.Host;
using Edm.Testing.Servers;

namespace Edm.Host.Tests.Stories;

/// <summary>"One poison recipient among 100 (and one poison template value): 99 sent once, 1 failed with reason." Through the real API, templates, composer and SMTP.</summary>
[Collection(ApiFixture.Collection)]
public sealed class Story08PoisonTests(ApiFixture fixture)
{
    private const int Recipients = 100;
    private const int Poison = 50;
    private const string PoisonAddress = "person50@example.com";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_recipient_that_the_server_chokes_on_fails_with_its_words_and_the_others_get_their_mail()
    {
        await using var server = new CountingSmtpServer(
            words: to => to == PoisonAddress ? new SmtpWords("553 5.1.3 Bad recipient address syntax", "250 2.0.0 Ok") : new SmtpWords("250 2.1.5 Ok", "250 2.0.0 Ok"));

        var failed = await FailedAsync(server, _ => "hello");

        Assert.Equal(553, failed.ReplyCode);
        Assert.Contains("Bad recipient address syntax", failed.Reply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_value_that_the_template_chokes_on_fails_one_recipient_and_names_what_was_wrong()
    {
        await using var server = new CountingSmtpServer();

        // Somebody's greeting is a novel, and it belongs into the subject.
        var failed = await FailedAsync(server, n => n == Poison ? new string('x', 1_500) : "hello");

        Assert.Contains("subject: it is", failed.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain(PoisonAddress, server.Received.Keys);
    }

    [Fact]
    public async Task A_value_that_would_break_a_header_is_only_a_value()
    {
        await using var server = new CountingSmtpServer();
        using var client = (await fixture.Host.NewUserAsync()).Client;

        // Two lines in a quoted field: whoever pastes it into a header adds a recipient.
        var task = await SendAsync(client, server, n => n == Poison ? "\"Eve\r\nBcc: thief@example.com\"" : $"Person {n}", _ => "hello");

        Assert.Equal(Recipients, task.Of("sent"));
        Assert.Equal(Recipients, server.Received.Count);
        Assert.All(server.Received.Values, mails => Assert.Equal(1, mails));
    }

    /// <returns>The one that failed, after everybody else was sent one mail.</returns>
    private async Task<RecipientView> FailedAsync(CountingSmtpServer server, Func<int, string> bio)
    {
        using var client = (await fixture.Host.NewUserAsync()).Client;
        var task = await SendAsync(client, server, n => $"Person {n}", bio);

        Assert.Equal((Recipients - 1, 1), (task.Of("sent"), task.Of("failed")));
        Assert.Equal(Recipients - 1, server.Received.Count);
        Assert.All(server.Received.Values, mails => Assert.Equal(1, mails));
        RecipientView? failed = null;
        await Eventually.Async(
            async () => (failed = (await new EdmClient(client).RecipientsAsync(task.Id)).Single(one => one.State == "failed")).Reason is not null, Patience, "the reason is told");
        Assert.Equal(Poison, failed!.Seq);
        return failed;
    }

    private static async Task<TaskView> SendAsync(HttpClient client, CountingSmtpServer server, Func<int, string> nickname, Func<int, string> bio)
    {
        var api = new EdmClient(client);
        var csv = new StringBuilder("email,nickname,bio\n");
        for (var n = 1; n <= Recipients; n++)
        {
            csv.Append(CultureInfo.InvariantCulture, $"person{n}@example.com,{nickname(n)},{bio(n)}\n");
        }

        await api.ImportAsync(Encoding.UTF8.GetBytes(csv.ToString()));
        var pool = await api.CreatePoolAsync("pool");
        await api.CreateServiceAsync(pool, "service", server.Port, connections: 4);
        var template = await api.CreateTemplateAsync("template", "{{ nickname }}: {{ bio }}", "<p>Hello {{ nickname }}</p>", null, strict: true);
        var campaign = await api.CreateCampaignAsync("campaign", template, pool);
        var frozen = await api.FreezeAsync(campaign);
        await api.LaunchAsync(campaign);
        TaskView? task = null;
        await Eventually.Async(async () => (task = await api.TaskAsync(frozen.TaskId)).State == "finished", Patience, "the task is finished");
        return task!;
    }
}
