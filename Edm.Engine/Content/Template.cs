using Edm.Contracts;
using LinqToDB.Mapping;

namespace Edm.Engine.Content;

/// <summary>A template of a user, in one of its versions. A version never changes; a task keeps the one it was frozen with.</summary>
public sealed record Template(TemplateId Id, string Name, int Version, TemplateSource Source, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>A template without its sources, for lists.</summary>
public sealed record TemplateSummary(TemplateId Id, string Name, int Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>What a user gives to make or to change a template.</summary>
public sealed record TemplateDraft(string Name, TemplateSource Source);

[Table("templates")]
internal sealed class TemplateRow
{
    // Plain numbers, because pages compare them.
    [PrimaryKey, Identity] public long Id { get; init; }
    [Column] public long UserId { get; init; }
    [Column] public required string Name { get; init; }
    [Column] public int Version { get; init; }
    [Column] public long CreatedAt { get; init; }
    [Column] public long UpdatedAt { get; init; }
    [Column] public long? DeletedAt { get; init; }

    public Template With(TemplateSource source, int version) =>
        new(new TemplateId(Id), Name, version, source, DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt), DateTimeOffset.FromUnixTimeMilliseconds(UpdatedAt));

    public TemplateSummary ToSummary() =>
        new(new TemplateId(Id), Name, Version, DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt), DateTimeOffset.FromUnixTimeMilliseconds(UpdatedAt));
}

[Table("template_versions")]
internal sealed class TemplateVersionRow
{
    [PrimaryKey(0)] public long TemplateId { get; init; }
    [PrimaryKey(1)] public int Version { get; init; }
    [Column] public required string Subject { get; init; }
    [Column] public string? Html { get; init; }
    [Column] public string? Text { get; init; }
    [Column] public bool Strict { get; init; }
    [Column] public long CreatedAt { get; init; }

    public TemplateSource ToSource() => new(Subject, Html, Text, Strict);

    public static TemplateVersionRow Of(long template, int version, TemplateSource source, long at) => new()
    {
        TemplateId = template, Version = version, Subject = source.Subject, Html = source.Html, Text = source.Text, Strict = source.Strict, CreatedAt = at,
    };
}
