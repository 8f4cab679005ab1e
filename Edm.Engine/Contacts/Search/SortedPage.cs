using System.Numerics;
using Edm.Contracts;
using Edm.Engine.Contacts.Filters.Columns;
using Edm.Engine.Contacts.Ordinals;

namespace Edm.Engine.Contacts.Search;

/// <summary>Picks the next contacts of a sorted list out of a set, without sorting the set: one pass, in which few get past the worst one that is held already.</summary>
internal sealed class SortedPage
{
    private readonly ColumnChunk?[] _column;
    private readonly bool _descending;
    private readonly PageMark _after;
    private readonly int _limit;

    // The worst one on top.
    private readonly PriorityQueue<int, (long Key, int Ordinal)> _held;

    // Of texts, their place among all that occur, doubled: between two there is room for a mark whose text is gone.
    private readonly Dictionary<string, long>? _ranks;
    private readonly string[] _texts = [];

    private SortedPage(ColumnChunk?[] column, ContactOrder order, PageMark after, int limit)
    {
        _column = column;
        _descending = order.Descending;
        _after = after;
        _limit = limit;
        _held = new PriorityQueue<int, (long, int)>(limit + 1, Comparer<(long, int)>.Create((a, b) => b.CompareTo(a)));
        if (order.Field!.IsText)
        {
            _texts = [.. column.OfType<TextChunk>().SelectMany(chunk => chunk.Texts.Skip(1)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
            _ranks = _texts.Select((text, place) => (text, place)).ToDictionary(p => p.text, p => 2L * p.place, StringComparer.Ordinal);
        }
    }

    /// <returns>In order, with the value of each for a mark; null for those without.</returns>
    /// <exception cref="FieldException">The texts differ too much to be held as a column.</exception>
    public static IReadOnlyList<(int Ordinal, long? Number, string? Text)> Of(ContactSet set, ColumnChunk?[] column, ContactOrder order, PageMark after, int limit)
    {
        if (set.Chunks.Any(chunk => column[chunk] is WideChunk))
        {
            throw new FieldException("sort", $"'{order}' has too many different values to sort by.");
        }

        return new SortedPage(column, order, after, limit).Pick(set);
    }

    private List<(int, long?, string?)> Pick(ContactSet set)
    {
        var found = new List<(int, long?, string?)>(_limit);
        if (_after.Ordinal < 0 || _after.HasValue)
        {
            foreach (var chunk in set.Chunks)
            {
                Pick(set, chunk);
            }

            while (_held.TryDequeue(out var ordinal, out var place))
            {
                found.Add(_ranks is null ? (ordinal, KeyBack(place.Key), null) : (ordinal, null, _texts[KeyBack(place.Key) / 2]));
            }

            found.Reverse();
        }

        if (found.Count < _limit)
        {
            var from = _after.Ordinal >= 0 && !_after.HasValue ? _after.Ordinal : -1;
            found.AddRange(WithoutValue(set, from).Take(_limit - found.Count).Select(ordinal => (ordinal, (long?)null, (string?)null)));
        }

        return found;
    }

    private void Pick(ContactSet set, int chunk)
    {
        Span<ulong> bits = stackalloc ulong[ContactChunk.Words];
        set.Bits(chunk).CopyTo(bits);
        var values = _column[chunk]!;
        var (number, text) = (values as NumberChunk, values as TextChunk);
        if (number is not null)
        {
            var (from, to) = Range();
            number.Keep(from, to, bits);
        }

        var ranks = text?.Texts.Select((word, code) => code == 0 ? 0 : _ranks![word]).ToArray();
        for (var word = 0; word < bits.Length; word++)
        {
            for (var rest = bits[word] & values.Present[word]; rest != 0; rest &= rest - 1)
            {
                var bit = (word * 64) + BitOperations.TrailingZeroCount(rest);
                Offer(Key(number?.Value(bit) ?? ranks![text!.Code(bit)]), ContactChunk.First(chunk) + bit);
            }
        }
    }

    private void Offer(long key, int ordinal)
    {
        var place = (key, ordinal);
        if (_after.Ordinal >= 0 && place.CompareTo((AfterKey(), _after.Ordinal)) <= 0)
        {
            return;
        }

        if (_held.Count < _limit)
        {
            _held.Enqueue(ordinal, place);
        }
        else if (_held.TryPeek(out _, out var worst) && place.CompareTo(worst) < 0)
        {
            _held.DequeueEnqueue(ordinal, place);
        }
    }

    /// <summary>The numbers that may still come onto the page.</summary>
    private (long From, long To) Range()
    {
        var first = _after.Ordinal >= 0 ? _after.Number!.Value : _descending ? long.MaxValue : long.MinValue;
        var last = _held.Count == _limit && _held.TryPeek(out _, out var worst) ? KeyBack(worst.Key) : _descending ? long.MinValue : long.MaxValue;
        return _descending ? (last, first) : (first, last);
    }

    private long AfterKey()
    {
        if (_after.Number is { } number)
        {
            return Key(number);
        }

        if (_ranks!.TryGetValue(_after.Text!, out var rank))
        {
            return Key(rank);
        }

        return Key((2L * ~Array.BinarySearch(_texts, _after.Text!, StringComparer.Ordinal)) - 1);
    }

    // The complement turns the order round and, unlike the negative, has room for every number.
    private long Key(long value) => _descending ? ~value : value;

    private long KeyBack(long key) => _descending ? ~key : key;

    private IEnumerable<int> WithoutValue(ContactSet set, int after)
    {
        foreach (var ordinal in set.After(after))
        {
            var (chunk, bit) = (ContactChunk.Of(ordinal), ordinal % ContactChunk.Size);
            if ((_column[chunk]!.Present[bit / 64] >> (bit % 64) & 1) == 0)
            {
                yield return ordinal;
            }
        }
    }
}
