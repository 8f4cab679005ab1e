namespace Edm.Engine.Imports;

/// <summary>What ends a line of a file.</summary>
internal enum LineEnd
{
    Lf,
    CrLf,

    /// <summary>Old Macintosh files.</summary>
    Cr,
}

/// <summary>One member of the family of RFC 4180.</summary>
/// <param name="Quote"><c>"</c> or <c>'</c>. A quote inside of a quoted value is doubled, in every dialect.</param>
/// <param name="Escape">A backslash where it takes the meaning from the character after it; null where it is a character like others.</param>
/// <param name="LineEnd">In a file of LF or CR LF a CR alone is text.</param>
/// <param name="SkipsSpace">Whether spaces after a delimiter belong to it, so that a quote may follow them.</param>
internal sealed record CsvDialect(char Delimiter, char Quote = '"', char? Escape = null, LineEnd LineEnd = LineEnd.Lf, bool SkipsSpace = false)
{
    /// <summary>What RFC 4180 itself describes, with either line end.</summary>
    public static readonly CsvDialect Rfc4180 = new(',');
}
