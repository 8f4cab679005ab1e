using System.Security.Cryptography;
using System.Text;
using Edm.Engine.Contacts;

namespace Edm.Engine.TagMigration;

/// <summary>What is in the old table and what will become of it.</summary>
/// <param name="Pairs">Of row and tag, after doubles in a row.</param>
/// <param name="DistinctTags">Names as EDM compares them; at least so many when <paramref name="Bounded"/>.</param>
/// <param name="Bounded">There are more names or addresses than are kept in memory: doubles and variants among the later ones were not looked for.</param>
/// <param name="Variants">Names that differ by case alone: the first some of them, with their spellings.</param>
/// <param name="SetAside">Rows that become no contact.</param>
/// <param name="UnknownOwners">Values of the user column for which EDM has no user.</param>
public sealed record PlanReport(
    string Source, long Rows, long RowsWithTags, long Contacts, long Pairs, long DistinctTags, bool Bounded, long VariantNames, IReadOnlyList<IReadOnlyList<string>> Variants,
    IReadOnlyList<PlanOddity> Oddities, long SetAside, IReadOnlyList<string> UnknownOwners, long LargestValue, double ReadSeconds, double EstimatedCopySeconds);

/// <param name="Rows">Rows in which it was seen.</param>
/// <param name="Examples">Keys of some of them.</param>
public sealed record PlanOddity(string Kind, long Count, long Rows, IReadOnlyList<string> Examples, string Becomes);

/// <summary>Reads the whole old table once, in portions, and writes nothing.</summary>
internal sealed class Planner(MigrationSession session)
{
    /// <summary>Some 100 MB at most.</summary>
    private const int MaxNames = 300_000;

    private const int MaxAddresses = 4_000_000;

    private const int PortionRows = 5_000;
    private const int Examples = 3;
    private const int ShownVariants = 1_000;
    private const int MaxSpellings = 20;

    /// <summary>Copying writes what planning only reads: six times as long for 200,000 contacts with eight tags each (docs/migrate-tags.md).</summary>
    private const double CopyFactor = 6;

    private readonly Dictionary<string, List<string>> _names = new(StringComparer.Ordinal);
    private readonly HashSet<ulong> _addresses = [];
    private readonly SortedDictionary<Oddity, Seen> _oddities = [];
    private readonly SortedSet<string> _unknown = new(StringComparer.Ordinal);
    private bool _bounded;
    private long _contacts;
    private long _largest;

    public async Task<PlanReport> RunAsync(CancellationToken cancellation)
    {
        var started = session.Time.GetTimestamp();
        await using var connection = await session.Old.ConnectAsync(cancellation);
        var all = await session.Old.EstimateAsync(connection, cancellation);
        var (rows, tagged, pairs, aside) = (0L, 0L, 0L, 0L);
        string? after = null;
        while (await session.Old.AfterAsync(connection, after, PortionRows, cancellation) is { Count: > 0 } portion)
        {
            foreach (var row in portion)
            {
                var count = Look(row, out var setAside);
                (rows, tagged, pairs, aside) = (rows + 1, tagged + (count > 0 ? 1 : 0), pairs + count, aside + (setAside ? 1 : 0));
            }

            after = portion[^1].Key;
            session.Progress?.Report(new MigrationProgress("reading", rows, Math.Max(all, rows), $"{pairs:N0} tags of contacts"));
        }

        var variants = _names.Values.Where(s => s.Count > 1).ToArray();
        var seconds = session.Time.GetElapsedTime(started).TotalSeconds;
        return new PlanReport(
            session.Old.Table.Source, rows, tagged, _contacts, pairs, _names.Count, _bounded, variants.Length, [.. variants.Take(ShownVariants)],
            [.. _oddities.Select(o => new PlanOddity(o.Key.Name(), o.Value.Count, o.Value.Rows, o.Value.Keys, o.Key.Becomes(session.Source.Policy)))],
            aside, [.. _unknown], _largest, Math.Round(seconds, 2), Math.Round(seconds * CopyFactor, 1));
    }

    private int Look(OldRow row, out bool setAside)
    {
        var read = ReadRow.Of(row, session.Owners, session.Source.Policy);
        setAside = read.SetAside is not null;
        if (read.SetAside is { } why)
        {
            Note(why, 1, row.Key);
            if (why == Oddity.UnknownOwner && _unknown.Count < ShownVariants)
            {
                _unknown.Add(row.Owner!);
            }
        }

        if (read.Email is { } email)
        {
            Address(read.User!.Value.Value, email, row.Key);
        }

        _largest = Math.Max(_largest, row.Tags?.Length ?? 0);
        if (read.SetAside is Oddity.TooLarge or Oddity.TooDeep or Oddity.TooManyTags)
        {
            return 0;
        }

        var reading = TagReading.Of(row.Tags, session.Source.Policy);
        foreach (var (oddity, count) in reading.Oddities)
        {
            Note(oddity, count, row.Key);
        }

        foreach (var name in reading.Names)
        {
            Name(name);
        }

        return reading.Names.Count;
    }

    private void Name(string name)
    {
        if (_names.TryGetValue(Tags.TagName.KeyOf(name), out var spellings))
        {
            if (spellings.Count < MaxSpellings && !spellings.Contains(name))
            {
                spellings.Add(name);
            }
        }
        else if (_names.Count < MaxNames)
        {
            _names.Add(Tags.TagName.KeyOf(name), [name]);
        }
        else
        {
            _bounded = true;
        }
    }

    private void Address(long user, EmailAddress email, string key)
    {
        if (_addresses.Count >= MaxAddresses)
        {
            _bounded = true;
            _contacts++;
        }
        else if (_addresses.Add(BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes($"{user} {email.Key}")))))
        {
            _contacts++;
        }
        else
        {
            Note(Oddity.DoubledAddress, 1, key);
        }
    }

    private void Note(Oddity oddity, int count, string key)
    {
        if (!_oddities.TryGetValue(oddity, out var seen))
        {
            _oddities[oddity] = seen = new Seen();
        }

        seen.Count += count;
        seen.Rows++;
        if (seen.Keys.Count < Examples)
        {
            seen.Keys.Add(key);
        }
    }

    private sealed class Seen
    {
        public long Count { get; set; }
        public long Rows { get; set; }
        public List<string> Keys { get; } = [];
    }
}
