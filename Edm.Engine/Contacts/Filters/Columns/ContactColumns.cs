using System.Diagnostics.CodeAnalysis;
using Edm.Contracts;

namespace Edm.Engine.Contacts.Filters.Columns;

/// <summary>
/// Columns of contacts in memory, for filters and sorting: chunks of values, each with the version of contact_chunks that it was read at. Who asks brings the version of
/// the chunk from a snapshot and gets the values only when they are of that very version, so what is answered is exact, on any number of nodes.
/// Bounded by bytes; the columns that were not asked for longest go first. Thread-safe.
/// </summary>
public sealed class ContactColumns(long maxBytes)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(UserId User, FilterField Field), Column> _columns = [];
    private long _bytes;
    private long _uses;

    /// <summary>About; never more than asked for, but for the column that is just being read.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _bytes;
            }
        }
    }

    /// <summary>The chunks that are there in the versions asked for.</summary>
    /// <param name="versions">By chunk.</param>
    /// <returns>By chunk; null where it has to be read.</returns>
    internal ColumnChunk?[] Find(UserId user, FilterField field, ReadOnlySpan<long> versions)
    {
        var found = new ColumnChunk?[versions.Length];
        lock (_lock)
        {
            if (_columns.TryGetValue((user, field), out var column))
            {
                column.LastUse = ++_uses;
                for (var chunk = 0; chunk < Math.Min(found.Length, column.Slots.Length); chunk++)
                {
                    found[chunk] = column.Slots[chunk] is { } slot && slot.Version == versions[chunk] ? slot.Chunk : null;
                }
            }
        }

        return found;
    }

    internal void Keep(UserId user, FilterField field, IReadOnlyCollection<(int Chunk, long Version, ColumnChunk Values)> read)
    {
        lock (_lock)
        {
            if (!_columns.TryGetValue((user, field), out var column))
            {
                _columns.Add((user, field), column = new Column());
            }

            column.LastUse = ++_uses;
            foreach (var (chunk, version, values) in read)
            {
                if (chunk >= column.Slots.Length)
                {
                    Array.Resize(ref column.Slots, chunk + 1);
                }

                var change = values.Bytes - (column.Slots[chunk]?.Chunk.Bytes ?? 0);
                column.Slots[chunk] = new Slot(version, values);
                column.Bytes += change;
                _bytes += change;
            }

            while (_bytes > maxBytes && _columns.Count > 0)
            {
                var (key, oldest) = _columns.MinBy(entry => entry.Value.LastUse);
                _columns.Remove(key);
                _bytes -= oldest.Bytes;
            }
        }
    }

    private sealed record Slot(long Version, ColumnChunk Chunk);

    private sealed class Column
    {
        [SuppressMessage("Design", "CA1051", Justification = "Resized in place.")]
        public Slot?[] Slots = [];

        public long Bytes { get; set; }

        public long LastUse { get; set; }
    }
}
