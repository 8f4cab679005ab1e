using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Edm.Contracts.Http;
using Edm.Engine.Services.Sandbox;
using Microsoft.Extensions.DependencyInjection;

namespace Edm.Host.Tests.Api;

/// <summary>The sandbox over HTTP. It is one for all users of a node, so these tests have a node of their own.</summary>
public sealed class SandboxApiTests(SandboxApiTests.Node node) : IClassFixture<SandboxApiTests.Node>
{
    [Fact]
    public async Task Its_port_takes_mail_and_what_it_got_is_listed_the_newest_first()
    {
        using var admin = await FreshAsync();
        await MailAsync("ann@example.com", "first");
        await MailAsync("bob@example.com", "second");
        await MailAsync("ann@example.com", "third");

        var sandbox = await admin.GetAsync<SandboxView>("v1/sandbox");
        var first = await admin.GetAsync<Page<SandboxMessageView>>("v1/sandbox/messages?limit=2");
        var second = await admin.GetAsync<Page<SandboxMessageView>>($"v1/sandbox/messages?limit=2&after={first.Next}");

        Assert.Equal((3, 2, 1), (sandbox.Received, sandbox.Recipients, sandbox.Duplicated));
        Assert.Equal(["third", "second", "first"], first.Items.Concat(second.Items).Select(message => message.Subject));
        Assert.Equal(("sender@example.org", "bob@example.com", "second@example.org"), (first.Items[1].Sender, first.Items[1].Recipient, first.Items[1].MessageId));
        Assert.Null(second.Next);
        var duplicate = Assert.Single((await admin.GetAsync<Page<SandboxDuplicateView>>("v1/sandbox/duplicates")).Items);
        Assert.Equal(("ann@example.com", 2), (duplicate.Recipient, duplicate.Times));
    }

