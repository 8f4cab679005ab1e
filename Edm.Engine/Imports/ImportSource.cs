using System.IO.Compression;

namespace Edm.Engine.Imports;

/// <summary>An upload, unpacked and without a byte order mark, and what it is. Does not own the upload's stream.</summary>
internal sealed class ImportSource : IAsyncDisposable
{
    // Enough for every signature, and for the first character of JSON after some white space.
    private const int HeadBytes = 512;

    private readonly ImportStream _upload;
    private readonly GZipStream? _unpacking;

    private ImportSource(ImportStream upload, GZipStream? unpacking, ImportStream content, ImportFormat format)
    {
        _upload = upload;
        _unpacking = unpacking;
        Content = content;
        Format = format;
    }

    /// <summary>UTF-8, as far as its first bytes tell.</summary>
    public ImportStream Content { get; }

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
            var mark = head.Span.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? 3 : 0;
            await content.ReadExactlyAsync(new byte[mark], cancellation);
            return new ImportSource(upload, unpacking, content, FormatOf(head.Span[mark..], fileName, options));
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
            [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] => "This file is UTF-16. Save it as UTF-8 (in Excel: \"CSV UTF-8\").",
            _ => null,
        };
        if (problem is not null)
        {
            throw new ImportFormatException(problem);
        }
    }

    private static ImportFormat FormatOf(ReadOnlySpan<byte> head, string fileName, ImportOptions options)
    {
        var start = head.TrimStart(" \t\r\n"u8);
        if (start.IsEmpty && head.Length < HeadBytes - 3)
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
