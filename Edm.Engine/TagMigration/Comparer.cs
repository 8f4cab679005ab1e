using System.Globalization;
using Edm.Engine.Contacts.Ordinals;
using Npgsql;

namespace Edm.Engine.TagMigration;

/// <summary>Compares the contacts of one chunk with their old rows, tag by tag.</summary>
internal sealed class Comparer(MigrationSession session, MigrationRow migration)
{
    private const char Sign = '\u0001';

    /// <summary>How many memberships both sides have; the sum over all chunks.</summary>
    public long Pairs { get; private set; }

    public long Kept { get; private set; }

    /// <param name="of">Only these contacts.</param>
    public async Task<IReadOnlyList<Difference>> ChunkAsync(NpgsqlConnection connection, long user, ContactSet of, int chunk, CancellationToken cancellation)
    {
        var state = await ContactState.ReadAsync(session.Database, migration.Id, user, of, chunk, cancellation);
        List<Difference> differences = [];
        Dictionary<int, Dictionary<string, string>> expected = [];
        var contact = state.Keys.ToDictionary(k => k.OldKey, k => k.Ordinal!.Value, StringComparer.Ordinal);
        await foreach (var rows in session.Old.AllOfAsync(connection, [.. contact.Keys], cancellation))
        {
            foreach (var row in rows)
            {
                Row(row, user, contact[row.Key], state, expected, differences);
            }
        }

        foreach (var ordinal in of.Ordinals.Where(o => ContactChunk.Of(o) == chunk))
        {
            Contact(user, ordinal, state, expected.GetValueOrDefault(ordinal) ?? [], differences);
        }

        return differences;
    }

    /// <param name="expected">Contact to tag (its number, or its name where EDM has none) to the key of a row that gives it.</param>
    private void Row(OldRow row, long user, int ordinal, ContactState state, Dictionary<int, Dictionary<string, string>> expected, List<Difference> differences)
    {
        var read = ReadRow.Of(row, session.Owners, session.Source.Policy);
        if (!row.Exists || read.User is null)
        {
            differences.Add(new Difference(row.Exists ? "set-aside-differs" : "row-gone", user, row.Key, ordinal));
        }
        else if (!state.Emails.TryGetValue(ordinal, out var email))
        {
            differences.Add(new Difference("contact-missing", user, row.Key, ordinal));
        }
        else if (email != read.Email!.Key || read.User.Value.Value != user)
        {
            differences.Add(new Difference("wrong-contact", user, row.Key, ordinal));
        }

        if (!expected.TryGetValue(ordinal, out var tags))
        {
            expected[ordinal] = tags = new Dictionary<string, string>(StringComparer.Ordinal);
        }

        foreach (var name in read.Names)
        {
            tags.TryAdd(state.Names.TryGetValue(name, out var known) ? Id(known.TagId) : name, row.Key);
        }
    }

    private void Contact(long user, int ordinal, ContactState state, Dictionary<string, string> expected, List<Difference> differences)
    {
        var actual = (state.Tags.GetValueOrDefault(ordinal) ?? []).Select(Id).ToHashSet(StringComparer.Ordinal);
        var kept = (state.Kept.GetValueOrDefault(ordinal) ?? []).Select(Id).ToHashSet(StringComparer.Ordinal);
        foreach (var (tag, key) in expected)
        {
            if (actual.Remove(tag))
            {
                Pairs++;
            }
            else
            {
                differences.Add(new Difference("missing-tag", user, key, ordinal, NameOf(tag, state)));
            }
        }

        Kept += actual.Count(kept.Contains);
        var anyKey = state.Keys.FirstOrDefault(k => k.Ordinal == ordinal)?.OldKey;
        differences.AddRange(actual.Where(t => !kept.Contains(t)).Select(t => new Difference("extra-tag", user, anyKey, ordinal, NameOf(t, state))));
    }

    private static string NameOf(string tag, ContactState state) =>
        tag[0] != Sign ? tag
        : state.TagNames.GetValueOrDefault(long.Parse(tag.AsSpan(1), CultureInfo.InvariantCulture))
            ?? state.Names.Values.FirstOrDefault(n => Id(n.TagId) == tag)?.Name ?? tag[1..];

    // Not a name that a row could have: those have no control characters.
    private static string Id(long tag) => string.Create(CultureInfo.InvariantCulture, $"{Sign}{tag}");
}
