using System.Text;

namespace Edm.Engine.Imports;

/// <summary>How the bytes of a file become characters.</summary>
/// <param name="Name">As people and other programs call it.</param>
/// <param name="Mark">The bytes of the byte order mark at the start of the file; 0 when there is none.</param>
/// <param name="Reason">What spoke for it, for people.</param>
internal sealed record TextEncoding(string Name, Encoding Encoding, int Mark, string Reason)
{
    public static readonly Encoding StrictUtf8 = new UTF8Encoding(false, true);

    /// <summary>Nothing but ASCII was seen, in which all encodings that we read are alike (UTF-16 aside, which can't look like it).</summary>
    public static readonly TextEncoding Ascii = new("utf-8", StrictUtf8, 0, "nothing but ASCII was seen");

    public bool IsUtf8 => ReferenceEquals(Encoding, StrictUtf8);

    public static TextEncoding Utf8(int mark, string reason) => new("utf-8", StrictUtf8, mark, reason);

    public static TextEncoding Utf16(bool bigEndian, int mark, string reason) =>
        new(bigEndian ? "utf-16be" : "utf-16le", new UnicodeEncoding(bigEndian, byteOrderMark: false, throwOnInvalidBytes: true), mark, reason);

    public static TextEncoding Gb18030(int mark, string reason) => new("gb18030", CodePage(54936), mark, reason);

    public static TextEncoding Windows1252(string reason) => new("windows-1252", CodePage(1252), 0, reason);

    private static Encoding CodePage(int number) =>
        CodePagesEncodingProvider.Instance.GetEncoding(number, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback)
        ?? throw new InvalidOperationException($"Code page {number} is missing.");
}
