using System.Diagnostics;
using Edm.Contracts;
using Edm.Engine.Contacts.Filters.Columns;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using LinqToDB.Data;

namespace Edm.Engine.Contacts.Filters;

/// <summary>
/// Questions to one moment of one user's contacts. Each test is asked only about the contacts that are still in doubt, the quick ones first, so that a test that has to
/// read contacts reads as few as can be.
/// </summary>
internal sealed class SelectionRun
{
    /// <summary>Looked at first for a page: 32,768 contacts, among which a filter that one in six hundred passes has fifty.</summary>
    private const int FirstChunks = 4;

    private readonly EdmConnection _connection;
    private readonly UserId _user;
    private readonly ContactColumns _columns;
    private readonly ContactScan _scan;
    private readonly long[] _versions;
    private readonly long[] _activities;
    private readonly Dictionary<FilterField, ColumnChunk?[]> _read = [];
    private readonly Dictionary<long, ContactSet> _tags = [];
    private ContactSet? _tagged;

    private SelectionRun(EdmConnection connection, UserId user, ContactColumns columns, ContactScan scan, ContactSet live, long[] versions, long[] activities)
    {
        _connection = connection;
        _user = user;
        _columns = columns;
        _scan = scan;
        Live = live;
        _versions = versions;
        _activities = activities;
    }

    /// <summary>Every contact. Not to be changed.</summary>
    public ContactSet Live { get; }

    public static async Task<SelectionRun> OpenAsync(
        EdmConnection connection, UserId user, ContactColumns columns, ScanLimits limits, TimeProvider time, CancellationToken cancellation)
    {
        var live = new ContactSet();
        var (versions, activities) = (Array.Empty<long>(), Array.Empty<long>());
        await new SqlBatch(connection).Read(
            "SELECT chunk, version, activity, live FROM contact_chunks WHERE user_id = @user",
            row =>
            {
                var chunk = row.GetInt32(0);
                if (chunk >= versions.Length)
                {
                    Array.Resize(ref versions, Math.Max(chunk + 1, versions.Length * 2));
                    Array.Resize(ref activities, versions.Length);
                }

                (versions[chunk], activities[chunk]) = (row.GetInt64(1), row.GetInt64(2));
                live.SetBits(chunk, ContactChunk.FromBytes((byte[])row.GetValue(3)));
            },
            ("@user", user.Value)).ExecuteAsync(cancellation);

        return new SelectionRun(connection, user, columns, new ContactScan(connection, user, limits, time), live, versions, activities);
    }

    /// <param name="filter">Bound.</param>
    /// <returns>The caller's own.</returns>
    public async Task<ContactSet> EvaluateAsync(ContactFilter filter, CancellationToken cancellation)
    {
        if (filter.Root is not { } root)
        {
            return Live.Clone();
        }

        return await EvaluateAsync(root, cancellation);
    }

    /// <summary>One test by itself.</summary>
    public async Task<ContactSet> EvaluateAsync(FilterNode node, CancellationToken cancellation)
    {
        await ReadTagsAsync(node, cancellation);
        return await OfAsync(node, Live, cancellation);
    }

    /// <summary>The first that pass, in the order in which they came: chunk after chunk, ever more at once, until there are enough.</summary>
    /// <param name="filter">Bound.</param>
    /// <param name="after">An ordinal.</param>
    /// <returns>At most <paramref name="limit"/>.</returns>
    public async Task<IReadOnlyList<int>> FirstAsync(ContactFilter filter, int after, int limit, CancellationToken cancellation)
    {
        if (filter.Root is not { } root)
        {
            return [.. Live.After(after).Take(limit)];
        }

        await ReadTagsAsync(root, cancellation);
        var found = new List<int>(limit);
        var chunks = Live.Chunks.SkipWhile(chunk => chunk < ContactChunk.Of(after + 1)).ToArray();
        for (var (next, step) = (0, FirstChunks); next < chunks.Length && found.Count < limit; next += step, step *= 2)
        {
            var candidates = new ContactSet();
            foreach (var chunk in chunks.Skip(next).Take(step))
            {
                candidates.SetBits(chunk, Live.Bits(chunk).ToArray());
            }

            found.AddRange((await OfAsync(root, candidates, cancellation)).After(after).Take(limit - found.Count));
        }

        return found;
    }

