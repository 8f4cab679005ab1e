using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;

namespace Edm.Engine.Imports;

/// <summary>
/// The good rows of a chunk: their texts as UTF-8, end to end in one buffer, as databases take them. Rows of one address know of each other. Used again for chunk after chunk,
/// and for import after import: see <see cref="StagedRowsPool"/>. Not thread-safe.
/// </summary>
internal sealed class StagedRows
{
    /// <summary>A list of creators with 12 columns has 170 or so, and room for a row is asked for at three bytes a character.</summary>
    private const int TextBytesARow = 256;

    private const int TagsARow = 4;

    // Open addressing over the rows that first have their address: 0 is a free place, otherwise the row's index and one. A power of two, at least twice the rows.
    private int[] _places = new int[1024];
    private StagedRow[] _rows = new StagedRow[256];
    private byte[] _texts = new byte[64 * 1024];
    private string[] _tags = new string[1024];
    private int _textBytes;
    private int _tagCount;
    private int _tagChars;

    /// <summary>A small one, which grows.</summary>
    public StagedRows()
    {
    }

    /// <param name="rows">For which there is room at once: what has grown leaves large arrays behind.</param>
    public StagedRows(int rows)
    {
        _places = new int[BitOperations.RoundUpToPowerOf2((uint)(2 * rows))];
        _rows = new StagedRow[rows];
        _texts = new byte[rows * TextBytesARow];
        _tags = new string[rows * TagsARow];
    }

    /// <summary>In bytes: what is in use for as long as this is.</summary>
    public long Capacity => _texts.Length + (sizeof(int) * (long)_places.Length) + ((long)Unsafe.SizeOf<StagedRow>() * _rows.Length) + (8L * _tags.Length);

    public int Count { get; private set; }

    /// <summary>
    /// Roughly, in bytes, to bound a chunk. Most files have few names of tags, which their rows share; one that has not pays for each.
    /// </summary>
    public int Size => _textBytes + (Count * 128) + (_tagCount * 8) + (2 * _tagChars);

    public ref readonly StagedRow this[int index] => ref _rows[index];

    public ReadOnlySpan<byte> Text(TextPlace place) => _texts.AsSpan(place.Start, place.Length);

    public ReadOnlySpan<string> TagsOf(int row) => _tags.AsSpan(_rows[row].FirstTag, _rows[row].Tags);

    /// <summary>The rows that first have their address.</summary>
    public IEnumerable<int> Firsts()
    {
        var count = Count;
        for (var row = 0; row < count; row++)
        {
            if (!_rows[row].IsAgain)
            {
                yield return row;
            }
        }
    }

    /// <param name="first">The first row of an address.</param>
    public IEnumerable<int> OfAddress(int first)
    {
        yield return first;
        for (var row = _rows[first].Next; row != 0; row = _rows[row].Next)
        {
            yield return row;
        }
    }

    /// <returns>The first row of an address; -1 when there is none.</returns>
    public int Find(StagedRows others, int row) => Find(others.Text(others[row].EmailKey), others[row].Hash) - 1;

    public string KeyOf(int row) => String(_rows[row].EmailKey)!;

    public void Clear()
    {
        Array.Clear(_rows, 0, Count);
        Array.Clear(_places);
        Array.Clear(_tags, 0, _tagCount);
        (Count, _textBytes, _tagCount, _tagChars) = (0, 0, 0, 0);
    }

    /// <summary>Lays a text in; an empty one is none.</summary>
    public TextPlace Add(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
        {
            return default;
        }

        var space = Room(Encoding.UTF8.GetMaxByteCount(text.Length));
        // As Encoding.UTF8: half a surrogate pair, which no reader gives, would be U+FFFD.
        Utf8.FromUtf16(text, space, out _, out var written);
        return Took(written);
    }

    /// <summary>Where the next text goes: at least so many bytes, of which <see cref="Took"/> says how many it has.</summary>
    public ArraySegment<byte> Room(int bytes)
    {
        if (_texts.Length - _textBytes < bytes)
        {
            Array.Resize(ref _texts, Math.Max(_texts.Length * 2, _textBytes + bytes));
        }

        return new ArraySegment<byte>(_texts, _textBytes, _texts.Length - _textBytes);
    }

    public TextPlace Took(int bytes)
    {
        _textBytes += bytes;
        return new TextPlace(_textBytes - bytes, bytes);
    }

