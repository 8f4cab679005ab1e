using System.IO.Compression;
using System.Text;

namespace Edm.Engine.Imports;

/// <summary>An upload, unpacked and without a byte order mark, and what it is. Does not own the upload's stream.</summary>
internal sealed class ImportSource : IAsyncDisposable
{
    // Enough for every signature, and to find out the encoding.
    private const int HeadBytes = 16 * 1024;

    private readonly ImportStream _upload;
    private readonly GZipStream? _unpacking;

    private ImportSource(ImportStream upload, GZipStream? unpacking, Stream content, ImportFormat format)
    {
        _upload = upload;
        _unpacking = unpacking;
        Content = content;
        Format = format;
    }

    /// <summary>JSON in UTF-8, or CSV as it stands in the file.</summary>
    public Stream Content { get; }

    public ImportFormat Format { get; }

    /// <summary>Of the upload as it came.</summary>
    public long BytesRead => _upload.BytesRead;

    /// <exception cref="ImportFormatException">The first bytes are those of something that can't be imported.</exception>
    public static async Task<ImportSource> OpenAsync(Stream stream, string fileName, ImportOptions options, CancellationToken cancellation)
    {
        var upload = new ImportStream(default, stream);
        var head = await HeadAsync(upload, cancellation);
        GZipStream? unpacking = null;
        try
        {
            var content = new ImportStream(head, upload, options.MaxBytes);
            if (IsGzip(head.Span))
            {
                unpacking = new GZipStream(new ImportStream(head, upload), CompressionMode.Decompress);
                content = new ImportStream(default, unpacking, options.MaxBytes);
                head = await HeadAsync(content, cancellation);
                content = new ImportStream(head, content);
            }

            RefuseOthers(head.Span);
            var encoding = EncodingDetector.Detect(head.Span, isWhole: head.Length < HeadBytes) ?? TextEncoding.Ascii;
            var format = FormatOf(Start(head.Span, encoding), fileName, options);
            return new ImportSource(upload, unpacking, format == ImportFormat.Csv ? content : await InUtf8Async(content, encoding, cancellation), format);
        }
        catch
        {
            await (unpacking?.DisposeAsync() ?? ValueTask.CompletedTask);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await (_unpacking?.DisposeAsync() ?? ValueTask.CompletedTask);
        await Content.DisposeAsync();
        await _upload.DisposeAsync();
    }

    private static async Task<ReadOnlyMemory<byte>> HeadAsync(Stream stream, CancellationToken cancellation)
    {
        var head = new byte[HeadBytes];
        return head.AsMemory(0, await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellation));
    }

    /// <summary>The first characters as UTF-8.</summary>
    private static byte[] Start(ReadOnlySpan<byte> head, TextEncoding encoding) => Encoding.UTF8.GetBytes(ReplacingBroken(encoding).GetString(head[encoding.Mark..]));

    private static Encoding ReplacingBroken(TextEncoding encoding)
    {
        var replacing = (Encoding)encoding.Encoding.Clone();
        replacing.DecoderFallback = DecoderFallback.ReplacementFallback;
        return replacing;
    }

    private static async Task<Stream> InUtf8Async(ImportStream content, TextEncoding encoding, CancellationToken cancellation)
    {
        await content.ReadExactlyAsync(new byte[encoding.Mark], cancellation);
        return encoding.IsUtf8 ? content : Encoding.CreateTranscodingStream(content, ReplacingBroken(encoding), TextEncoding.StrictUtf8);
    }

    private static bool IsGzip(ReadOnlySpan<byte> head) => head is [0x1F, 0x8B, ..];

    private static void RefuseOthers(ReadOnlySpan<byte> head)
    {
        var problem = head switch
        {
            [0x50, 0x4B, 0x03 or 0x05, 0x04 or 0x06, ..] =>
                "This is an Excel workbook (.xlsx) or a zip archive. From Excel, save as \"CSV UTF-8\"; unpack an archive and send the file inside, or pack it with gzip.",
            [0xD0, 0xCF, 0x11, 0xE0, ..] => "This is an old Excel workbook (.xls). Save it as \"CSV UTF-8\".",
            [0x25, 0x50, 0x44, 0x46, ..] => "This is a PDF. A list must be CSV, NDJSON or a JSON array.",
            [0x1F, 0x8B, ..] => "The file is packed with gzip twice. Unpack it once.",
            [0x28, 0xB5, 0x2F, 0xFD, ..] or [0x42, 0x5A, 0x68, ..] or [0xFD, 0x37, 0x7A, 0x58, 0x5A, ..] or [0x37, 0x7A, 0xBC, 0xAF, ..] =>
                "This file is packed in a way that is not supported. Unpack it, or pack it with gzip.",
            _ when IsHtml(head) => "This is a web page (HTML), perhaps the answer of a site that wanted a login. Download the list itself as CSV, and send that file.",
            _ when head.StartsWith("<?xml"u8) => "This is XML. A list must be CSV, NDJSON or a JSON array; from Excel, save as \"CSV UTF-8\".",
            [(byte)'{', (byte)'\\', (byte)'r', (byte)'t', (byte)'f', ..] => "This is a text document (RTF). A list must be CSV, NDJSON or a JSON array.",
            [0x89, 0x50, 0x4E, 0x47, ..] or [0xFF, 0xD8, 0xFF, ..] or [0x47, 0x49, 0x46, 0x38, ..] => "This is a picture. A list must be CSV, NDJSON or a JSON array.",
            _ => null,
        };
        if (problem is not null)
        {
            throw new ImportFormatException(problem, 1, offset: 0);
        }
    }

    private static bool IsHtml(ReadOnlySpan<byte> head)
    {
        var text = Encoding.Latin1.GetString(head[..Math.Min(head.Length, 256)]).TrimStart('\u00EF', '\u00BB', '\u00BF', ' ', '\r', '\n', '\t');
        return text.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase) || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase);
    }

    private static ImportFormat FormatOf(ReadOnlySpan<byte> head, string fileName, ImportOptions options)
    {
        var start = head.TrimStart(" \t\r\n"u8);
        if (start.IsEmpty && head.Length < HeadBytes / 2)
        {
            throw new ImportFormatException("The file is empty.");
        }

        var seen = start switch
        {
            [(byte)'{', ..] => ImportFormat.NdJson,
            [(byte)'[', ..] => ImportFormat.Json,
            _ => ImportFormat.Csv,
        };
        return (options.Format ?? ImportFormats.FromContentType(options.ContentType) ?? ImportFormats.FromFileName(fileName)) switch
        {
            null => seen,
            ImportFormat.Csv => ImportFormat.Csv,
            // What is called JSON is often NDJSON, and the other way round; the first byte knows.
            _ when seen != ImportFormat.Csv => seen,
            _ => throw new ImportFormatException("This is not JSON: expected an array ('[') or one object ('{') a line.", 1),
        };
    }
}
