using System.Data.Common;
using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;

namespace Edm.Engine.Tags;

/// <summary>Reads which contacts have which tags. Within the caller's transaction; what is read stays true while the user's book is open, or in a snapshot.</summary>
internal static class TagMembers
{
    /// <returns>The contacts that have any of the tags.</returns>
    public static async Task<ContactSet> ReadAsync(EdmConnection connection, IEnumerable<TagId> tags, CancellationToken cancellation)
    {
        var union = new ContactSet();
        foreach (var one in (await ReadEachAsync(connection, tags, cancellation)).Values)
        {
            union.UnionWith(one);
        }

        return union;
    }

    /// <returns>The contacts of each tag; an empty set where there are none.</returns>
    public static async Task<IReadOnlyDictionary<TagId, ContactSet>> ReadEachAsync(EdmConnection connection, IEnumerable<TagId> tags, CancellationToken cancellation)
    {
        var ids = tags.Select(tag => tag.Value).Distinct().ToArray();
        var members = ids.ToDictionary(id => new TagId(id), _ => new ContactSet());
        var batch = new SqlBatch(connection);
        await batch.Read($"SELECT tag_id, chunk, bits FROM tag_members WHERE tag_id {batch.In("@tags")}", row => Put(members, row), ("@tags", ids)).ExecuteAsync(cancellation);
        return members;
    }

    /// <summary>Adds a statement that reads the members of tags in some chunks.</summary>
    /// <param name="members">Holds a set for each of the tags.</param>
    internal static SqlBatch ReadMembers(this SqlBatch batch, Dictionary<TagId, ContactSet> members, int[] chunks) => batch.Read(
        $"SELECT tag_id, chunk, bits FROM tag_members WHERE tag_id {batch.In("@tags")} AND chunk {batch.In("@chunks")}",
        row => Put(members, row),
        ("@tags", members.Keys.Select(tag => tag.Value).ToArray()), ("@chunks", chunks));

    private static void Put(Dictionary<TagId, ContactSet> members, DbDataReader row) =>
        members[new TagId(row.GetInt64(0))].SetBits(row.GetInt32(1), ContactChunk.FromBytes((byte[])row.GetValue(2)));
}
