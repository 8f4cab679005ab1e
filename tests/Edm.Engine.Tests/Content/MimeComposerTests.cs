using System.Text;
using System.Text.RegularExpressions;
using CsCheck;
using Edm.Contracts;
using Edm.Engine.Content;
using Edm.Engine.Services;
using Edm.Engine.Services.Limits;
using MimeKit;
using MimeKit.Text;
using Xunit;

namespace Edm.Engine.Tests.Content;

/// <summary>What the writer makes, read by MimeKit, which is the reference for what a mail means.</summary>
public sealed partial class MimeComposerTests
{
    private static readonly DateTimeOffset Date = new(2026, 3, 1, 9, 30, 0, TimeSpan.FromHours(1));

    private static readonly string[] Traps =
    [
        "\r\nBcc: all@example.com\r\n", "\nX-Evil: 1", "a\r\n\r\nbody", "\"<x@y>, \"", "=?utf-8?Q?encoded=21?=", ".\r\n..\r\n.", " ", "  a  b  ", "\uD83D alone", "\uFEFFmark", "From here on\r\nFrom there",
    ];

    /// <summary>Text as it comes out of templates and lists, and as nobody would believe it.</summary>
    private static readonly Gen<string> AnyText = Gen.OneOf(
        Gen.String,
        Gen.String[Gen.Char["ab \t.\r\n\0=?_\"<>@,;:\\"], 0, 300],
        Gen.String[Gen.OneOf(Gen.Char["äöüßé€你好🙂 "], Gen.Char['a', 'z'], Gen.Char), 0, 300],
        Gen.String[Gen.Char['a', 'z'], 900, 2500],
        Gen.Int[0, Traps.Length - 1].Select(at => Traps[at]));

    [Fact]
    public void Two_bodies_make_an_alternative_with_the_plain_one_first()
    {
        var message = Read(new RenderedMail("Hello Mia", "<p>Hi</p>", "Hi"));

        var alternative = Assert.IsType<MultipartAlternative>(message.Body);
        Assert.Equal(["text/plain", "text/html"], alternative.Select(part => part.ContentType.MimeType));
        Assert.Equal(("Hi\n", "<p>Hi</p>\n"), (message.TextBody, message.HtmlBody));
        Assert.Equal("Hello Mia", message.Subject);
        Assert.Equal("run-1.7@brand.example", message.MessageId);
        Assert.Equal(Date, message.Date);
        Assert.Equal("Anna Schäfer", message.From.Mailboxes.Single().Name);
        Assert.Equal("mia@example.com", message.To.Mailboxes.Single().Address);
        Assert.Equal(new Version(1, 0), message.MimeVersion);
    }

    [Theory]
    [InlineData("plain", null, "text/plain")]
    [InlineData(null, "<p>html</p>", "text/html")]
    public void One_body_stands_alone(string? text, string? html, string type) =>
        Assert.Equal(type, Read(new RenderedMail("s", html, text)).Body!.ContentType.MimeType);

    [Theory]
    [InlineData("short lines", true, ContentEncoding.SevenBit)]
    [InlineData("kürze", true, ContentEncoding.EightBit)]
    [InlineData("a word in German: kürze", false, ContentEncoding.QuotedPrintable)]
    [InlineData("你好世界", false, ContentEncoding.Base64)]
    [InlineData("a bell \a rings", true, ContentEncoding.QuotedPrintable)]
    public void The_plainest_encoding_is_taken_that_the_server_takes(string text, bool allowEightBit, ContentEncoding encoding)
    {
        var body = (MimePart)Read(new RenderedMail("s", null, text), allowEightBit: allowEightBit).Body!;

        Assert.Equal(encoding, body.ContentTransferEncoding);
        Assert.Equal(text + "\n", ((TextPart)body).Text);
    }

    [Fact]
    public void Lines_that_are_too_long_are_broken_by_quoted_printable_and_come_out_whole()
    {
        var line = string.Concat(Enumerable.Repeat("long ünd länger ", 200));

        var octets = Octets(new RenderedMail("s", null, line));

        Assert.All(Encoding.UTF8.GetString(octets).Split("\r\n"), part => Assert.True(Encoding.UTF8.GetByteCount(part) <= 76));
        Assert.Equal(line + "\n", Parse(octets).TextBody);
    }

