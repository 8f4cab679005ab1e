using System.Text;
using CsCheck;
using Edm.Contracts;
using Edm.Engine.Content;
using Edm.Engine.Services;
using MimeKit;
using Xunit;

namespace Edm.Engine.Tests.Content;

public sealed class MimeComposerTests
{
    private static readonly DateTimeOffset Date = new(2026, 3, 1, 9, 30, 0, TimeSpan.FromHours(1));

    [Fact]
    public void Two_bodies_make_an_alternative_with_the_plain_one_first()
    {
        var message = Read(Compose(new RenderedMail("Hello Mia", "<p>Hi</p>", "Hi")));

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
        Assert.Equal(type, Read(Compose(new RenderedMail("s", html, text))).Body!.ContentType.MimeType);

    [Theory]
    [InlineData("short lines", ContentEncoding.SevenBit)]
    [InlineData("kürze", ContentEncoding.EightBit)]
    public void The_plainest_encoding_is_taken(string text, ContentEncoding encoding) =>
        Assert.Equal(encoding, ((MimePart)Compose(new RenderedMail("s", null, text)).Body!).ContentTransferEncoding);

    [Fact]
    public void Lines_that_are_too_long_are_broken_by_quoted_printable_and_come_out_whole()
    {
        var line = string.Concat(Enumerable.Repeat("long ünd länger ", 200));

        var octets = Octets(Compose(new RenderedMail("s", null, line)));

        Assert.All(Encoding.UTF8.GetString(octets).Split("\r\n"), part => Assert.True(Encoding.UTF8.GetByteCount(part) <= 76));
        Assert.Equal(line + "\n", Read(octets).TextBody);
    }

    [Fact]
    public void A_server_without_8bitmime_gets_seven_bits()
    {
        var message = Compose(new RenderedMail("s", "<p>Grüße</p>", "Grüße"));
        message.Prepare(EncodingConstraint.SevenBit);

        var octets = Octets(message);

        Assert.True(Ascii.IsValid(octets));
        Assert.Equal("Grüße\n", Read(octets).TextBody);
    }

    [Fact]
    public void Whatever_the_bodies_are_lines_end_in_crlf_and_stay_below_998_octets()
    {
        var text = Gen.String[Gen.OneOf(Gen.Char["ab \t.\r\n\0"], Gen.Char), 0, 3000];
        Gen.Select(text, text).Sample((html, plain) =>
        {
            var octets = Octets(Compose(new RenderedMail("s", html, plain)));
            var lineLength = 0;
            for (var i = 0; i < octets.Length; i++)
            {
                switch (octets[i])
                {
                    case 0:
                    case (byte)'\n':
                        return false;
                    case (byte)'\r':
                        if (i + 1 == octets.Length || octets[++i] != '\n')
                        {
                            return false;
                        }

                        lineLength = 0;
                        break;
                    default:
                        if (++lineLength > 998)
                        {
                            return false;
                        }

                        break;
                }
            }

            return true;
        });
    }

    [Fact]
    public void Nothing_in_subject_or_names_makes_a_header_of_its_own()
    {
        var poison = Gen.OneOf(Gen.Const("\r\nBcc: all@example.com\r\n"), Gen.Const("\nX-Evil: 1"), Gen.Const("a\r\n\r\nbody"), Gen.Const("\"<x@y>, \""), Gen.String);
        Gen.Select(poison, poison).Sample((subject, name) =>
        {
            var octets = Octets(Compose(new RenderedMail(subject, null, "text"), name));
            var headers = Read(octets).Headers.Select(header => header.Field).Order(StringComparer.Ordinal);
            return headers.SequenceEqual(["Date", "From", "MIME-Version", "Message-Id", "Subject", "To"], StringComparer.OrdinalIgnoreCase)
                && Read(octets).To.Mailboxes.Single().Address == "mia@example.com"
                && Ascii.IsValid(octets.AsSpan(0, octets.AsSpan().IndexOf("\r\n\r\n"u8)));
        });
    }

    [Theory]
    [InlineData("mia@example.com\r\nBcc: all@example.com")]
    [InlineData("mia@example.com, all@example.com")]
    [InlineData("nobody <")]
    public void A_recipient_that_is_no_address_is_refused(string recipient) =>
        Assert.Throws<ParseException>(() => new MimeComposer().Compose(new RenderedMail("s", null, "t"), Service, recipient, null, "1@x", Date));

    private static ServiceSettings Service { get; } = new(
        new ServiceId(1), new LaneId(new PoolId(1), 0), "s", "h", 25, TlsMode.None, null, null, "anna@brand.example", "Anna Schäfer", null, null, null, 1, true, 1);

    private static MimeMessage Compose(RenderedMail mail, string? name = "Mia") =>
        new MimeComposer().Compose(mail, Service, "mia@example.com", name, "run-1.7@brand.example", Date);

    private static byte[] Octets(MimeMessage message)
    {
        using var stream = new MemoryStream();
        message.WriteTo(new FormatOptions { NewLineFormat = NewLineFormat.Dos, EnsureNewLine = true }, stream);
        return stream.ToArray();
    }

    private static MimeMessage Read(MimeMessage message) => Read(Octets(message));

    private static MimeMessage Read(byte[] octets)
    {
        using var stream = new MemoryStream(octets);
        return MimeMessage.Load(stream);
    }
}
