namespace Edm.Engine.Imports;

/// <summary>A stream of which the first bytes may have been looked at already: it gives them again, then the rest. Counts, and refuses to go past a limit. Does not own the rest.</summary>
internal sealed class ImportStream(ReadOnlyMemory<byte> head, Stream rest, long limit = long.MaxValue) : Stream
{
    private ReadOnlyMemory<byte> _head = head;

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

    /// <exception cref="ImportFormatException">The limit is passed, or the rest is damaged gzip.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = Math.Min(_head.Length, buffer.Length);
        if (count > 0)
        {
            _head[..count].CopyTo(buffer);
            _head = _head[count..];
        }
        else
        {
            count = await ReadRestAsync(buffer, cancellationToken);
        }

        BytesRead += count;
        return BytesRead <= limit
            ? count
            : throw new ImportFormatException($"The file is larger than {limit / (1024 * 1024)} MiB unpacked. Split it, and import the parts one after the other.");
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // Request bodies can't be read without waiting, and a thread must not wait for a slow client.
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private async ValueTask<int> ReadRestAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        try
        {
            return await rest.ReadAsync(buffer, cancellation);
        }
        catch (InvalidDataException exception)
        {
            throw new ImportFormatException("The gzip file is damaged or ends too early. Pack and send it again.", inner: exception);
        }
    }
}