    /// <summary>A column where <paramref name="needed"/> has contacts, by chunk.</summary>
    public async Task<ColumnChunk?[]> ColumnAsync(FilterField field, ContactSet needed, CancellationToken cancellation)
    {
        var versions = field.IsActivity ? _activities : _versions;
        if (!_read.TryGetValue(field, out var chunks))
        {
            _read.Add(field, chunks = _columns.Find(_user, field, versions));
        }

        var missing = needed.Chunks.Where(chunk => chunks[chunk] is null).ToArray();
        if (missing.Length == 0)
        {
            return chunks;
        }

        var read = await ColumnReader.ReadAsync(_connection, _user, field, missing, cancellation);
        var unchanged = await VersionsNowAsync(field, cancellation);
        var kept = new List<(int, long, ColumnChunk)>(missing.Length);
        for (var i = 0; i < missing.Length; i++)
        {
            chunks[missing[i]] = read[i];
            if (unchanged.TryGetValue(missing[i], out var version) && version == versions[missing[i]])
            {
                kept.Add((missing[i], version, read[i]));
            }
        }

        _columns.Keep(_user, field, kept);
        return chunks;
    }

    // In a snapshot they are what they were. In a write transaction each statement sees a moment of its own, and sending goes on: what was read is only known to
    // belong to a version that stood before and after.
    private async Task<Dictionary<int, long>> VersionsNowAsync(FilterField field, CancellationToken cancellation)
    {
        var rows = await _connection.QueryToListAsync<ContactChunkRow>(
            "SELECT chunk, version, activity FROM contact_chunks WHERE user_id = @user", cancellation, new DataParameter("user", _user.Value));
        return rows.ToDictionary(row => row.Chunk, row => field.IsActivity ? row.Activity : row.Version);
    }

    private async Task<ContactSet> OfAsync(FilterNode node, ContactSet candidates, CancellationToken cancellation)
    {
        if (candidates.IsEmpty)
        {
            return new ContactSet();
        }

        switch (node)
        {
            case FilterNode.And and:
                var left = candidates;
                foreach (var part in and.Nodes.OrderBy(FilterCost.Of))
                {
                    left = await OfAsync(part, left, cancellation);
                }

                return left;
            case FilterNode.Or or:
                var (found, rest) = (new ContactSet(), candidates.Clone());
                foreach (var part in or.Nodes.OrderBy(FilterCost.Of))
                {
                    var more = await OfAsync(part, rest, cancellation);
                    found.UnionWith(more);
                    rest.ExceptWith(more);
                }

                return found;
            case FilterNode.Not not:
                return Without(candidates, await OfAsync(not.Inner, candidates, cancellation));
            case FilterNode.Expanded { Inner: { } inner } segment:
                using (_scan.Inside(segment))
                {
                    return await OfAsync(inner, candidates, cancellation);
                }

            case FilterNode.Expanded:
                return candidates.Clone();
            case FilterNode.Tags tags:
                return AnyOf(tags, candidates);
            case FilterNode.Untagged:
                return Without(candidates, _tagged!);
            case FilterNode.Whole whole:
                return await NumbersAsync(whole.Field, whole.From, whole.To, candidates, cancellation);
            case FilterNode.Number number:
                var range = ContactFilterParser.Whole(number.At, number.Field, number.Operator, AttributeValue.Sortable(number.Value), AttributeValue.Sortable(number.Value));
                return await NumbersAsync(number.Field, range.From, range.To, candidates, cancellation);
            case FilterNode.Empty { Field.Quick: true } empty:
                return Without(candidates, Present(await ColumnAsync(empty.Field, candidates, cancellation)));
            case FilterNode.Text { Field.Quick: true } text:
                return await TextsAsync(text, candidates, cancellation);
            case FilterNode.Text { Field.Column: "email_key", Test: TextTest.In } email:
                return await _scan.ByAddressAsync(email, candidates, cancellation);
            case FilterNode.Text or FilterNode.Empty:
                return await _scan.OfAsync(node, candidates, cancellation);
            default:
                throw new UnreachableException($"{node.GetType().Name} can't be evaluated: the filter has to be bound first.");
        }
    }

    private async Task<ContactSet> NumbersAsync(FilterField field, long from, long to, ContactSet candidates, CancellationToken cancellation)
    {
        var column = await ColumnAsync(field, candidates, cancellation);
        var result = new ContactSet();
        foreach (var chunk in candidates.Chunks)
        {
            var bits = candidates.Bits(chunk).ToArray();
            ((NumberChunk)column[chunk]!).Keep(from, to, bits);
            result.SetBits(chunk, bits);
        }

        return result;
    }

    private async Task<ContactSet> TextsAsync(FilterNode.Text text, ContactSet candidates, CancellationToken cancellation)
    {
        var column = await ColumnAsync(text.Field, candidates, cancellation);
        var result = new ContactSet();
        var wide = new ContactSet();
        var passes = Passes(text);
        foreach (var chunk in candidates.Chunks)
        {
            var bits = candidates.Bits(chunk).ToArray();
            if (column[chunk] is TextChunk texts)
            {
                texts.Keep(passes, bits);
                result.SetBits(chunk, bits);
            }
            else
            {
                wide.SetBits(chunk, bits);
            }
        }

        if (!wide.IsEmpty)
        {
            wide.IntersectWith(Present(column));
            result.UnionWith(await _scan.OfAsync(text, wide, cancellation));
        }

        return result;
    }

