using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Edm.Engine.Storage;
using LinqToDB.Data;

namespace Edm.Engine.TagMigration;

/// <summary>Changes one value of the old column so that it has exactly the tags it should have, and nothing else about it.</summary>
internal sealed class ColumnMerge
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Dictionary<string, NameRow> _names;
    private readonly Dictionary<long, string> _tags;
    private readonly TagPolicy _policy;
    private readonly HashSet<string> _fresh = new(StringComparer.Ordinal);

    /// <param name="names">Which tag each spelling is, under the name the tag had then.</param>
    /// <param name="tags">The tags as they are now.</param>
    public ColumnMerge(IEnumerable<NameRow> names, Dictionary<long, string> tags, TagPolicy policy)
    {
        (_names, _tags, _policy) = (names.ToDictionary(n => n.Spelling, StringComparer.Ordinal), tags, policy);
    }

    /// <summary>The tags that a value stands for, as far as they are known.</summary>
    public HashSet<long> TagsOf(string? json) =>
        [.. TagReading.Of(json, _policy).Names.Where(_names.ContainsKey).Select(n => _names[n].TagId)];

    /// <param name="now">The tags that the contact has.</param>
    /// <param name="more">Those of them that come new to this value, in this order.</param>
    public string? Merge(string? json, IReadOnlySet<long> now, IEnumerable<long> more)
    {
        var node = json is null ? null : JsonNode.Parse(json);
        var was = node?.ToJsonString(Plain);
        var array = node is JsonArray there ? there : node is null ? [] : new JsonArray(node.DeepClone());
        var changed = Elements(array, now);
        foreach (var tag in more)
        {
            array.Add((JsonNode)_tags[tag]);
            Learn(_tags[tag], tag);
            changed = true;
        }

        return changed || was is null && array.Count > 0 ? array.ToJsonString(Plain) : json;
    }

    /// <summary>Remembers spellings that were written, and the names that tags have now.</summary>
    public async Task SaveAsync(EdmConnection connection, long migration, long user, CancellationToken cancellation)
    {
        var rows = _fresh.Select(s => new object[] { s, _names[s].TagId, _names[s].Name });
        await connection.ExecuteAsync(
            $"""
            INSERT INTO tag_migration_names (migration_id, user_id, spelling, tag_id, name)
            SELECT @id, @user, c0, c1, c2 FROM {MigrationSql.Rows(connection, "@rows", "text", "bigint", "text")} WHERE true
            ON CONFLICT (migration_id, user_id, spelling) DO UPDATE SET tag_id = excluded.tag_id, name = excluded.name
            """,
            cancellation, new DataParameter("id", migration), new DataParameter("user", user), MigrationSql.List("rows", rows));
        await connection.ExecuteAsync(
            "UPDATE tag_migration_names SET name = (SELECT t.name FROM tags t WHERE t.id = tag_id) WHERE migration_id = @id AND user_id = @user AND EXISTS (SELECT 1 FROM tags t WHERE t.id = tag_id AND t.deleted_at IS NULL)",
            cancellation, new DataParameter("id", migration), new DataParameter("user", user));
        _fresh.Clear();
    }

    private bool Elements(JsonArray array, IReadOnlySet<long> now)
    {
        var changed = false;
        for (var i = array.Count - 1; i >= 0; i--)
        {
            if (array[i] is JsonArray inner)
            {
                changed |= Elements(inner, now);
                continue;
            }

            using var element = JsonDocument.Parse(array[i]?.ToJsonString() ?? "null");
            if (TagReading.NameOf(element.RootElement, _policy) is not { } name || !_names.TryGetValue(name, out var known))
            {
                // No tag: nulls and empty texts stay where they are.
                continue;
            }

            if (!now.Contains(known.TagId))
            {
                array.RemoveAt(i);
                changed = true;
            }
            else if (_tags[known.TagId] != known.Name)
            {
                array[i] = _tags[known.TagId];
                Learn(_tags[known.TagId], known.TagId);
                changed = true;
            }
        }

        return changed;
    }

    private void Learn(string spelling, long tag)
    {
        _names[spelling] = new NameRow { Spelling = spelling, TagId = tag, Name = _tags[tag] };
        _fresh.Add(spelling);
    }
}
