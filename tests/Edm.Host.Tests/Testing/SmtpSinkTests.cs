using Edm.Testing.Servers;
using MailKit.Net.Smtp;
using MimeKit;

namespace Edm.Host.Tests.Testing;

public sealed class SmtpSinkTests
{
    [Fact]
    public async Task The_sink_takes_a_mail()
    {
        await using var sink = await SmtpSink.StartAsync();
        using var client = new SmtpClient();
        await client.ConnectAsync("127.0.0.1", sink.Port, useSsl: false);
        using var mail = new MimeMessage([new MailboxAddress("", "from@example.test")], [new MailboxAddress("", "to@example.test")], "Hello", new TextPart("plain") { Text = "Hi" });

        var reply = await client.SendAsync(mail);

        Assert.StartsWith("2", reply, StringComparison.Ordinal);
    }
}
