using Edm.Testing.Servers;
using MailKit.Net.Smtp;
using MimeKit;

namespace Edm.Host.Tests.Testing;

public sealed class CountingSmtpServerTests
{
    [Fact]
    public async Task An_address_that_is_mailed_twice_counts_two_and_another_one()
    {
        await using var server = new CountingSmtpServer();
        using var client = new SmtpClient();
        await client.ConnectAsync("127.0.0.1", server.Port, useSsl: false);

        await client.SendAsync(MailTo("twice@example.test"));
        await client.SendAsync(MailTo("once@example.test"));
        await client.SendAsync(MailTo("twice@example.test"));

        Assert.Equal(3, server.Total);
        Assert.Equal(2, server.Received["twice@example.test"]);
        Assert.Equal(1, server.Received["once@example.test"]);
    }

    [Fact]
    public async Task A_mail_whose_client_goes_away_before_the_last_line_does_not_count()
    {
        await using var server = new CountingSmtpServer();
        using (var client = new System.Net.Sockets.TcpClient("127.0.0.1", server.Port))
        {
            await client.GetStream().WriteAsync("EHLO x\r\nMAIL FROM:<a@example.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\nSubject: half\r\n"u8.ToArray());
        }

        await Edm.Testing.Eventually.Async(() => server.OpenConnections == 0, TimeSpan.FromSeconds(10), "the server has seen the client go");
        Assert.Equal(0, server.Total);
    }

    // With a line of one dot in the text, which a client must double (RFC 5321, 4.5.2).
    private static MimeMessage MailTo(string address) =>
        new([new MailboxAddress("", "from@example.test")], [new MailboxAddress("", address)], "Hello", new TextPart("plain") { Text = "Hi\r\n.\r\nagain" });
}
