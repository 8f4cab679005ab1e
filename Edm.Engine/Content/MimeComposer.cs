using Edm.Engine.Content.Mime;
using Edm.Engine.Services;
using Edm.Engine.Services.Dkim;
using Edm.Engine.Services.Smtp;

namespace Edm.Engine.Content;

/// <inheritdoc cref="IMimeComposer"/>
public sealed class MimeComposer : IMimeComposer
{
    public OutgoingMail Compose(MailToCompose mail)
    {
        ArgumentNullException.ThrowIfNull(mail);
        if (!Envelope.TryParse(mail.Service.SenderAddress, out var from))
        {
            throw new FormatException("The sender is not an address that a mail can carry.");
        }

        if (!Envelope.TryParse(mail.Recipient, out var to))
        {
            throw new FormatException("The recipient is not an address that a mail can carry.");
        }

        using var buffer = new MailBuffer();
        HeaderWriter.Mailbox(buffer, "From"u8, mail.Service.SenderName, from.Text);
        HeaderWriter.Mailbox(buffer, "To"u8, mail.RecipientName, to.Text);
        HeaderWriter.Text(buffer, "Subject"u8, mail.Words.Subject);
        HeaderWriter.Date(buffer, mail.Date);
        HeaderWriter.MessageId(buffer, mail.MessageId);
        HeaderWriter.AsIs(buffer, "MIME-Version"u8, "1.0"u8);

        // A signed mail is in seven bits: a server on its way that has no 8BITMIME would encode it anew and break the signature (RFC 6376, 5.3).
        var dkim = mail.Service.Dkim;
        var isEightBit = Body(buffer, mail.Words, mail.AllowEightBit && dkim is null);
        if (dkim is not null)
        {
            buffer.Prepend(dkim.Signer.Sign(buffer.Written, mail.Date, RewritingRelays.Contains(mail.Service.Host)));
        }

        return buffer.ToMail(isEightBit, from.NeedsUtf8 || to.NeedsUtf8);
    }

    /// <returns>Whether it has octets above 127.</returns>
    private static bool Body(MailBuffer buffer, RenderedMail words, bool allowEightBit)
    {
        if (words is not { Text: { } text, Html: { } html })
        {
            var single = words.Text ?? words.Html ?? throw new ArgumentException("A mail needs a body.", nameof(words));
            return Part(buffer, words.Text is null ? "text/html; charset=utf-8"u8 : "text/plain; charset=utf-8"u8, single, allowEightBit);
        }

        // 128 random bits: no body holds it, not even one that was made to.
        Span<byte> boundary = stackalloc byte[34];
        "=_"u8.CopyTo(boundary);
        Guid.NewGuid().TryFormat(boundary[2..], out _, "N");

        buffer.Write("Content-Type: multipart/alternative; boundary=\""u8);
        buffer.Write(boundary);
        buffer.Write((byte)'"');
        buffer.EndLine();
        buffer.EndLine();

        // The plainest first, the best last (RFC 2046, 5.1.4).
        Delimiter(buffer, boundary);
        var isEightBit = Part(buffer, "text/plain; charset=utf-8"u8, text, allowEightBit);
        buffer.EndLine();
        Delimiter(buffer, boundary);
        isEightBit |= Part(buffer, "text/html; charset=utf-8"u8, html, allowEightBit);
        buffer.EndLine();
        buffer.Write("--"u8);
        buffer.Write(boundary);
        buffer.Write("--"u8);
        buffer.EndLine();
        return isEightBit;
    }

    private static void Delimiter(MailBuffer buffer, ReadOnlySpan<byte> boundary)
    {
        buffer.Write("--"u8);
        buffer.Write(boundary);
        buffer.EndLine();
    }

    private static bool Part(MailBuffer buffer, ReadOnlySpan<byte> type, string text, bool allowEightBit)
    {
        var encoding = BodyText.Choose(text, allowEightBit);
        HeaderWriter.AsIs(buffer, "Content-Type"u8, type);
        HeaderWriter.AsIs(buffer, "Content-Transfer-Encoding"u8, BodyText.NameOf(encoding));
        buffer.EndLine();
        BodyText.Write(buffer, text, encoding);
        return encoding == BodyEncoding.EightBit;
    }
}
