using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;

namespace Edm.Engine.Content;

/// <summary>A user's templates. Another user's template is answered like one that does not exist.</summary>
public sealed class TemplateStore(EdmDatabase database, TimeProvider time)
{
    public const int MaxName = 200;

    /// <exception cref="FieldException">The name is empty or too long, or a part holds a NUL.</exception>
    /// <exception cref="TemplateException">A part can't be parsed.</exception>
    /// <exception cref="ConflictException">The user has a template of this name.</exception>
    public async Task<Template> CreateAsync(UserId user, TemplateDraft draft, CancellationToken cancellation = default)
    {
        Check(draft);
        var now = Now;
        var row = new TemplateRow { UserId = user.Value, Name = draft.Name, Version = 1, CreatedAt = now, UpdatedAt = now };
        return await Unique(draft.Name, database.WriteAsync(
            async connection =>
            {
                var id = await connection.InsertWithInt64IdentityAsync(row, token: cancellation);
                await connection.InsertAsync(TemplateVersionRow.Of(id, 1, draft.Source, now), token: cancellation);
                return new Template(new TemplateId(id), draft.Name, 1, draft.Source, DateTimeOffset.FromUnixTimeMilliseconds(now), DateTimeOffset.FromUnixTimeMilliseconds(now));
            },
            cancellation));
    }

    /// <summary>Another source makes a new version; tasks that are frozen keep theirs. The same source again, or only another name, makes none.</summary>
    /// <returns>Null when the user has no such template.</returns>
    /// <inheritdoc cref="CreateAsync"/>
    public async Task<Template?> ChangeAsync(UserId user, TemplateId template, TemplateDraft draft, CancellationToken cancellation = default)
    {
        Check(draft);
        return await Unique(draft.Name, database.WriteAsync(
            async connection =>
            {
                // Takes the row's lock first, so that two changes at once make two versions.
                var touched = await Own(connection, user, template).Set(row => row.Name, draft.Name).Set(row => row.UpdatedAt, Now).UpdateAsync(cancellation);
                if (touched == 0)
                {
                    return null;
                }

                var row = await Own(connection, user, template).SingleAsync(cancellation);
                var newest = await VersionAsync(connection, row.Id, row.Version, cancellation);
                if (newest?.ToSource() == draft.Source)
                {
                    return row.With(draft.Source, row.Version);
                }

                var version = row.Version + 1;
                await connection.InsertAsync(TemplateVersionRow.Of(row.Id, version, draft.Source, Now), token: cancellation);
                await Own(connection, user, template).Set(other => other.Version, version).UpdateAsync(cancellation);
                return row.With(draft.Source, version);
            },
            cancellation));
    }

    /// <param name="version">Null: the newest.</param>
    /// <returns>Null when the user has no such template, or it has no such version.</returns>
    public Task<Template?> GetAsync(UserId user, TemplateId template, int? version = null, CancellationToken cancellation = default) =>
        database.RunAsync(
            async connection => await Own(connection, user, template).SingleOrDefaultAsync(cancellation) is { } row
                && await VersionAsync(connection, row.Id, version ?? row.Version, cancellation) is { } found
                    ? row.With(found.ToSource(), found.Version)
                    : null,
            cancellation);

    /// <returns>At most <paramref name="limit"/> with ids above <paramref name="after"/>, ascending.</returns>
    public Task<IReadOnlyList<TemplateSummary>> ListAsync(UserId user, TemplateId after, int limit, CancellationToken cancellation = default) =>
        database.RunAsync<IReadOnlyList<TemplateSummary>>(
            async connection =>
            {
                var rows = await connection.GetTable<TemplateRow>()
                    .Where(row => row.UserId == user.Value && row.DeletedAt == null && row.Id > after.Value)
                    .OrderBy(row => row.Id).Take(limit).ToListAsync(cancellation);
                return [.. rows.Select(row => row.ToSummary())];
            },
            cancellation);

    /// <summary>The name is free again. Its versions stay, because tasks that are frozen still send them.</summary>
    /// <returns>False when the user has no such template.</returns>
    public Task<bool> DeleteAsync(UserId user, TemplateId template, CancellationToken cancellation = default) =>
        database.RunAsync(
            async connection => await Own(connection, user, template).Set(row => row.DeletedAt, Now).UpdateAsync(cancellation) > 0,
            cancellation);

    /// <summary>For the sending path, which knows the template from a task: deleted or not, and whoever owns it.</summary>
    /// <returns>Null when there is no such version.</returns>
    public Task<TemplateSource?> LoadAsync(TemplateId template, int version, CancellationToken cancellation = default) =>
        database.RunAsync(async connection => (await VersionAsync(connection, template.Value, version, cancellation))?.ToSource(), cancellation);

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private void Check(TemplateDraft draft)
    {
        ArgumentNullException.ThrowIfNull(draft);
        if (string.IsNullOrWhiteSpace(draft.Name) || draft.Name.Length > MaxName || draft.Name.Any(char.IsControl))
        {
            throw new FieldException("name", $"A template's name is 1 to {MaxName} characters on one line.");
        }

        foreach (var (field, text) in new[] { ("subject", draft.Source.Subject), ("html", draft.Source.Html), ("text", draft.Source.Text) })
        {
            if (text?.Contains('\0', StringComparison.Ordinal) == true)
            {
                throw new FieldException(field, "It holds a NUL character, which no mail can carry.");
            }
        }

        LiquidTemplate.Parse(draft.Source, time);
    }

    private static IQueryable<TemplateRow> Own(EdmConnection connection, UserId user, TemplateId template) =>
        connection.GetTable<TemplateRow>().Where(row => row.Id == template.Value && row.UserId == user.Value && row.DeletedAt == null);

    private static Task<TemplateVersionRow?> VersionAsync(EdmConnection connection, long template, int version, CancellationToken cancellation) =>
        connection.GetTable<TemplateVersionRow>().SingleOrDefaultAsync(row => row.TemplateId == template && row.Version == version, cancellation);

    private static async Task<T> Unique<T>(string name, Task<T> write)
    {
        try
        {
            return await write;
        }
        catch (Exception exception) when (StorageFaults.IsDuplicate(exception))
        {
            throw new ConflictException($"You have a template '{name}' already. Choose another name, or change that one.", "name");
        }
    }
}
