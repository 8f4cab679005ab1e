using System.Globalization;
using System.Security.Cryptography;
using Edm.Contracts;
using Edm.Engine.Storage;

namespace Edm.Engine.Imports;

/// <summary>Where uploads lie on this node until they are in the contacts: <c>staging/import-N.upload</c>, as they came.</summary>
internal static class ImportSpool
{
    private const string Uploads = "upload";

    /// <summary>For one that may turn out to be another file than the one that lies here.</summary>
    private const string Repeats = "repeat";

    public static string FileOf(StorageSettings settings, ImportId import, string extension) =>
        Path.Combine(SqliteFiles.MakeFolder(FolderOf(settings)), $"import-{import}.{extension}");

    public static FileStream Create(StorageSettings settings, ImportId import) =>
        new(FileOf(settings, import, Repeats), new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0, Options = FileOptions.Asynchronous });

    /// <summary>The upload is whole, and the right one.</summary>
    public static void Keep(StorageSettings settings, ImportId import) =>
        File.Move(FileOf(settings, import, Repeats), FileOf(settings, import, Uploads), overwrite: true);

    public static void Drop(StorageSettings settings, ImportId import) => File.Delete(FileOf(settings, import, Repeats));

    public static bool Has(StorageSettings settings, ImportId import) => File.Exists(FileOf(settings, import, Uploads));

    public static FileStream Open(StorageSettings settings, ImportId import) =>
        new(FileOf(settings, import, Uploads), new FileStreamOptions { BufferSize = 0, Options = FileOptions.Asynchronous | FileOptions.SequentialScan });

    /// <summary>Nothing of the import is needed any more. Its claim is its own.</summary>
    public static void Delete(StorageSettings settings, ImportId import)
    {
        foreach (var extension in (string[])[Uploads, Repeats])
        {
            File.Delete(FileOf(settings, import, extension));
        }
    }

    /// <summary>The imports that have left something here.</summary>
    public static IReadOnlyList<ImportId> All(StorageSettings settings) => !Directory.Exists(FolderOf(settings)) ? [] :
    [
        .. Directory.EnumerateFiles(FolderOf(settings), "import-*")
            .Select(file => Path.GetFileNameWithoutExtension(file)["import-".Length..])
            .Where(id => long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .Select(id => new ImportId(long.Parse(id, CultureInfo.InvariantCulture)))
            .Distinct(),
    ];

    private static string FolderOf(StorageSettings settings) => Path.Combine(settings.DataFolder, "staging");
}

/// <summary>A file while it comes in: hashes it, and keeps a copy where one is wanted. Does not own the upload.</summary>
internal sealed class IncomingFile(Stream upload, FileStream? copy) : Stream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public long BytesRead { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await upload.ReadAsync(buffer, cancellationToken);
        if (count > 0)
        {
            _hash.AppendData(buffer.Span[..count]);
            BytesRead += count;
            if (copy is not null)
            {
                await copy.WriteAsync(buffer[..count], cancellationToken);
            }
        }

        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Takes what nobody has read, so that the hash is that of the whole file; a copy survives a power cut then.</summary>
    /// <returns>SHA-256.</returns>
    public async Task<byte[]> CompleteAsync(CancellationToken cancellation)
    {
        var rest = new byte[64 * 1024];
        while (await ReadAsync(rest, cancellation) > 0)
        {
        }

        copy?.Flush(flushToDisk: true);
        return _hash.GetHashAndReset();
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _hash.Dispose();
        base.Dispose(disposing);
    }
}
