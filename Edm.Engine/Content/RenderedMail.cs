using Edm.Contracts;
using Edm.Engine.Services;

namespace Edm.Engine.Content;

/// <summary>A contact as templates and the sending path see it. <paramref name="Attributes"/> holds the unknown columns of imports.</summary>
public sealed record ContactCard(
    ContactId Id,
    string Email,
    string? Handle,
    string? Nickname,
    long? Followers,
    string? Country,
    string? Language,
    string? Category,
    string? Bio,
    IReadOnlyDictionary<string, string> Attributes);

/// <summary>The words of one mail. At least one of the two bodies is there.</summary>
public sealed record RenderedMail(string Subject, string? Html, string? Text);

/// <summary>A template could not be parsed or rendered; the message names part, line and column where they are known.</summary>
/// <param name="part"><c>subject</c>, <c>html</c> or <c>text</c>; null when it is not about one of them.</param>
public sealed class TemplateException(string message, string? part = null, int? line = null, int? column = null) : Exception(message)
{
    public string? Part { get; } = part;
    public int? Line { get; } = line;
    public int? Column { get; } = column;
}

/// <summary>One version of a template, parsed once; thread-safe.</summary>
public interface IParsedTemplate
{
    /// <exception cref="TemplateException">An unknown variable in strict mode, or a value that can't be rendered.</exception>
    RenderedMail Render(ContactCard contact, ServiceSender? sender);
}

/// <summary>Who signs the mail; templates see it as <c>sender.name</c> and <c>sender.address</c>.</summary>
public sealed record ServiceSender(string Address, string? Name);

/// <summary>Parsed templates by (template, version), bounded.</summary>
public interface ITemplateCache
{
    Task<IParsedTemplate> GetAsync(TemplateId template, int version, CancellationToken cancellation);
}

/// <summary>Everything that makes one mail.</summary>
/// <param name="MessageId">Without angle brackets; the same intent always has the same one.</param>
/// <param name="AllowEightBit">The server it is for takes 8BITMIME (RFC 6152).</param>
public sealed record MailToCompose(
    RenderedMail Words, ServiceSettings Service, string Recipient, string? RecipientName, string MessageId, DateTimeOffset Date, bool AllowEightBit);

/// <summary>Builds the MIME message: multipart/alternative when both bodies are there (RFC 2046, 5.1.4).</summary>
public interface IMimeComposer
{
    /// <exception cref="FormatException">An address, or the message id, is not one.</exception>
    OutgoingMail Compose(MailToCompose mail);
}
