using System.Numerics;

namespace Edm.Engine.Contacts.Ordinals;

/// <summary>
/// Some of one user's contacts, by their ordinals: a bitmap in chunks, of which those without a contact take no memory (1 KB for each other one). Changes in
/// place; not thread-safe.
/// </summary>
public sealed class ContactSet
{
    private ulong[]?[] _chunks;

    public ContactSet() => _chunks = [];

    private ContactSet(ulong[]?[] chunks) => _chunks = chunks;

    public static ContactSet Of(params IEnumerable<int> ordinals)
    {
        ArgumentNullException.ThrowIfNull(ordinals);
        var set = new ContactSet();
        foreach (var ordinal in ordinals)
        {
            set.Add(ordinal);
        }

        return set;
    }

    /// <summary>Counted anew each time: 2 µs for a million contacts.</summary>
    public int Count
    {
        get
        {
            var count = 0;
            foreach (var words in _chunks)
            {
                count += words is null ? 0 : ContactChunk.Count(words);
            }

            return count;
        }
    }

    public bool IsEmpty => !_chunks.Any(words => words is not null && words.AsSpan().ContainsAnyExcept(0UL));

    /// <summary>The numbers of the chunks that have a contact, ascending.</summary>
    public IEnumerable<int> Chunks
    {
        get
        {
            for (var chunk = 0; chunk < _chunks.Length; chunk++)
            {
                if (_chunks[chunk] is { } words && words.AsSpan().ContainsAnyExcept(0UL))
                {
                    yield return chunk;
                }
            }
        }
    }

    /// <summary>The ordinals, ascending.</summary>
    public IEnumerable<int> Ordinals => After(-1);

    public bool Contains(int ordinal) =>
        Find(ContactChunk.Of(ordinal)) is { } words && (words[Word(ordinal)] & Bit(ordinal)) != 0;

    /// <returns>False when it was there.</returns>
    public bool Add(int ordinal)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(ordinal);
        ref var word = ref Need(ContactChunk.Of(ordinal))[Word(ordinal)];
        var added = (word & Bit(ordinal)) == 0;
        word |= Bit(ordinal);
        return added;
    }

    /// <returns>False when it was not there.</returns>
    public bool Remove(int ordinal)
    {
        if (!Contains(ordinal))
        {
            return false;
        }

        _chunks[ContactChunk.Of(ordinal)]![Word(ordinal)] &= ~Bit(ordinal);
        return true;
    }

    /// <summary>Adds the ordinals from <paramref name="first"/> to <paramref name="first"/> + <paramref name="count"/> - 1.</summary>
    public void AddRange(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        for (var ordinal = first; ordinal < first + count;)
        {
            if (ordinal % 64 == 0 && first + count - ordinal >= 64)
            {
                Need(ContactChunk.Of(ordinal))[Word(ordinal)] = ulong.MaxValue;
                ordinal += 64;
            }
            else
            {
                Add(ordinal++);
            }
        }
    }

    public void UnionWith(ContactSet other)
    {
        ArgumentNullException.ThrowIfNull(other);
        foreach (var chunk in other.Chunks)
        {
            var (ours, theirs) = (Need(chunk), other._chunks[chunk]!);
            for (var i = 0; i < ours.Length; i++)
            {
                ours[i] |= theirs[i];
            }
        }
    }

    public void IntersectWith(ContactSet other)
    {
        ArgumentNullException.ThrowIfNull(other);
        for (var chunk = 0; chunk < _chunks.Length; chunk++)
        {
            if (_chunks[chunk] is not { } ours)
            {
                continue;
            }

            if (other.Find(chunk) is not { } theirs)
            {
                _chunks[chunk] = null;
                continue;
            }

            for (var i = 0; i < ours.Length; i++)
            {
                ours[i] &= theirs[i];
            }
        }
    }

    public void ExceptWith(ContactSet other)
    {
        ArgumentNullException.ThrowIfNull(other);
        for (var chunk = 0; chunk < Math.Min(_chunks.Length, other._chunks.Length); chunk++)
        {
            if (_chunks[chunk] is not { } ours || other._chunks[chunk] is not { } theirs)
            {
                continue;
            }

            for (var i = 0; i < ours.Length; i++)
            {
                ours[i] &= ~theirs[i];
            }
        }
    }

    public bool Overlaps(ContactSet other)
    {
        ArgumentNullException.ThrowIfNull(other);
        for (var chunk = 0; chunk < Math.Min(_chunks.Length, other._chunks.Length); chunk++)
        {
            if (_chunks[chunk] is { } ours && other._chunks[chunk] is { } theirs)
            {
                for (var i = 0; i < ours.Length; i++)
                {
                    if ((ours[i] & theirs[i]) != 0)
                    {
                        return true;
                    }
                }
            }
        }

        return false;
    }

    public ContactSet Clone() => new(Array.ConvertAll(_chunks, words => (ulong[]?)words?.Clone()));

    /// <summary>The ordinals above <paramref name="ordinal"/>, ascending: what a page goes on with.</summary>
    public IEnumerable<int> After(int ordinal)
    {
        var start = ordinal + 1;
        for (var chunk = ContactChunk.Of(start); chunk < _chunks.Length; chunk++)
        {
            if (_chunks[chunk] is not { } words)
            {
                continue;
            }

            var from = Math.Max(start, ContactChunk.First(chunk));
            for (var word = Word(from); word < ContactChunk.Words; word++)
            {
                var base0 = ContactChunk.First(chunk) + (word * 64);
                var rest = words[word];
                if (base0 < from)
                {
                    rest &= ulong.MaxValue << (from - base0);
                }

                for (; rest != 0; rest &= rest - 1)
                {
                    yield return base0 + BitOperations.TrailingZeroCount(rest);
                }
            }
        }
    }

    /// <summary>The bits of one chunk; empty when it has no contact.</summary>
    public ReadOnlySpan<ulong> Bits(int chunk) => Find(chunk);

    /// <summary>Replaces the bits of one chunk.</summary>
    /// <param name="words">Kept, not copied; null for none.</param>
    public void SetBits(int chunk, ulong[]? words)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(chunk);
        if (words is not null && words.Length != ContactChunk.Words)
        {
            throw new ArgumentException($"A chunk has {ContactChunk.Words} words.", nameof(words));
        }

        Grow(chunk);
        _chunks[chunk] = words;
    }

    private ulong[]? Find(int chunk) => chunk < _chunks.Length ? _chunks[chunk] : null;

    private ulong[] Need(int chunk)
    {
        Grow(chunk);
        return _chunks[chunk] ??= new ulong[ContactChunk.Words];
    }

    private void Grow(int chunk)
    {
        if (chunk >= _chunks.Length)
        {
            Array.Resize(ref _chunks, Math.Max(chunk + 1, Math.Min(_chunks.Length * 2, chunk + 128)));
        }
    }

    private static int Word(int ordinal) => ordinal % ContactChunk.Size / 64;

    private static ulong Bit(int ordinal) => 1UL << (ordinal % 64);
}
