using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using Edm.Engine.Tags;

namespace Edm.Engine.Imports.Chunks;

/// <summary>Gives the contacts of a chunk their tags: those of their rows, and those that the import was asked to give.</summary>
internal sealed class ImportTags(Import import, TimeProvider time)
{
    // A name is looked up once a row: by the text as it stands there, of which a file has few.
    private readonly Dictionary<string, ContactSet> _chunk = new(StringComparer.Ordinal);

    /// <param name="first">The ordinal of the first new contact.</param>
    /// <param name="changed">Contacts that were there and are not what they were.</param>
    public async Task WriteAsync(EdmConnection connection, ContactBook book, StagedRows rows, ChunkPlan plan, int first, ContactSet changed, CancellationToken cancellation)
    {
        _chunk.Clear();
        for (var i = 0; i < plan.New.Count; i++)
        {
            Add(rows.TagsOf(plan.New[i]), first + i);
        }

        foreach (var (ordinal, row) in plan.Met)
        {
            Add(row is { } some ? rows.TagsOf(some) : [], ordinal);
        }

        if (import.Options.Tags.Count > 0)
        {
            var meant = Meant(plan, first, changed);
            foreach (var tag in import.Options.Tags)
            {
                SetOf(tag).UnionWith(meant);
            }
        }

        if (_chunk.Values.All(contacts => contacts.IsEmpty))
        {
            return;
        }

        var writer = new TagWriter(connection, import.User, book, time);
        var ids = await writer.ResolveAsync(_chunk.Keys.Select(name => TagName.Parse(name, "tag")), cancellation);
        var changes = new TagChanges();
        foreach (var (name, contacts) in _chunk)
        {
            changes.Add(ids[TagName.KeyOf(name)], contacts);
        }

        await writer.ApplyAsync(TagOperationKind.Add, TagOrigin.OfImport(import.Id), changes, cancellation);
    }

    private ContactSet Meant(ChunkPlan plan, int first, ContactSet changed)
    {
        switch (import.Options.TagWhich)
        {
            case TagWhich.New:
                var fresh = new ContactSet();
                fresh.AddRange(first, plan.New.Count);
                return fresh;
            case TagWhich.Changed:
                return changed;
            case TagWhich.All:
                return plan.Seen(first);
            default:
                throw new InvalidOperationException($"{import.Options.TagWhich} says not who gets tags.");
        }
    }

    private void Add(ReadOnlySpan<string> names, int ordinal)
    {
        foreach (var name in names)
        {
            SetOf(name).Add(ordinal);
        }
    }

    private ContactSet SetOf(string name)
    {
        if (!_chunk.TryGetValue(name, out var contacts))
        {
            _chunk.Add(name, contacts = new ContactSet());
        }

        return contacts;
    }
}
