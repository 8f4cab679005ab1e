using Edm.Contracts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;

namespace Edm.Engine.Contacts.Search;

/// <summary>
/// A filter of tags alone, such as <c>tag:a and tag:b and not tag:c</c>: answered by one statement, and so exact without a transaction around it. It is what is asked most, and
/// everything else that evaluating takes (names, versions, a snapshot) is a round trip each.
/// </summary>
internal sealed class TagQuestion
{
    private readonly FilterNode _root;
    private readonly HashSet<string> _keys;
    private readonly bool _needsLive;

    private TagQuestion(FilterNode root, HashSet<string> keys) => (_root, _keys, _needsLive) = (root, keys, NeedsLive(root));

    /// <returns>Null when the filter asks about more than tags.</returns>
    public static TagQuestion? Of(ContactFilter filter)
    {
        var keys = new HashSet<string>();
        return filter.Root is { } root && Collect(root, keys) ? new TagQuestion(root, keys) : null;
    }

    /// <summary>The key of the tag, when the question is who has that one.</summary>
    public string? OnlyTag => _root is FilterNode.TagNames { Names: [var name] } ? NameKey.Of(name.Text) : null;

    /// <returns>Null when the user does not have all of the tags: evaluating says which one, and what is nearest.</returns>
    public async Task<ContactSet?> AskAsync(EdmConnection connection, UserId user, CancellationToken cancellation)
    {
        var (tags, live) = (new Dictionary<string, ContactSet>(), new ContactSet());
        var batch = new SqlBatch(connection);
        var members =
            $"""
            SELECT t.name_key, m.chunk, m.bits FROM tags t LEFT JOIN tag_members m ON m.tag_id = t.id
            WHERE t.user_id = @user AND t.deleted_at IS NULL AND t.name_key {batch.In("@keys")}
            """;
        await batch.Read(
            _needsLive ? members + " UNION ALL SELECT NULL, chunk, live FROM contact_chunks WHERE user_id = @user" : members,
            row =>
            {
                var set = live;
                if (!row.IsDBNull(0) && !tags.TryGetValue(row.GetString(0), out set))
                {
                    tags.Add(row.GetString(0), set = new ContactSet());
                }

                if (!row.IsDBNull(1))
                {
                    set!.SetBits(row.GetInt32(1), ContactChunk.FromBytes((byte[])row.GetValue(2)));
                }
            },
            ("@user", user.Value), ("@keys", _keys.ToArray())).ExecuteAsync(cancellation);
        return tags.Count == _keys.Count ? Evaluate(_root, null, tags, live) : null;
    }

    private static bool Collect(FilterNode node, HashSet<string> keys)
    {
        switch (node)
        {
            case FilterNode.And and: return and.Nodes.All(part => Collect(part, keys));
            case FilterNode.Or or: return or.Nodes.All(part => Collect(part, keys));
            case FilterNode.Not not: return Collect(not.Inner, keys);
            case FilterNode.TagNames names:
                keys.UnionWith(names.Names.Select(name => NameKey.Of(name.Text)));
                return true;
            default: return false;
        }
    }

    /// <summary>Whether the answer may hold contacts that have none of the tags.</summary>
    private static bool NeedsLive(FilterNode node) => node switch
    {
        FilterNode.And and => and.Nodes.All(NeedsLive),
        FilterNode.Or or => or.Nodes.Any(NeedsLive),
        FilterNode.Not => true,
        _ => false,
    };

    /// <param name="among">Null: everybody.</param>
    /// <returns>The caller's own.</returns>
    private static ContactSet Evaluate(FilterNode node, ContactSet? among, Dictionary<string, ContactSet> tags, ContactSet live)
    {
        switch (node)
        {
            case FilterNode.And and:
                var left = among;
                foreach (var part in and.Nodes.OrderBy(NeedsLive))
                {
                    left = Evaluate(part, left, tags, live);
                }

                return left!;
            case FilterNode.Or or:
                var any = new ContactSet();
                foreach (var part in or.Nodes)
                {
                    any.UnionWith(Evaluate(part, among, tags, live));
                }

                return any;
            case FilterNode.Not not:
                var rest = (among ?? live).Clone();
                rest.ExceptWith(Evaluate(not.Inner, among, tags, live));
                return rest;
            case FilterNode.TagNames names:
                var found = new ContactSet();
                foreach (var name in names.Names)
                {
                    found.UnionWith(tags[NameKey.Of(name.Text)]);
                }

                if (among is not null)
                {
                    found.IntersectWith(among);
                }

                return found;
            default:
                throw new InvalidOperationException($"{node.GetType().Name} is no question about tags alone.");
        }
    }
}
