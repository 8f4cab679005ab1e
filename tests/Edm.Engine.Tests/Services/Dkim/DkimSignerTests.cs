using System.Text;
using System.Text.Json;
using CsCheck;
using Edm.Contracts;
using Edm.Engine.Content;
using Edm.Engine.Services;
using Edm.Engine.Services.Dkim;
using Edm.Testing;
using Edm.Testing.Processes;
using MimeKit;
using MimeKit.Cryptography;
using Xunit;

namespace Edm.Engine.Tests.Services.Dkim;

/// <summary>Signatures, verified by three programs that share no code with ours: MimeKit, Debian's opendkim and dkimpy.</summary>
public sealed class DkimSignerTests : IDisposable
{
    private static readonly DkimKey Rsa = DkimKey.Generate(DkimAlgorithm.Rsa);
    private static readonly DkimKey Ed25519 = DkimKey.Generate(DkimAlgorithm.Ed25519);

    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(DkimAlgorithm.Rsa)]
    [InlineData(DkimAlgorithm.Ed25519)]
    public void Whatever_a_mail_holds_MimeKit_verifies_it(DkimAlgorithm algorithm)
    {
        var text = Gen.OneOf(Gen.String, Gen.String[Gen.Char["ab \t.\r\n=ä"], 0, 400], Gen.Const("\r\n\r\n"), Gen.Const(" \t \r\n  x  \r\n\r\n"));
        Gen.Select(text, text, text).Sample(
            (subject, plain, html) => Assert.True(Verify(Signed(Key(algorithm), subject, plain, html), Key(algorithm))),
            iter: algorithm == DkimAlgorithm.Rsa ? 300 : 100);
    }

    [Theory]
    [InlineData("Subject: Hello", "Subject: Hullo")]
    [InlineData("From: ", "From: x@evil.example\r\nFrom: ")]
    [InlineData("Subject: ", "Subject: Another\r\nSubject: ")]
    [InlineData("To: ", "Reply-To: x@evil.example\r\nTo: ")]
    [InlineData("To: ", "Cc: x@evil.example\r\nTo: ")]
    [InlineData("Hi there", "Hi  their")]
    public void What_is_changed_or_added_on_the_way_breaks_the_signature(string was, string becomes)
    {
        var octets = Signed(Rsa, "Hello", "Hi there", "<p>Hi</p>");

        var changed = Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(octets).Replace(was, becomes, StringComparison.Ordinal));

        Assert.True(Verify(octets, Rsa));
        Assert.False(Verify(changed, Rsa));
    }

    [Theory]
    [InlineData("Hi there", "Hi   there")]
    [InlineData("Subject: Hello", "SUBJECT:  Hello ")]
    public void What_servers_do_to_white_space_and_case_does_not(string was, string becomes)
    {
        var octets = Encoding.Latin1.GetString(Signed(Rsa, "Hello", "Hi there", "<p>Hi</p>"));

        Assert.True(Verify(Encoding.Latin1.GetBytes(octets.Replace(was, becomes, StringComparison.Ordinal)), Rsa));
    }

    [Fact]
    public void A_relay_that_writes_Date_and_Message_ID_anew_leaves_the_signature_whole()
    {
        var octets = Encoding.Latin1.GetString(Signed(Rsa, "Hello", "Hi", null, host: "email-smtp.eu-west-1.amazonaws.com"));

        var relayed = octets.Replace("Message-ID: <", "Message-ID: <0102018", StringComparison.Ordinal).Replace("Date: Sun", "Date: Mon", StringComparison.Ordinal);

        Assert.NotEqual(octets, relayed);
        Assert.True(Verify(Encoding.Latin1.GetBytes(relayed), Rsa));
        Assert.False(Verify(Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(Signed(Rsa, "Hello", "Hi", null)).Replace("Date: Sun", "Date: Mon", StringComparison.Ordinal)), Rsa));
    }

    [Fact]
    public async Task Opendkim_and_dkimpy_verify_what_we_sign()
    {
        var mails = new List<(DkimKey Key, string Domain)>();
        string[] texts = ["Hi there\r\n.\r\n..two  spaces \r\n\r\n\r\n", "Grüße, 你好\r\n", "", string.Concat(Enumerable.Repeat("long ünd länger ", 200))];
        foreach (var key in (DkimKey[])[Rsa, Ed25519])
        {
            foreach (var text in texts)
            {
                await File.WriteAllBytesAsync(folder.Combine($"{mails.Count}.eml"), Signed(key, $"Mail {mails.Count} für Zoë", text, text.Length % 2 == 0 ? null : "<p>Hi</p>"));
                mails.Add((key, "brand.example"));
            }
        }

        var dkimpy = await DkimpyAsync(mails.Count, mails.ConvertAll(mail => mail.Key));
        var opendkim = await OpendkimAsync(mails.FindAll(mail => mail.Key == Rsa).Count, Rsa);

        Assert.Equal(Enumerable.Repeat(true, mails.Count), dkimpy);
        Assert.Equal(Enumerable.Repeat(true, texts.Length), opendkim);
        await File.WriteAllTextAsync(folder.Combine("0.eml"), (await File.ReadAllTextAsync(folder.Combine("0.eml"))).Replace("Hi there", "Hi their", StringComparison.Ordinal));
        Assert.False((await DkimpyAsync(1, [Rsa]))[0]);
        Assert.False((await OpendkimAsync(1, Rsa))[0]);
    }

    [Fact]
    public void A_signed_mail_is_in_seven_bits_whatever_the_server_takes()
    {
        Assert.True(Ascii.IsValid(Signed(Rsa, "Grüße", "Grüße", "<p>Grüße</p>")));
    }

    [Fact]
    public async Task Many_threads_sign_with_one_key_at_once()
    {
        var mails = await Task.WhenAll(Enumerable.Range(0, 200).Select(nr => Task.Run(() => Signed(Rsa, $"Mail {nr}", "Hi", null))));

        Assert.All(mails, mail => Assert.True(Verify(mail, Rsa)));
    }

    private static DkimKey Key(DkimAlgorithm algorithm) => algorithm == DkimAlgorithm.Rsa ? Rsa : Ed25519;

    private static byte[] Signed(DkimKey key, string subject, string? text, string? html, string host = "smtp.example.com")
    {
        var service = new ServiceSettings(
            new ServiceId(1), new LaneId(new PoolId(1), 0), "s", host, 25, TlsMode.None, null, null, "anna@brand.example", "Anna Schäfer", null, Edm.Engine.Services.Limits.ServiceLimits.None, 1, true, 1)
        {
            Dkim = new DkimSettings("brand.example", "edm", key.Pem),
        };
        using var mail = new MimeComposer().Compose(new MailToCompose(
            new RenderedMail(subject, html, text), service, "mia@example.com", "Mia", "1.7@brand.example", new DateTimeOffset(2026, 3, 1, 9, 30, 0, TimeSpan.Zero), AllowEightBit: true));
        return mail.Octets.ToArray();
    }

    private static bool Verify(byte[] octets, DkimKey key)
    {
        using var stream = new MemoryStream(octets);
        using var mail = MimeMessage.Load(stream);
        var signature = mail.Headers.First(header => header.Id == HeaderId.DkimSignature);
        return new DkimVerifier(new OneKey(key)) { MinimumRsaKeyLength = 1024 }.Verify(mail, signature);
    }

    private async Task<bool[]> DkimpyAsync(int mails, IReadOnlyList<DkimKey> keys)
    {
        await File.WriteAllTextAsync(folder.Combine("records.json"), JsonSerializer.Serialize(keys.Take(mails).Select(key => key.Record)));
        await File.WriteAllTextAsync(folder.Combine("verify.py"), """
            import dkim, json, sys
            folder = sys.argv[1]
            for nr, record in enumerate(json.load(open(folder + "/records.json"))):
                mail = open(folder + "/%d.eml" % nr, "rb").read()
                print(dkim.verify(mail, dnsfunc=lambda name, timeout=5: record.encode() if name.rstrip(b"." if isinstance(name, bytes) else ".") in (b"edm._domainkey.brand.example", "edm._domainkey.brand.example") else b""))
            """);
        var output = await ChildProcess.RunAsync("/usr/bin/python3", [folder.Combine("verify.py"), folder.Combine("")]);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line == "True")];
    }

    /// <summary>The filter itself in its test mode, with the public key from a file in place of DNS.</summary>
    private async Task<bool[]> OpendkimAsync(int mails, DkimKey key)
    {
        await File.WriteAllTextAsync(folder.Combine("keys"), $"edm._domainkey.brand.example {key.Record}\n");
        await File.WriteAllTextAsync(folder.Combine("opendkim.conf"), $"Mode v\nTestPublicKeys {folder.Combine("keys")}\nSyslog no\nRequireSafeKeys no\nTrustAnchorFile /dev/null\n");
        var results = new List<bool>();
        for (var nr = 0; nr < mails; nr++)
        {
            var output = await ChildProcess.RunAsync("/usr/sbin/opendkim", ["-x", folder.Combine("opendkim.conf"), "-t", folder.Combine($"{nr}.eml"), "-v"]);
            results.Add(output.Contains("verification (s=edm, d=brand.example, 2048-bit key) succeeded", StringComparison.Ordinal));
        }

        return [.. results];
    }
}