    [Fact]
    public void Whatever_it_is_made_of_a_mail_means_to_MimeKit_what_was_put_in()
    {
        Gen.Select(AnyText, AnyText, AnyText, AnyText, Gen.Bool).Sample(
            (subject, name, text, html, allowEightBit) =>
            {
                var octets = Octets(new RenderedMail(subject, html, text), name, allowEightBit);
                var mail = Parse(octets);

                AssertOnTheWire(octets, allowEightBit);
                Assert.Equal(
                    ["Date", "From", "MIME-Version", "Message-ID", "Subject", "To"],
                    mail.Headers.Select(header => header.Field).Order(StringComparer.Ordinal), StringComparer.OrdinalIgnoreCase);
                Assert.Equal(["mia@example.com"], mail.To.Mailboxes.Select(to => to.Address));
                Assert.Equal(OneLine(subject), OneLine(mail.Subject ?? ""));
                Assert.Equal(OneLine(Shortened(name)), OneLine(mail.To.Mailboxes.Single().Name ?? ""));
                Assert.Equal(Lines(text), Lines(mail.TextBody ?? ""));
                Assert.Equal(Lines(html), Lines(mail.HtmlBody ?? ""));
            },
            iter: 2_000);
    }

    [Fact]
    public void Subject_and_names_come_out_as_from_a_mail_that_MimeKit_wrote()
    {
        // Control characters are ours to replace, a name may be cut, MimeKit makes one space of two, and puts spaces of its own beside quotes and brackets in names.
        var subjects = Gen.String[Gen.OneOf(Gen.Char["äöüßé€你好ñ.,;:()\"\\<>@'- "], Gen.Char['a', 'z']), 1, 100].Select(text => OneLine(text) is { Length: > 0 } one ? one : "a");
        var names = Gen.String[Gen.OneOf(Gen.Char["äöüßé€你好ñ.,@'- "], Gen.Char['a', 'z']), 1, 100].Select(text => OneLine(text) is { Length: > 0 } one ? one : "a");
        Gen.Select(subjects, names).Sample(
            (subject, name) =>
            {
                var ours = Parse(Octets(new RenderedMail(subject, null, "text"), name));
                using var stream = new MemoryStream();
                using var theirs = new MimeMessage([], [new MailboxAddress(name, "mia@example.com")], subject, new TextPart(TextFormat.Plain) { Text = "text" });
                theirs.WriteTo(stream);
                var reference = Parse(stream.ToArray());
                Assert.Equal(reference.Subject, ours.Subject);
                Assert.Equal(reference.To.Mailboxes.Single().Name, ours.To.Mailboxes.Single().Name);
            },
            iter: 1_000);
    }

    [Theory]
    [InlineData("mia@example.com\r\nBcc: all@example.com")]
    [InlineData("mia@example.com, all@example.com")]
    [InlineData("mia@example.com>, <all@example.com")]
    [InlineData("nobody <")]
    [InlineData("mia@")]
    public void A_recipient_that_is_no_address_is_refused(string recipient) =>
        Assert.Throws<FormatException>(() => new MimeComposer().Compose(Mail(new RenderedMail("s", null, "t")) with { Recipient = recipient }));

    [Theory]
    [InlineData("no-at-sign")]
    [InlineData("a@b>\r\nBcc: x@y")]
    [InlineData("a b@c")]
    [InlineData("@c")]
    public void A_message_id_that_is_none_is_refused(string id) =>
        Assert.Throws<FormatException>(() => new MimeComposer().Compose(Mail(new RenderedMail("s", null, "t")) with { MessageId = id }));