    [Fact]
    public async Task One_message_comes_back_as_it_came_in()
    {
        using var admin = await FreshAsync();
        await MailAsync("ann@example.com", "as it is");
        var id = (await admin.GetAsync<Page<SandboxMessageView>>("v1/sandbox/messages")).Items[0].Id;

        using var answer = await admin.GetAsync(new Uri($"v1/sandbox/messages/{id}", UriKind.Relative));

        Assert.Equal("message/rfc822", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal("attachment", answer.Content.Headers.ContentDisposition?.DispositionType);
        Assert.EndsWith("Subject: as it is\r\nMessage-ID: <as it is@example.org>\r\n\r\nHello.\r\n", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_forgotten_is_not_listed_not_counted_and_not_found()
    {
        using var admin = await FreshAsync();
        await MailAsync("ann@example.com", "soon gone");
        var id = (await admin.GetAsync<Page<SandboxMessageView>>("v1/sandbox/messages")).Items[0].Id;

        using var deleted = await admin.DeleteAsync(new Uri("v1/sandbox/messages", UriKind.Relative));

        Assert.Equal(204, (int)deleted.StatusCode);
        Assert.Empty((await admin.GetAsync<Page<SandboxMessageView>>("v1/sandbox/messages")).Items);
        Assert.Equal(0, (await admin.GetAsync<SandboxView>("v1/sandbox")).Received);
        Assert.Equal(404, (await admin.ProblemAsync(HttpMethod.Get, $"v1/sandbox/messages/{id}")).Status);
    }

    [Fact]
    public async Task A_behaviour_is_shown_and_obeyed_until_it_is_taken_back()
    {
        using var admin = await FreshAsync();

        using var set = await admin.SendJsonAsync(HttpMethod.Put, "v1/sandbox/behaviour", """{"rejectShare":1,"delayMilliseconds":5,"disconnectEvery":7,"keepDropped":true}""");

        Assert.Equal(200, (int)set.StatusCode);
        Assert.Equal(new SandboxManners(RejectShare: 1, DelayMilliseconds: 5, DisconnectEvery: 7, KeepDropped: true), (await admin.GetAsync<SandboxView>("v1/sandbox")).Behaviour);
        Assert.StartsWith("550", await MailAsync("ann@example.com", "refused"), StringComparison.Ordinal);

        using var forgiven = await admin.DeleteAsync(new Uri("v1/sandbox/behaviour", UriKind.Relative));

        Assert.Equal(204, (int)forgiven.StatusCode);
        Assert.Equal(new SandboxManners(), (await admin.GetAsync<SandboxView>("v1/sandbox")).Behaviour);
        Assert.StartsWith("250", await MailAsync("ann@example.com", "taken"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_behaviour_of_one_login_leaves_the_others_alone()
    {
        using var admin = await FreshAsync();

        using var set = await admin.SendJsonAsync(HttpMethod.Put, "v1/sandbox/behaviour?login=amber", """{"deferShare":0.5}""");

        var sandbox = await admin.GetAsync<SandboxView>("v1/sandbox");
        Assert.Equal(0.5, sandbox.ByLogin["amber"].DeferShare);
        Assert.Equal(new SandboxManners(), sandbox.Behaviour);

        using var forgiven = await admin.DeleteAsync(new Uri("v1/sandbox/behaviour?login=amber", UriKind.Relative));
        Assert.Empty((await admin.GetAsync<SandboxView>("v1/sandbox")).ByLogin);
    }

    [Theory]
    [InlineData("""{"deferShare":1.5}""", "deferShare")]
    [InlineData("""{"rejectShare":-0.1}""", "rejectShare")]
    [InlineData("""{"dropShare":2}""", "dropShare")]
    [InlineData("""{"deferShare":0.5,"rejectShare":0.4,"dropShare":0.2}""", "dropShare")]
    [InlineData("""{"delayMilliseconds":-1}""", "delayMilliseconds")]
    [InlineData("""{"delayMilliseconds":600001}""", "delayMilliseconds")]
    [InlineData("""{"delayMilliseconds":"long"}""", "delayMilliseconds")]
    [InlineData("""{"disconnectEvery":0}""", "disconnectEvery")]
    [InlineData("""{"keepDropped":"perhaps"}""", "keepDropped")]
    [InlineData("""{"deferShares":0.1}""", "deferShares")]
    public async Task A_behaviour_that_makes_no_sense_is_refused_by_its_field_and_changes_nothing(string json, string field)
    {
        using var admin = await FreshAsync();

        var problem = await admin.ProblemAsync(HttpMethod.Put, "v1/sandbox/behaviour", json);

        Assert.Equal((400, field), (problem.Status, problem.Field));
        Assert.Equal(new SandboxManners(), (await admin.GetAsync<SandboxView>("v1/sandbox")).Behaviour);
    }

    [Theory]
    [InlineData("messages?limit=0", 400, "limit")]
    [InlineData("messages?limit=many", 400, "limit")]
    [InlineData("messages?after=x", 400, "after")]
    [InlineData("duplicates?limit=-1", 400, "limit")]
    [InlineData("messages/0", 404, null)]
    [InlineData("messages/9223372036854775807", 404, null)]
    [InlineData("messages/ten", 404, null)]
    public async Task A_question_that_makes_no_sense_is_a_problem(string path, int status, string? field)
    {
        using var admin = node.Host.Client(node.Host.AdminKey);

        var problem = await admin.ProblemAsync(HttpMethod.Get, $"v1/sandbox/{path}");

        Assert.Equal((status, field), (problem.Status, problem.Field));
    }

    [Theory]
    [InlineData("GET", "v1/sandbox", null)]
    [InlineData("GET", "v1/sandbox/messages", null)]
    [InlineData("GET", "v1/sandbox/messages/1", null)]
    [InlineData("GET", "v1/sandbox/duplicates", null)]
    [InlineData("DELETE", "v1/sandbox/messages", null)]
    [InlineData("PUT", "v1/sandbox/behaviour", "{}")]
    [InlineData("DELETE", "v1/sandbox/behaviour", null)]
    public async Task Nobody_without_a_key_and_no_mere_user_gets_at_it(string method, string path, string? body)
    {
        using var nobody = node.Host.Client(key: null);
        var (_, user, _) = await node.Host.NewUserAsync();

        Assert.Equal(401, (await nobody.ProblemAsync(new HttpMethod(method), path, body)).Status);
        Assert.Equal(403, (await user.ProblemAsync(new HttpMethod(method), path, body)).Status);
    }

    /// <summary>The administrator, at a sandbox that is well behaved and empty.</summary>
    private async Task<HttpClient> FreshAsync()
    {
        var admin = node.Host.Client(node.Host.AdminKey);
        using var forgiven = await admin.DeleteAsync(new Uri("v1/sandbox/behaviour", UriKind.Relative));
        using var emptied = await admin.DeleteAsync(new Uri("v1/sandbox/messages", UriKind.Relative));
        Assert.Equal((204, 204), ((int)forgiven.StatusCode, (int)emptied.StatusCode));
        return admin;
    }

    /// <summary>Sends one mail by hand.</summary>
    /// <returns>The reply to the end of data, or the first refusal.</returns>
    private async Task<string> MailAsync(string recipient, string subject)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", node.Host.Services.GetRequiredService<SandboxServer>().EndPoint!.Port);
        await using var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.ASCII);
        await reader.ReadLineAsync();
        foreach (var line in (string[])
            ["HELO test", "MAIL FROM:<sender@example.org>", string.Create(CultureInfo.InvariantCulture, $"RCPT TO:<{recipient}>"), "DATA"])
        {
            if (await AskAsync(line) is ['4' or '5', ..] refusal)
            {
                return refusal;
            }
        }

        return await AskAsync($"Subject: {subject}\r\nMessage-ID: <{subject}@example.org>\r\n\r\nHello.\r\n.");

        async Task<string> AskAsync(string line)
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(line + "\r\n"));
            return await reader.ReadLineAsync() ?? "the connection was closed";
        }
    }

    /// <summary>One daemon for these tests.</summary>
    public sealed class Node : IAsyncLifetime
    {
        private ApiHost? _host;

        public ApiHost Host => _host ?? throw new InvalidOperationException("The tests have not begun.");

        public async Task InitializeAsync() => _host = await ApiHost.StartAsync();

        public async Task DisposeAsync() => await Host.DisposeAsync();
    }
}