    public TextPlace Add(ReadOnlySpan<byte> utf8)
    {
        utf8.CopyTo(Room(utf8.Length));
        return Took(utf8.Length);
    }

    /// <returns>The number of the first one, for <see cref="StagedRow.FirstTag"/>.</returns>
    public int AddTags(IReadOnlyList<string> names)
    {
        if (_tags.Length - _tagCount < names.Count)
        {
            Array.Resize(ref _tags, Math.Max(_tags.Length * 2, _tagCount + names.Count));
        }

        for (var i = 0; i < names.Count; i++)
        {
            _tags[_tagCount + i] = names[i];
            _tagChars += names[i].Length;
        }

        _tagCount += names.Count;
        return _tagCount - names.Count;
    }

    /// <summary>Adds a row, whose texts were laid in before, behind those of its address.</summary>
    public int Add(in StagedRow row)
    {
        var index = Append(row);
        if (Count * 2 > _places.Length)
        {
            Enlarge();
        }

        ref var place = ref Find(Text(row.EmailKey), row.Hash);
        if (place == 0)
        {
            place = index + 1;
            return index;
        }

        ref var first = ref _rows[place - 1];
        _rows[first.Last == 0 ? place - 1 : first.Last].Next = index;
        first.Last = index;
        _rows[index].IsAgain = true;
        return index;
    }

    /// <summary>Takes rows out, before anything is folded: the others are as if they had come alone, under new numbers.</summary>
    public void Remove(IReadOnlySet<long> nrs)
    {
        var count = Count;
        Count = 0;
        Array.Clear(_places);
        for (var i = 0; i < count; i++)
        {
            var row = _rows[i];
            if (!nrs.Contains(row.Nr))
            {
                (row.Next, row.Last, row.IsAgain) = (0, 0, false);
                Add(row);
            }
        }

        Array.Clear(_rows, Count, count - Count);
    }

    /// <summary>The last row as the file has it.</summary>
    public void Keep(string original) => _rows[Count - 1].Original = original;

    /// <summary>Adds what several rows together make of a contact; it is none of the rows of its address.</summary>
    public int AddFolded(StagedContact contact, int hash)
    {
        var email = Add(contact.Email.AsSpan());
        return Append(new StagedRow
        {
            Nr = contact.Nr,
            Email = email,
            EmailKey = contact.EmailKey == contact.Email ? email : Add(contact.EmailKey.AsSpan()),
            Handle = Add(contact.Handle.AsSpan()),
            Nickname = Add(contact.Nickname.AsSpan()),
            Followers = contact.Followers,
            Country = Add(contact.Country.AsSpan()),
            Language = Add(contact.Language.AsSpan()),
            Category = Add(contact.Category.AsSpan()),
            Bio = Add(contact.Bio.AsSpan()),
            Attributes = Add(contact.Attributes.AsSpan()),
            FirstTag = AddTags(contact.Tags),
            Tags = contact.Tags.Count,
            Status = contact.Status,
            Hash = hash,
            IsAgain = true,
        });
    }

    public StagedContact Contact(int index)
    {
        ref readonly var row = ref _rows[index];
        return new StagedContact(
            row.Nr, String(row.Email)!, String(row.EmailKey)!, String(row.Handle), String(row.Nickname), row.Followers, String(row.Country), String(row.Language), String(row.Category),
            String(row.Bio), String(row.Attributes)!) { Tags = TagsOf(index).ToArray(), Status = row.Status ?? StagedContact.ActiveStatus };
    }

    public string? String(TextPlace place) => place.IsNone ? null : Encoding.UTF8.GetString(Text(place));

    private int Append(in StagedRow row)
    {
        if (Count == _rows.Length)
        {
            Array.Resize(ref _rows, _rows.Length * 2);
        }

        _rows[Count] = row;
        return Count++;
    }

    private ref int Find(ReadOnlySpan<byte> key, int hash)
    {
        for (var at = hash & (_places.Length - 1); ; at = (at + 1) & (_places.Length - 1))
        {
            ref var place = ref _places[at];
            if (place == 0 || (_rows[place - 1].Hash == hash && Text(_rows[place - 1].EmailKey).SequenceEqual(key)))
            {
                return ref place;
            }
        }
    }

    private void Enlarge()
    {
        _places = new int[_places.Length * 2];
        for (var i = 0; i < Count - 1; i++)
        {
            if (!_rows[i].IsAgain)
            {
                Find(Text(_rows[i].EmailKey), _rows[i].Hash) = i + 1;
            }
        }
    }
}
