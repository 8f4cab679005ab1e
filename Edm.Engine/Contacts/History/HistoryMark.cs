using System.Globalization;
using Edm.Contracts;

namespace Edm.Engine.Contacts.History;

/// <summary>Where a page of a contact's history ends: a moment, and at one moment the kind of the source and the number in it, so that nothing is seen twice or missed.</summary>
internal readonly record struct HistoryMark(long At, int Source, long Id) : IComparable<HistoryMark>
{
    public static readonly HistoryMark Start = new(long.MaxValue, 0, 0);

    /// <exception cref="FieldException">It is none.</exception>
    public static HistoryMark Parse(string? text)
    {
        if (text is null)
        {
            return Start;
        }

        var parts = text.Split('.');
        return parts.Length == 3 && TryRead(parts[0], out var at) && TryRead(parts[1], out var source) && TryRead(parts[2], out var id) && source <= int.MaxValue
            ? new HistoryMark(at, (int)source, id)
            : throw new FieldException("after", "This is not the 'next' of a page of a history.");

        static bool TryRead(string part, out long number) => long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    /// <summary>Of a source, the lines at this very moment that come after the mark have numbers below this.</summary>
    public long Below(int source) => source < Source ? long.MaxValue : source == Source ? Id : 0;

    public int CompareTo(HistoryMark other) => (At, Source, Id).CompareTo((other.At, other.Source, other.Id));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{At}.{Source}.{Id}");
}
