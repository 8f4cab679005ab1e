using System.Diagnostics.CodeAnalysis;
using Edm.Engine.Services;
using MimeKit;

namespace Edm.Engine.Content;

/// <inheritdoc cref="IMimeComposer"/>
public sealed class MimeComposer : IMimeComposer
{
    /// <summary>A display name that is longer is not a name; a nickname out of a list can be anything.</summary>
    private const int MaxName = 100;

    /// <summary>RFC 2045, 6.7 allows 76, and MimeKit's quoted-printable goes two beyond what it is told.</summary>
    private const int MaxEncodedLine = 72;

    /// <exception cref="ParseException">An address, or the message id, is not one.</exception>
    public MimeMessage Compose(RenderedMail mail, ServiceSettings service, string recipient, string? recipientName, string messageId, DateTimeOffset date)
    {
        ArgumentNullException.ThrowIfNull(mail);
        ArgumentNullException.ThrowIfNull(service);
        var text = mail.Text is null ? null : Part("plain", mail.Text);
        var html = mail.Html is null ? null : Part("html", mail.Html);
        var isEightBit = text?.ContentTransferEncoding == ContentEncoding.EightBit || html?.ContentTransferEncoding == ContentEncoding.EightBit;
        var message = new ComposedMessage(isEightBit)
        {
            Date = date,
            Subject = Clean(mail.Subject),
            MessageId = messageId,
            MimeVersion = new Version(1, 0),
            Body = (text, html) switch
            {
                // The plainest first, the best last (RFC 2046, 5.1.4).
                ({ }, { }) => new MultipartAlternative(text, html),
                ({ }, null) => text,
                (null, { }) => html,
                (null, null) => throw new ArgumentException("A mail needs a body.", nameof(mail)),
            },
        };
        NothingToClose(message, message.Body!);
        message.From.Add(new MailboxAddress(Name(service.SenderName), service.SenderAddress));
        message.To.Add(new MailboxAddress(Name(recipientName), recipient));
        return message;
    }

    private static TextPart Part(string subtype, string body)
    {
        var (octets, encoding) = MailText.Encode(body);
        var stream = new MemoryStream(octets.Array!, octets.Offset, octets.Count, writable: false);
        var part = new TextPart(subtype) { ContentType = { Charset = "utf-8" } };
        if (encoding is { } plain)
        {
            // What goes on the wire as it is.
            part.Content = new MimeContent(stream, plain);
            part.ContentTransferEncoding = plain;
        }
        else
        {
            part.Content = new MimeContent(stream);
            part.Prepare(EncodingConstraint.EightBit, MaxEncodedLine);
        }

        NothingToClose(part, part.Content!);
        return part;
    }

    /// <summary>MimeKit's objects have finalizers for files; here all is in memory. Left to them, a mail lives a collection longer and costs twice as much.</summary>
    [SuppressMessage("Usage", "CA1816", Justification = "Not a Dispose: these objects are never disposed, and need not be.")]
    private static void NothingToClose(object one, object two)
    {
        GC.SuppressFinalize(one);
        GC.SuppressFinalize(two);
    }

    private static string? Name(string? name)
    {
        if (string.IsNullOrWhiteSpace(name))
        {
            return null;
        }

        var clean = Clean(name).Trim();
        return clean.Length <= MaxName ? clean : clean[..(char.IsHighSurrogate(clean[MaxName - 1]) ? MaxName - 1 : MaxName)];
    }

    // MimeKit folds and encodes what it is given; a line break that is not in it can't be misread by any other program either.
    private static string Clean(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)) : text;

    /// <summary>
    /// A message that is ready for the wire: it knows that its parts have the right encoding, where MimeKit reads every octet again for each server to
    /// find out. Only a server without 8BITMIME (RFC 6152) makes it encode them anew.
    /// </summary>
    private sealed class ComposedMessage(bool isEightBit) : MimeMessage(new HeaderList())
    {
        public override void Prepare(EncodingConstraint constraint, int maxLineLength = 78)
        {
            if (isEightBit && constraint == EncodingConstraint.SevenBit)
            {
                base.Prepare(constraint, MaxEncodedLine);
            }
        }
    }
}