    private static Func<string, bool> Passes(FilterNode.Text text)
    {
        var first = text.Values[0];
        switch (text.Test)
        {
            case TextTest.Contains:
                return value => value.Contains(first, StringComparison.Ordinal);
            case TextTest.StartsWith:
                return value => value.StartsWith(first, StringComparison.Ordinal);
            default:
                if (text.Values.Count == 1)
                {
                    return value => value == first;
                }

                var all = text.Values.ToHashSet(StringComparer.Ordinal);
                return all.Contains;
        }
    }

    private ContactSet AnyOf(FilterNode.Tags tags, ContactSet candidates)
    {
        var any = new ContactSet();
        foreach (var id in tags.Ids)
        {
            any.UnionWith(_tags[id]);
        }

        any.IntersectWith(candidates);
        return any;
    }

    /// <summary>The members of all tags that the filter names, in one statement.</summary>
    private async Task ReadTagsAsync(FilterNode root, CancellationToken cancellation)
    {
        var ids = new HashSet<long>();
        var untagged = false;
        Visit(root);
        ids.ExceptWith(_tags.Keys);
        if (ids.Count > 0)
        {
            foreach (var id in ids)
            {
                _tags.Add(id, new ContactSet());
            }

            var batch = new SqlBatch(_connection);
            await batch.Read(
                $"SELECT tag_id, chunk, bits FROM tag_members WHERE tag_id {batch.In("@tags")}",
                row => _tags[row.GetInt64(0)].SetBits(row.GetInt32(1), ContactChunk.FromBytes((byte[])row.GetValue(2))),
                ("@tags", ids.ToArray())).ExecuteAsync(cancellation);
        }

        if (untagged && _tagged is null)
        {
            var tagged = new ContactSet();
            await new SqlBatch(_connection).Read(
                "SELECT m.chunk, m.bits FROM tags t JOIN tag_members m ON m.tag_id = t.id WHERE t.user_id = @user AND t.deleted_at IS NULL",
                row =>
                {
                    var one = new ContactSet();
                    one.SetBits(row.GetInt32(0), ContactChunk.FromBytes((byte[])row.GetValue(1)));
                    tagged.UnionWith(one);
                },
                ("@user", _user.Value)).ExecuteAsync(cancellation);
            _tagged = tagged;
        }

        void Visit(FilterNode node)
        {
            switch (node)
            {
                case FilterNode.And and: and.Nodes.ToList().ForEach(Visit); break;
                case FilterNode.Or or: or.Nodes.ToList().ForEach(Visit); break;
                case FilterNode.Not not: Visit(not.Inner); break;
                case FilterNode.Expanded { Inner: { } inner }: Visit(inner); break;
                case FilterNode.Tags tags: ids.UnionWith(tags.Ids); break;
                case FilterNode.Untagged: untagged = true; break;
                default: break;
            }
        }
    }

    private static ContactSet Present(ColumnChunk?[] column)
    {
        var present = new ContactSet();
        for (var chunk = 0; chunk < column.Length; chunk++)
        {
            if (column[chunk] is { } values)
            {
                present.SetBits(chunk, values.Present.ToArray());
            }
        }

        return present;
    }

    private static ContactSet Without(ContactSet all, ContactSet some)
    {
        var rest = all.Clone();
        rest.ExceptWith(some);
        return rest;
    }
}

/// <summary>Which test is asked first.</summary>
internal static class FilterCost
{
    private const int Set = 0;
    private const int Column = 1;
    private const int ManyTexts = 2;
    private const int Scan = 10;

    /// <summary>False when contacts have to be read one by one.</summary>
    public static bool IsQuick(FilterNode node) => Of(node) < Scan;

    public static int Of(FilterNode node) => node switch
    {
        FilterNode.And and => and.Nodes.Max(Of),
        FilterNode.Or or => or.Nodes.Max(Of),
        FilterNode.Not not => Of(not.Inner),
        FilterNode.Expanded segment => segment.Inner is null ? Set : Of(segment.Inner),
        FilterNode.Tags or FilterNode.Untagged => Set,
        FilterNode.Text { Field.Column: "email_key", Test: TextTest.In } => Set,
        // An attribute may turn out to be as varied as names.
        FilterNode.Text { Field.Quick: true, Field.IsAttribute: true } or FilterNode.Text { Field.Kind: FilterFieldKind.Domain } => ManyTexts,
        FilterNode.Text { Field.Quick: false } or FilterNode.Empty { Field.Quick: false } => Scan,
        _ => Column,
    };
}
