namespace Edm.Contracts.Http;

/// <summary>A mail in Liquid: <c>{{ contact.nickname }}</c>, <c>{{ sender.name }}</c>.</summary>
/// <param name="Version">Counts changes; a frozen task keeps the version it was frozen with.</param>
/// <param name="Strict">A variable that is not known fails the recipient, instead of being empty.</param>
public sealed record TemplateView(
    TemplateId Id, string Name, int Version, string Subject, string? Html, string? Text, bool Strict, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>A template without its words.</summary>
public sealed record TemplateSummaryView(TemplateId Id, string Name, int Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <param name="Html">At least one of html and text is needed; with both the mail has both.</param>
public sealed record NewTemplate(string Name, string Subject, string? Html = null, string? Text = null, bool Strict = false);

/// <summary>What is left out stays as it is.</summary>
public sealed record TemplateChange
{
    public Optional<string> Name { get; init; }
    public Optional<string> Subject { get; init; }
    public Optional<string> Html { get; init; }
    public Optional<string> Text { get; init; }
    public Optional<bool> Strict { get; init; }
}

/// <summary>A template to look at without storing it.</summary>
/// <param name="ContactId">For whom it is rendered.</param>
/// <param name="ServiceId">Whose sender it shows; one made up when it is left out.</param>
public sealed record PreviewRequest(ContactId ContactId, string Subject, string? Html = null, string? Text = null, bool Strict = false, ServiceId? ServiceId = null);

/// <summary>The mail as this contact would get it.</summary>
public sealed record PreviewView(string Subject, string? Html, string? Text);
