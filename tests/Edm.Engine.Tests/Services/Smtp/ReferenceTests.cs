using CsCheck;
using Edm.Engine.Content;
using Edm.Engine.Services;
using Edm.Engine.Services.Sandbox;
using Edm.Engine.Tests.Services.Sandbox;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using Xunit;

namespace Edm.Engine.Tests.Services.Smtp;

/// <summary>The same mails through MailKit's client and through ours: the server gets the same octets and the same envelope.</summary>
public sealed class ReferenceTests
{
    private const int Mails = 100;

    [Fact]
    public async Task A_server_gets_from_us_what_it_gets_from_MailKit()
    {
        var text = Gen.OneOf(Gen.String, Gen.String[Gen.Char["a. \r\n"], 0, 200], Gen.Const(".\r\n.\r\n"), Gen.Const("..\n.x\n"), Gen.String[Gen.Char["äöü€.\n"], 0, 3000]);
        var bodies = new List<string>();
        Gen.Select(text, text).Sample((one, two) => bodies.AddRange([one, two]), iter: Mails / 2, threads: 1);
        await using var sandbox = await SandboxFixture.StartAsync();
        await using var ours = sandbox.Connect("ours");
        using var theirs = new SmtpClient();
        await theirs.ConnectAsync("127.0.0.1", sandbox.Server.EndPoint!.Port, SecureSocketOptions.None);
        await theirs.AuthenticateAsync("theirs", "x");
        await ours.EnsureReadyAsync(default);

        for (var nr = 0; nr < bodies.Count; nr++)
        {
            using var mail = new MimeComposer().Compose(new MailToCompose(
                new RenderedMail($"Mail {nr} für Sie", null, bodies[nr]), ConnectionFixture.Service(25), $"{nr}@example.com", "Mia", $"{nr}@example.org", DateTimeOffset.UnixEpoch, AllowEightBit: true));
            using var octets = new MemoryStream(mail.Octets.ToArray());
            using var message = await MimeMessage.LoadAsync(octets);

            Assert.Equal(AttemptResult.Accepted, (await ours.SendAsync(mail, "sender@example.org", $"{nr}@example.com", default)).Result);
            await theirs.SendAsync(message);
        }

        Assert.Equal(await ReceivedAsync(sandbox.Store, "theirs"), await ReceivedAsync(sandbox.Store, "ours"));
    }

    private static async Task<List<(string Sender, string Recipient, string? Subject, string Octets)>> ReceivedAsync(ISandboxStore store, string login)
    {
        var all = new List<(string Sender, string Recipient, string? Subject, string Octets)>();
        foreach (var message in (await store.PageAsync(long.MaxValue, 1_000, login, default)).OrderBy(message => message.Id))
        {
            all.Add((message.Sender, message.Recipient, message.Subject, Convert.ToBase64String((await store.GetRawAsync(message.Id, default))!)));
        }

        Assert.Equal(Mails, all.Count);
        return all;
    }
}
