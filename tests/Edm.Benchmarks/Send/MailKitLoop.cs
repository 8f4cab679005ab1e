using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Fluid;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Edm.Benchmarks.Send;

/// <summary>
/// The baseline: what a good programmer writes in an afternoon. Templates parsed once, kept connections with NoDelay, as many in parallel as the
/// engine has; no ledger, no journal, no quota, no retry, no fairness.
/// </summary>
/// <param name="dkimKey">PKCS #8 in PEM to sign with; null: unsigned.</param>
internal sealed class MailKitLoop(string? dkimKey)
{
    private static readonly FluidParser Parser = new();
    private readonly IFluidTemplate subject = Parser.Parse(Outreach.Subject);
    private readonly IFluidTemplate html = Parser.Parse(Outreach.Html);
    private readonly IFluidTemplate text = Parser.Parse(Outreach.Text);

    /// <summary>Mails a second over the whole time, the connecting included.</summary>
    public async Task<double> RunAsync(int port, int mails, int connections)
    {
        var next = 0;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, connections).Select(nr => Task.Run(() => SendAsync(nr))));
        return mails / watch.Elapsed.TotalSeconds;

        async Task SendAsync(int nr)
        {
            var sender = new MailboxAddress($"Sender {nr}", $"sender{nr}@northwind.example");
            using var signer = dkimKey is null ? null : new OpenSslDkimSigner(dkimKey, "northwind.example");
            using var client = new SmtpClient();
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync("127.0.0.1", port);
            await client.ConnectAsync(socket, "127.0.0.1", port, SecureSocketOptions.None);
            while (Interlocked.Increment(ref next) is var n && n <= mails)
            {
                using var message = Compose(SampleContact.Number(n), sender);
                signer?.SignMail(message);
                await client.SendAsync(message);
            }

            await client.DisconnectAsync(quit: true);
        }
    }

    /// <summary>Mean size on the wire of the first hundred mails.</summary>
    public double MeanBytes() => Enumerable.Range(1, 100).Average(n =>
    {
        using var message = Compose(SampleContact.Number(n), new MailboxAddress("Sender 7", "sender7@northwind.example"));
        using var measured = new MemoryStream();
        message.WriteTo(measured);
        return measured.Length;
    });

    public MimeMessage Compose(SampleContact contact, MailboxAddress sender)
    {
        var context = new TemplateContext();
        context.SetValue("handle", contact.Handle);
        context.SetValue("nickname", contact.Nickname);
        context.SetValue("followers", contact.Followers);
        context.SetValue("country", contact.Country);
        context.SetValue("language", contact.Language);
        context.SetValue("category", contact.Category);
        context.SetValue("sender", new Dictionary<string, object> { ["name"] = sender.Name!, ["address"] = sender.Address });
        var body = new BodyBuilder { TextBody = text.Render(context), HtmlBody = html.Render(context) };
        return new MimeMessage([sender], [new MailboxAddress(contact.Nickname, contact.Email)], subject.Render(context), body.ToMessageBody())
        {
            MessageId = string.Create(CultureInfo.InvariantCulture, $"{contact.Handle}.1@northwind.example"),
        };
    }
}