    [Theory]
    [InlineData("mia@bücher.example", "mia@xn--bcher-kva.example", false)]
    [InlineData("jürgen@bücher.example", "jürgen@xn--bcher-kva.example", true)]
    [InlineData("\"mia..\"@example.com", "\"mia..\"@example.com", false)]
    public void The_domain_of_an_address_goes_out_in_ascii_and_letters_before_the_at_ask_for_SMTPUTF8(string recipient, string written, bool needsUtf8)
    {
        using var mail = new MimeComposer().Compose(Mail(new RenderedMail("s", null, "t")) with { Recipient = recipient });

        Assert.Contains($"To: Mia <{written}>\r\n", Encoding.UTF8.GetString(mail.Octets.Span), StringComparison.Ordinal);
        Assert.Equal(needsUtf8, mail.HasUtf8Header);
    }

    [Fact]
    public void No_body_can_hold_the_boundary()
    {
        var (first, second) = (Octets(new RenderedMail("s", "<p>", "t")), Octets(new RenderedMail("s", "<p>", "t")));

        Assert.NotEqual(Parse(first).Body!.ContentType.Boundary, Parse(second).Body!.ContentType.Boundary);
    }

    [Fact]
    public void A_large_mail_grows_out_of_the_first_array()
    {
        var text = string.Concat(Enumerable.Range(0, 50_000).Select(line => $"line {line}\n"));

        Assert.Equal(text, Read(new RenderedMail("s", text, text)).TextBody);
    }

    private static void AssertOnTheWire(ReadOnlySpan<byte> octets, bool allowEightBit)
    {
        Assert.True(octets.EndsWith("\r\n"u8));
        Assert.False(octets.Contains((byte)0));
        Assert.True(Ascii.IsValid(octets[..octets.IndexOf("\r\n\r\n"u8)]), "the header is ASCII");
        Assert.True(allowEightBit || Ascii.IsValid(octets), "a server without 8BITMIME gets seven bits");
        while (!octets.IsEmpty)
        {
            var end = octets.IndexOf("\r\n"u8);
            Assert.InRange(end, 0, 998);
            Assert.False(octets[..end].ContainsAny((byte)'\r', (byte)'\n'), "no line ends in anything but CRLF");
            octets = octets[(end + 2)..];
        }
    }

    private static ServiceSettings Service { get; } = new(
        new ServiceId(1), new LaneId(new PoolId(1), 0), "s", "h", 25, TlsMode.None, null, null, "anna@brand.example", "Anna Schäfer", null, ServiceLimits.None, 1, true, 1);

    private static MailToCompose Mail(RenderedMail words, string? name = "Mia", bool allowEightBit = true) =>
        new(words, Service, "mia@example.com", name, "run-1.7@brand.example", Date, allowEightBit);

    private static byte[] Octets(RenderedMail words, string? name = "Mia", bool allowEightBit = true)
    {
        using var mail = new MimeComposer().Compose(Mail(words, name, allowEightBit));
        Assert.Equal("\r\n.\r\n", Encoding.ASCII.GetString(mail.WithEnd.Span[^5..]));
        return mail.Octets.ToArray();
    }

    private static MimeMessage Read(RenderedMail words, bool allowEightBit = true) => Parse(Octets(words, allowEightBit: allowEightBit));

    private static MimeMessage Parse(byte[] octets)
    {
        using var stream = new MemoryStream(octets);
        return MimeMessage.Load(stream);
    }

    /// <summary>A name as long as a name may be.</summary>
    private static string Shortened(string name)
    {
        var clean = string.Concat(name.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
        return clean.Length <= 100 ? clean : clean[..(char.IsHighSurrogate(clean[99]) ? 99 : 100)];
    }

    /// <summary>White space of every kind may come out as another kind, and none at the ends.</summary>
    private static string OneLine(string text) =>
        Spaces().Replace(Whole(string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c))), " ").Trim();

    /// <summary>Lines however they ended; without NUL, which no mail can carry.</summary>
    private static string Lines(string text) =>
        Whole(text.Replace("\0", "", StringComparison.Ordinal).Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n')).TrimStart('\uFEFF').TrimEnd('\n');

    /// <summary>Half a surrogate pair is no character.</summary>
    private static string Whole(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
