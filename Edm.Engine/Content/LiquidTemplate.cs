using Fluid;

namespace Edm.Engine.Content;

/// <summary>The source of a template. At least one of the two bodies is there.</summary>
/// <param name="Strict">An unknown variable fails the recipient; otherwise it comes out as nothing.</param>
public sealed record TemplateSource(string Subject, string? Html, string? Text, bool Strict);

/// <summary>A template parsed once, rendered for every contact; thread-safe.</summary>
public sealed class LiquidTemplate : IParsedTemplate
{
    private readonly IFluidTemplate _subject;
    private readonly IFluidTemplate? _html;
    private readonly IFluidTemplate? _text;
    private readonly bool _strict;
    private readonly TimeProvider _time;

    private LiquidTemplate(TemplateSource source, TimeProvider time)
    {
        _subject = LiquidEngine.Parse("subject", source.Subject);
        _html = source.Html is { } html ? LiquidEngine.Parse("html", html) : null;
        _text = source.Text is { } text ? LiquidEngine.Parse("text", text) : null;
        _strict = source.Strict;
        _time = time;
    }

    /// <exception cref="TemplateException">A part can't be parsed, is too long, or there is no body.</exception>
    public static LiquidTemplate Parse(TemplateSource source, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(source);
        return source.Html is null && source.Text is null
            ? throw new TemplateException("A template needs an html part, a text part, or both.")
            : new LiquidTemplate(source, time);
    }

    public RenderedMail Render(ContactCard contact, ServiceSender? sender)
    {
        ArgumentNullException.ThrowIfNull(contact);
        var context = new RenderContext(new MailModel(contact, sender), LiquidEngine.Options, _strict, _time);
        var subject = OneLine(LiquidEngine.Render("subject", _subject, context));
        if (subject.Length > TemplateLimits.MaxSubject)
        {
            throw new TemplateException($"subject: it is {subject.Length} characters long for this contact, and {TemplateLimits.MaxSubject} are allowed.", "subject");
        }

        return new RenderedMail(
            subject,
            _html is null ? null : LiquidEngine.Render("html", _html, context),
            _text is null ? null : LiquidEngine.Render("text", _text, context));
    }

    /// <summary>Runs of white space and control characters become one space: a header is one line, and nobody breaks out of it.</summary>
    private static string OneLine(string text)
    {
        var clean = true;
        for (var i = 0; i < text.Length && clean; i++)
        {
            clean = !char.IsControl(text[i]) && !(char.IsWhiteSpace(text[i]) && (i == 0 || i == text.Length - 1 || text[i] != ' ' || text[i + 1] == ' '));
        }

        return clean ? text : string.Join(' ', text.Split((char[])[.. text.Where(c => char.IsControl(c) || char.IsWhiteSpace(c)).Distinct()], StringSplitOptions.RemoveEmptyEntries));
    }
}
