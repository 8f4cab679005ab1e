using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;

namespace Edm.Engine.Tags;

/// <summary>Which contacts which tags gain and lose. A contact that is in both sets of a tag is not wanted: it is refused.</summary>
internal sealed class TagChanges
{
    private readonly SortedDictionary<long, (ContactSet Added, ContactSet Removed)> _tags = [];

    public bool IsEmpty => _tags.Values.All(t => t.Added.IsEmpty && t.Removed.IsEmpty);

    public IEnumerable<(TagId Tag, ContactSet Added, ContactSet Removed)> Tags => _tags.Select(t => (new TagId(t.Key), t.Value.Added, t.Value.Removed));

    /// <summary>The chunks in which something is to change, ascending.</summary>
    public IEnumerable<int> Chunks => _tags.Values.SelectMany(t => t.Added.Chunks.Concat(t.Removed.Chunks)).Distinct().Order();

    public TagChanges Add(TagId tag, ContactSet contacts)
    {
        Of(tag).Added.UnionWith(contacts);
        return this;
    }

    public TagChanges Remove(TagId tag, ContactSet contacts)
    {
        Of(tag).Removed.UnionWith(contacts);
        return this;
    }

    internal (ContactSet Added, ContactSet Removed) Of(TagId tag)
    {
        if (!_tags.TryGetValue(tag.Value, out var change))
        {
            change = (new ContactSet(), new ContactSet());
            _tags.Add(tag.Value, change);
        }

        return change;
    }
}
