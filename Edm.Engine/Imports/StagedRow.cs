using System.Runtime.InteropServices;

namespace Edm.Engine.Imports;

/// <summary>Where a text lies in the buffer of its <see cref="StagedRows"/>; the default is no text at all.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct TextPlace
{
    // One more than it is, so that 0 is none.
    private readonly int _end;

    public TextPlace(int start, int length) => (Start, _end) = (start, start + length + 1);

    public int Start { get; }

    public int Length => _end - 1 - Start;

    public bool IsNone => _end == 0;
}

/// <summary>
/// A good row, as <see cref="StagedContact"/>, without an object or a text of its own: a chunk has some ten thousand of them, which the garbage collector would have to
/// look at each time.
/// </summary>
internal struct StagedRow
{
    /// <summary>The row's number in the file.</summary>
    public long Nr { get; init; }

    /// <summary>Where it begins.</summary>
    public long Line { get; init; }

    public TextPlace Email { get; init; }
    public TextPlace EmailKey { get; init; }
    public TextPlace Handle { get; init; }
    public TextPlace Nickname { get; init; }
    public long? Followers { get; init; }
    public TextPlace Country { get; init; }
    public TextPlace Language { get; init; }
    public TextPlace Category { get; init; }
    public TextPlace Bio { get; init; }
    public TextPlace Attributes { get; init; }

    /// <summary>Its tags are so many names from this one on; see <see cref="StagedRows.TagsOf"/>.</summary>
    public int FirstTag { get; init; }

    public int Tags { get; init; }

    /// <summary><see cref="StagedContact.Status"/>; null for active.</summary>
    public string? Status { get; init; }

    /// <summary>The column of the tags, as the file names it; null without tags.</summary>
    public string? TagsColumn { get; init; }

    /// <summary>Of the address's key: <see cref="AddressHash"/>.</summary>
    public int Hash { get; init; }

    /// <summary>The next row of the chunk with the same address; 0, which is never a next one, when there is none.</summary>
    public int Next { get; set; }

    /// <summary>Of the first row of an address: the last one, when there are several.</summary>
    public int Last { get; set; }

    /// <summary>An earlier row of the chunk has the same address.</summary>
    public bool IsAgain { get; set; }

    /// <summary>As the file has it; null where nobody could ask for it.</summary>
    public string? Original { get; set; }
}
